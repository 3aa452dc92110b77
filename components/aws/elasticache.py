"""ElastiCache for Redis in cluster mode."""

from __future__ import annotations

import json

import pulumi
import pulumi_random as random
from pulumi_aws import elasticache

from config.kinds import ElastiCache as Declared

from .context import AwsContext, PlatformComponent
from .keys import encryption_key, log_group, protected
from .stores import Placement, secret, security_group, subnet_group


class ElastiCache(PlatformComponent):
    """Creates shards of one primary and replicas in other zones, with TLS, encryption and a password."""

    def __init__(
        self,
        name: str,
        cache: Declared,
        context: AwsContext,
        placement: Placement,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, context, opts)
        own = encryption_key(self, "data, snapshots and the password")
        subnets = elasticache.SubnetGroup(name, **subnet_group(self, placement))
        major = cache.version.split(".")[0]
        parameters = elasticache.ParameterGroup(
            name,
            name=self.name_in_account(f"redis{major}"),
            family=f"redis{major}",
            description="cluster mode",
            parameters=[{"name": "cluster-enabled", "value": "yes"}],
            tags=self.tags(),
            opts=self.child_options(),
        )
        access = security_group(self, cache.ports(), placement)
        password = random.RandomPassword(f"{name}-password", length=64, special=False, opts=self.child_options())
        log = log_group(self, f"/understudy/{context.name}/{name}/slow", cache.log_retention, "slow")
        self.group = elasticache.ReplicationGroup(
            name,
            replication_group_id=cache.identifier,
            description=f"{cache.shards} shard(s) of {cache.nodes} nodes",
            engine="redis",
            engine_version=cache.version,
            node_type=str(cache.instance),
            num_node_groups=cache.shards,
            replicas_per_node_group=cache.nodes - 1,
            automatic_failover_enabled=True,
            multi_az_enabled=True,
            at_rest_encryption_enabled=True,
            kms_key_id=own.arn,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            auth_token=password.result,
            auth_token_update_strategy="ROTATE",  # noqa: S106 - the new one and the one before are both taken
            port=cache.port(),
            parameter_group_name=parameters.name,
            subnet_group_name=subnets.name,
            security_group_ids=[access.id],
            snapshot_retention_limit=cache.snapshot_retention.seconds // 86400,
            auto_minor_version_upgrade=False,
            log_delivery_configurations=[
                {
                    "destination": log.name,
                    "destination_type": "cloudwatch-logs",
                    "log_format": "json",
                    "log_type": "slow-log",
                }
            ],
            tags=self.tags(),
            opts=self.child_options(protect=protected(self)),
        )
        kept = password.result.apply(lambda value: json.dumps({"username": "default", "password": value}))
        credentials = secret(self, f"{context.name}/{name}", own.arn, kept, protect=protected(self))
        self.endpoint = {
            "host": self.group.configuration_endpoint_address,
            "port": cache.port(),
            "secret": credentials.arn,
        }
        self.register_outputs({"endpoint": self.group.configuration_endpoint_address})
