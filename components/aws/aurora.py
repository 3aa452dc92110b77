"""Aurora PostgreSQL and MySQL."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_aws import rds

from config.kinds import Aurora as Declared

from .cloud import Cloud, Part
from .keys import guarded, key, log_group
from .stores import group

_LOGS: Mapping[str, tuple[str, ...]] = {"postgresql": ("postgresql",), "mysql": ("audit", "error", "slowquery")}
"""What each engine can write to CloudWatch (Amazon Aurora User Guide, "Publishing … logs to Amazon CloudWatch Logs")."""
_PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "postgresql": {"rds.force_ssl": "1", "log_min_duration_statement": "500", "log_connections": "1"},
    "mysql": {
        "require_secure_transport": "ON",
        "slow_query_log": "1",
        "long_query_time": "0.5",
        "server_audit_logging": "1",
        "server_audit_events": "CONNECT,QUERY_DCL,QUERY_DDL",
    },
}


def family(engine: str, version: str) -> str:
    """The parameter group family: ``aurora-postgresql16``, ``aurora-mysql8.0``."""
    parts = version.split(".")
    return f"aurora-{engine}{parts[0] if engine == 'postgresql' else '.'.join(parts[:2])}"


class Aurora(Part):
    """A writer and readers in different zones; TLS, encryption, backups, a password that AWS keeps and rotates."""

    def __init__(self, name: str, aurora: Declared, cloud: Cloud, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, cloud, opts)
        own = key(self, "data, backups and the master password")
        engine = f"aurora-{aurora.engine}"
        subnets = rds.SubnetGroup(
            name,
            name=self.named(),
            description="data subnets",
            subnet_ids=cloud.network.ids("data"),
            tags=self.tags(),
            opts=self.under(),
        )
        parameters = rds.ClusterParameterGroup(
            name,
            name=self.named(family(aurora.engine, aurora.version).replace(".", "-")),
            family=family(aurora.engine, aurora.version),
            description="TLS only; slow statements are logged",
            parameters=[{"name": n, "value": v} for n, v in _PARAMETERS[aurora.engine].items()],
            tags=self.tags(),
            opts=self.under(),
        )
        access = group(self, aurora.ports())
        logs = [
            log_group(self, f"/aws/rds/cluster/{aurora.identifier}/{kind}", aurora.log_retention, kind)
            for kind in _LOGS[aurora.engine]
        ]
        self.cluster = rds.Cluster(
            name,
            cluster_identifier=aurora.identifier,
            engine=engine,
            engine_version=aurora.version,
            allow_major_version_upgrade=aurora.allow_major_version_upgrade,
            database_name=aurora.database,
            master_username=aurora.user,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=own.arn,
            port=aurora.port(),
            storage_encrypted=True,
            kms_key_id=own.arn,
            iam_database_authentication_enabled=True,
            db_subnet_group_name=subnets.name,
            db_cluster_parameter_group_name=parameters.name,
            vpc_security_group_ids=[access.id],
            availability_zones=list(cloud.account.zones),
            backup_retention_period=aurora.backup_retention.seconds // 86400,
            preferred_backup_window=aurora.backup_window,
            preferred_maintenance_window=aurora.maintenance_window,
            copy_tags_to_snapshot=True,
            deletion_protection=cloud.resolved.environment.protect,
            skip_final_snapshot=aurora.skip_final_snapshot,
            final_snapshot_identifier=f"{aurora.identifier}-final",
            enabled_cloudwatch_logs_exports=list(_LOGS[aurora.engine]),
            tags=self.tags(),
            opts=self.under(*logs, protect=guarded(self)),
        )
        for index in range(aurora.nodes):
            rds.ClusterInstance(
                f"{name}-{index + 1}",
                identifier=f"{aurora.identifier}-{index + 1}",
                cluster_identifier=self.cluster.id,
                engine=rds.EngineType(engine),
                engine_version=aurora.version,
                instance_class=str(aurora.instance),
                availability_zone=cloud.account.zones[index % len(cloud.account.zones)],
                publicly_accessible=False,
                auto_minor_version_upgrade=False,
                performance_insights_enabled=True,
                performance_insights_kms_key_id=own.arn,
                performance_insights_retention_period=aurora.performance_insights_days,
                promotion_tier=index,
                copy_tags_to_snapshot=True,
                tags=self.tags(str(index + 1)),
                opts=self.under(protect=guarded(self)),
            )
        cloud.endpoints[name] = {
            "host": self.cluster.endpoint,
            "port": aurora.port(),
            "reader": self.cluster.reader_endpoint,
            "secret": self.cluster.master_user_secrets.apply(lambda secrets: secrets[0]["secret_arn"]),
        }
        self.register_outputs({"endpoint": self.cluster.endpoint, "readerEndpoint": self.cluster.reader_endpoint})
