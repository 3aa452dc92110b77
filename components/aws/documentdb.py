"""DocumentDB: MongoDB's protocol."""

from __future__ import annotations

import pulumi
from pulumi_aws import docdb

from config.kinds import DocumentDB as Declared

from .cloud import Cloud, Part
from .databases import AUTHORITY, cluster, member, parts
from .keys import guarded
from .stores import subnet_group

_LOGS = ("audit", "profiler")


class DocumentDB(Part):
    """A cluster with a member in each zone; TLS, encryption, backups, a password that AWS keeps and rotates."""

    def __init__(self, name: str, database: Declared, cloud: Cloud, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, cloud, opts)
        family = f"docdb{'.'.join(database.version.split('.')[:2])}"
        found = parts(self, database, "/aws/docdb", _LOGS)
        subnets = docdb.SubnetGroup(name, **subnet_group(self))
        parameters = docdb.ClusterParameterGroup(
            name,
            name=self.named(family.replace(".", "-")),
            family=family,
            description="TLS only; who did what is logged",
            parameters=[
                {"name": "tls", "value": "enabled"},
                {"name": "audit_logs", "value": "ddl"},
                {"name": "profiler", "value": "enabled"},
            ],
            tags=self.tags(),
            opts=self.under(),
        )
        self.cluster = docdb.Cluster(
            name,
            engine="docdb",
            db_subnet_group_name=subnets.name,
            db_cluster_parameter_group_name=parameters.name,
            enabled_cloudwatch_logs_exports=list(_LOGS),
            opts=self.under(*found.logs, protect=guarded(self)),
            **cluster(self, database, found),
        )
        for index in range(database.nodes):
            docdb.ClusterInstance(
                f"{name}-{index + 1}",
                enable_performance_insights=True,
                opts=self.under(protect=guarded(self)),
                **member(self, database, index, self.cluster.id, found.key),
            )
        cloud.endpoints[name] = {
            "host": self.cluster.endpoint,
            "port": database.port(),
            "reader": self.cluster.reader_endpoint,
            "authority": AUTHORITY,
            "secret": self.cluster.master_user_secrets.apply(lambda secrets: secrets[0]["secret_arn"]),
        }
        self.register_outputs({"endpoint": self.cluster.endpoint, "readerEndpoint": self.cluster.reader_endpoint})
