"""Aurora PostgreSQL and MySQL."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_aws import rds

from config.kinds import Aurora as Declared

from .context import AwsContext, PlatformComponent
from .databases import AUTHORITY, cluster, database_parts, member
from .keys import protected
from .stores import Placement, subnet_group

_LOGS: Mapping[str, tuple[str, ...]] = {"postgresql": ("postgresql",), "mysql": ("audit", "error", "slowquery")}
"""Log types that each engine can publish (Amazon Aurora User Guide, "Publishing … logs to Amazon CloudWatch Logs")."""
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
    numbers = version.split(".")
    return f"aurora-{engine}{numbers[0] if engine == 'postgresql' else '.'.join(numbers[:2])}"


class Aurora(PlatformComponent):
    """Creates a writer and readers in different zones.

    With TLS, encryption, backups and a password that AWS stores and rotates.
    """

    def __init__(
        self,
        name: str,
        aurora: Declared,
        context: AwsContext,
        placement: Placement,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, context, opts)
        engine, group = f"aurora-{aurora.engine}", family(aurora.engine, aurora.version)
        parts = database_parts(self, aurora, placement, "/aws/rds/cluster", _LOGS[aurora.engine])
        subnets = rds.SubnetGroup(name, **subnet_group(self, placement))
        parameters = rds.ClusterParameterGroup(
            name,
            name=self.name_in_account(group.replace(".", "-")),
            family=group,
            description="TLS only; slow statements are logged",
            parameters=[{"name": n, "value": v} for n, v in _PARAMETERS[aurora.engine].items()],
            tags=self.tags(),
            opts=self.child_options(),
        )
        self.cluster = rds.Cluster(
            name,
            engine=engine,
            database_name=aurora.database,
            master_user_secret_kms_key_id=parts.key.arn,
            iam_database_authentication_enabled=True,
            db_subnet_group_name=subnets.name,
            db_cluster_parameter_group_name=parameters.name,
            copy_tags_to_snapshot=True,
            enabled_cloudwatch_logs_exports=list(_LOGS[aurora.engine]),
            opts=self.child_options(*parts.logs, protect=protected(self)),
            **cluster(self, aurora, parts),
        )
        for index in range(aurora.nodes):
            rds.ClusterInstance(
                f"{name}-{index + 1}",
                engine=rds.EngineType(engine),
                engine_version=aurora.version,
                publicly_accessible=False,
                performance_insights_enabled=True,
                performance_insights_retention_period=aurora.performance_insights_days,
                opts=self.child_options(protect=protected(self)),
                **member(self, aurora, index, self.cluster.id, parts.key),
            )
        self.key_arn = parts.key.arn
        self.endpoint = {
            "host": self.cluster.endpoint,
            "port": aurora.port(),
            "reader": self.cluster.reader_endpoint,
            "authority": AUTHORITY,
            "secret": self.cluster.master_user_secrets.apply(lambda secrets: secrets[0]["secret_arn"]),
        }
        self.register_outputs({"endpoint": self.cluster.endpoint, "readerEndpoint": self.cluster.reader_endpoint})
