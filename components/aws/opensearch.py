"""OpenSearch."""

from __future__ import annotations

import json

import pulumi
import pulumi_random as random
from pulumi_aws import cloudwatch, opensearch

from config.kinds import OpenSearch as Declared

from .context import AwsContext, PlatformComponent, policy_document, policy_text
from .keys import encryption_key, log_group, protected
from .stores import Placement, secret, security_group

_LOGS = ("ES_APPLICATION_LOGS", "SEARCH_SLOW_LOGS", "INDEX_SLOW_LOGS", "AUDIT_LOGS")


class OpenSearch(PlatformComponent):
    """Creates a domain with a node in each zone, inside the network.

    With TLS 1.2, encryption and users (fine-grained access).
    """

    def __init__(
        self,
        name: str,
        search: Declared,
        context: AwsContext,
        placement: Placement,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, context, opts)
        own = encryption_key(self, "data, and the master password")
        access = security_group(self, search.ports(), placement)
        password = random.RandomPassword(f"{name}-password", length=32, min_special=1, opts=self.child_options())
        account = context.account
        arn = f"arn:aws:es:{account.region}:{account.id}:domain/{search.identifier}"
        logs = {
            kind: log_group(
                self,
                f"/aws/OpenSearchService/domains/{search.identifier}/{kind.lower()}",
                search.log_retention,
                kind.lower().replace("_", "-"),
            )
            for kind in _LOGS
        }
        writers = cloudwatch.LogResourcePolicy(
            name,
            policy_name=self.name_in_account(),
            policy_document=policy_text(
                policy_document(
                    {
                        "Principal": {"Service": "es.amazonaws.com"},
                        "Action": ["logs:PutLogEvents", "logs:CreateLogStream"],
                        "Resource": [log.arn.apply(lambda arn: f"{arn}:*") for log in logs.values()],
                        "Condition": {"StringEquals": {"aws:SourceAccount": account.id}},
                    }
                )
            ),
            opts=self.child_options(),
        )
        self.domain = opensearch.Domain(
            name,
            domain_name=search.identifier,
            engine_version=search.version,
            cluster_config={
                "instance_type": str(search.instance),
                "instance_count": search.nodes,
                "zone_awareness_enabled": True,
                "zone_awareness_config": {"availability_zone_count": min(search.nodes, len(account.zones))},
            },
            ebs_options={"ebs_enabled": True, "volume_type": "gp3", "volume_size": int(search.storage.value / 2**30)},
            vpc_options={
                "subnet_ids": list(placement.subnets)[: search.nodes],
                "security_group_ids": [access.id],
            },
            encrypt_at_rest={"enabled": True, "kms_key_id": own.key_id},
            node_to_node_encryption={"enabled": True},
            domain_endpoint_options={
                "enforce_https": True,
                "tls_security_policy": "Policy-Min-TLS-1-2-PFS-2023-10",
            },
            advanced_security_options={
                "enabled": True,
                "internal_user_database_enabled": True,
                "master_user_options": {"master_user_name": search.user, "master_user_password": password.result},
            },
            # the network limits who can connect; the domain's own users decide what a client may do
            access_policies=policy_text(
                policy_document({"Principal": {"AWS": "*"}, "Action": ["es:ESHttp*"], "Resource": [f"{arn}/*"]})
            ),
            log_publishing_options=[
                {"log_type": kind, "cloudwatch_log_group_arn": log.arn} for kind, log in logs.items()
            ],
            software_update_options={"auto_software_update_enabled": False},
            tags=self.tags(),
            opts=self.child_options(writers, protect=protected(self)),
        )
        kept = password.result.apply(lambda value: json.dumps({"username": search.user, "password": value}))
        credentials = secret(self, f"{context.name}/{name}", own.arn, kept, protect=protected(self))
        self.endpoint = {"host": self.domain.endpoint, "port": search.port(), "secret": credentials.arn}
        self.register_outputs({"endpoint": self.domain.endpoint, "dashboards": self.domain.dashboard_endpoint})
