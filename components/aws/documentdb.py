"""DocumentDB: MongoDB's protocol."""

from __future__ import annotations

import pulumi
from pulumi_aws import docdb

from config.kinds import DocumentDB as Declared

from .context import AwsContext, PlatformComponent
from .databases import AUTHORITY, cluster, database_parts, member
from .keys import protected
from .stores import Placement, subnet_group

_LOGS = ("audit", "profiler")


class DocumentDB(PlatformComponent):
    """Creates a cluster with a member in each zone.

    With TLS, encryption, backups and a password that AWS stores and rotates.
    """

    def __init__(
        self,
        name: str,
        database: Declared,
        context: AwsContext,
        placement: Placement,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, context, opts)
        family = f"docdb{'.'.join(database.version.split('.')[:2])}"
        parts = database_parts(self, database, placement, "/aws/docdb", _LOGS)
        subnets = docdb.SubnetGroup(name, **subnet_group(self, placement))
        parameters = docdb.ClusterParameterGroup(
            name,
            name=self.name_in_account(family.replace(".", "-")),
            family=family,
            description="TLS only; who did what is logged",
            parameters=[
                {"name": "tls", "value": "enabled"},
                {"name": "audit_logs", "value": "ddl"},
                {"name": "profiler", "value": "enabled"},
            ],
            tags=self.tags(),
            opts=self.child_options(),
        )
        self.cluster = docdb.Cluster(
            name,
            engine="docdb",
            db_subnet_group_name=subnets.name,
            db_cluster_parameter_group_name=parameters.name,
            enabled_cloudwatch_logs_exports=list(_LOGS),
            opts=self.child_options(*parts.logs, protect=protected(self)),
            **cluster(self, database, parts),
        )
        for index in range(database.nodes):
            docdb.ClusterInstance(
                f"{name}-{index + 1}",
                enable_performance_insights=True,
                opts=self.child_options(protect=protected(self)),
                **member(self, database, index, self.cluster.id, parts.key),
            )
        self.key_arn = parts.key.arn
        self.endpoint = {
            "host": self.cluster.endpoint,
            "port": database.port(),
            "reader": self.cluster.reader_endpoint,
            "authority": AUTHORITY,
            "secret": self.cluster.master_user_secrets.apply(lambda secrets: secrets[0]["secret_arn"]),
        }
        self.register_outputs({"endpoint": self.cluster.endpoint, "readerEndpoint": self.cluster.reader_endpoint})
