"""Managed Kafka."""

from __future__ import annotations

import json

import pulumi
import pulumi_random as random
from pulumi_aws import msk

from config.kinds import Msk as Declared

from .cloud import Cloud, Part
from .keys import guarded, key, log_group
from .stores import group, secret


class Msk(Part):
    """A broker in each zone; clients speak TLS and sign in with SCRAM or IAM. There is no 9092, which is plaintext."""

    def __init__(self, name: str, kafka: Declared, cloud: Cloud, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, cloud, opts)
        own = key(self, "data, and the credentials of clients")
        access = group(self, kafka.ports())
        settings = msk.Configuration(
            name,
            name=self.named(),
            description="every message three times; two acknowledge it",
            kafka_versions=[kafka.version],
            server_properties=_properties(kafka),
            opts=self.under(),
        )
        log = log_group(self, f"/understudy/{cloud.name}/{name}", kafka.log_retention)
        self.cluster = msk.Cluster(
            name,
            cluster_name=kafka.identifier,
            kafka_version=kafka.version,
            number_of_broker_nodes=kafka.nodes,
            broker_node_group_info={
                "instance_type": str(kafka.instance),
                "client_subnets": cloud.network.ids("data"),
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
            opts=self.under(protect=guarded(self)),
        )
        password = random.RandomPassword(f"{name}-password", length=32, special=False, opts=self.under())
        kept = password.result.apply(lambda value: json.dumps({"username": kafka.user, "password": value}))
        # MSK reads secrets of this prefix only, and none under the account's default key
        given = secret(self, f"AmazonMSK_{cloud.name}-{name}", own.arn, kept, protect=guarded(self))
        msk.ScramSecretAssociation(name, cluster_arn=self.cluster.arn, secret_arn_lists=[given.arn], opts=self.under())
        cloud.endpoints[name] = {
            "host": self.cluster.bootstrap_brokers_sasl_scram,
            "port": kafka.port(),
            "secret": given.arn,
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
