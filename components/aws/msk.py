"""Managed Kafka."""

from __future__ import annotations

import json

import pulumi
import pulumi_random as random
from pulumi_aws import msk

from config.kinds import Msk as Declared

from .context import AwsContext, PlatformComponent
from .keys import encryption_key, log_group, protected
from .stores import Placement, secret, security_group


class Msk(PlatformComponent):
    """Creates a broker in each zone; clients use TLS and authenticate with SCRAM or IAM. The plaintext port 9092 is closed."""

    def __init__(
        self,
        name: str,
        kafka: Declared,
        context: AwsContext,
        placement: Placement,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, context, opts)
        own = encryption_key(self, "data, and the credentials of clients")
        access = security_group(self, kafka.ports(), placement)
        settings = msk.Configuration(
            name,
            name=self.name_in_account(),
            description="every message three times; two acknowledge it",
            kafka_versions=[kafka.version],
            server_properties=_properties(kafka),
            opts=self.child_options(),
        )
        log = log_group(self, f"/understudy/{context.name}/{name}", kafka.log_retention)
        self.cluster = msk.Cluster(
            name,
            cluster_name=kafka.identifier,
            kafka_version=kafka.version,
            number_of_broker_nodes=kafka.nodes,
            broker_node_group_info={
                "instance_type": str(kafka.instance),
                "client_subnets": list(placement.subnets),
                "security_groups": [access.id],
                "storage_info": {"ebs_storage_info": {"volume_size": int(kafka.storage.value / 2**30)}},
                "connectivity_info": {"public_access": {"type": "DISABLED"}},
            },
            configuration_info={"arn": settings.arn, "revision": settings.latest_revision},
            encryption_info={
                "encryption_at_rest_kms_key_arn": own.arn,
                "encryption_in_transit": {"client_broker": "TLS", "in_cluster": True},
            },
            client_authentication={"sasl": {"iam": True, "scram": True}, "unauthenticated": False},
            enhanced_monitoring="PER_BROKER",
            open_monitoring={
                "prometheus": {
                    "jmx_exporter": {"enabled_in_broker": True},
                    "node_exporter": {"enabled_in_broker": True},
                }
            },
            logging_info={"broker_logs": {"cloudwatch_logs": {"enabled": True, "log_group": log.name}}},
            tags=self.tags(),
            opts=self.child_options(protect=protected(self)),
        )
        password = random.RandomPassword(f"{name}-password", length=32, special=False, opts=self.child_options())
        kept = password.result.apply(lambda value: json.dumps({"username": kafka.user, "password": value}))
        # MSK reads only secrets with this prefix, and none that are encrypted with the account's default key
        credentials = secret(self, f"AmazonMSK_{context.name}-{name}", own.arn, kept, protect=protected(self))
        msk.ScramSecretAssociation(
            name, cluster_arn=self.cluster.arn, secret_arn_lists=[credentials.arn], opts=self.child_options()
        )
        self.endpoint = {
            "host": self.cluster.bootstrap_brokers_sasl_scram,
            "port": kafka.port(),
            "secret": credentials.arn,
        }
        self.register_outputs({"bootstrapBrokers": self.cluster.bootstrap_brokers_sasl_scram})


def _properties(kafka: Declared) -> str:
    settings = {
        "auto.create.topics.enable": "false",
        "default.replication.factor": str(kafka.replication_factor),
        "min.insync.replicas": str(kafka.minimum_in_sync),
        "unclean.leader.election.enable": "false",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
