"""DocumentDB: MongoDB's protocol."""

from __future__ import annotations

import pulumi
from pulumi_aws import docdb

from config.kinds import DocumentDB as Declared

from .cloud import Cloud, Part
from .keys import guarded, key, log_group
from .stores import group

_LOGS = ("audit", "profiler")


class DocumentDB(Part):
    """A cluster with a member in each zone; TLS, encryption, backups, a password that AWS keeps and rotates."""

    def __init__(self, name: str, database: Declared, cloud: Cloud, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, cloud, opts)
        own = key(self, "data, backups and the master password")
        family = f"docdb{'.'.join(database.version.split('.')[:2])}"
        subnets = docdb.SubnetGroup(
            name,
            name=self.named(),
            description="data subnets",
            subnet_ids=cloud.network.ids("data"),
            tags=self.tags(),
            opts=self.under(),
        )
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
        access = group(self, database.ports())
        logs = [
            log_group(self, f"/aws/docdb/{database.identifier}/{kind}", database.log_retention, kind) for kind in _LOGS
        ]
        self.cluster = docdb.Cluster(
            name,
            cluster_identifier=database.identifier,
            engine="docdb",
            engine_version=database.version,
            allow_major_version_upgrade=database.allow_major_version_upgrade,
            master_username=database.user,
            manage_master_user_password=True,
            port=database.port(),
            storage_encrypted=True,
            kms_key_id=own.arn,
            db_subnet_group_name=subnets.name,
            db_cluster_parameter_group_name=parameters.name,
            vpc_security_group_ids=[access.id],
            availability_zones=list(cloud.account.zones),
            backup_retention_period=database.backup_retention.seconds // 86400,
            preferred_backup_window=database.backup_window,
            preferred_maintenance_window=database.maintenance_window,
            deletion_protection=cloud.resolved.environment.protect,
            skip_final_snapshot=database.skip_final_snapshot,
            final_snapshot_identifier=f"{database.identifier}-final",
            enabled_cloudwatch_logs_exports=list(_LOGS),
            tags=self.tags(),
            opts=self.under(*logs, protect=guarded(self)),
        )
        for index in range(database.nodes):
            docdb.ClusterInstance(
                f"{name}-{index + 1}",
                identifier=f"{database.identifier}-{index + 1}",
                cluster_identifier=self.cluster.id,
                instance_class=str(database.instance),
                availability_zone=cloud.account.zones[index % len(cloud.account.zones)],
                auto_minor_version_upgrade=False,
                enable_performance_insights=True,
                performance_insights_kms_key_id=own.arn,
                promotion_tier=index,
                copy_tags_to_snapshot=True,
                tags=self.tags(str(index + 1)),
                opts=self.under(protect=guarded(self)),
            )
        cloud.endpoints[name] = {
            "host": self.cluster.endpoint,
            "port": database.port(),
            "reader": self.cluster.reader_endpoint,
        }
        self.register_outputs({"endpoint": self.cluster.endpoint, "readerEndpoint": self.cluster.reader_endpoint})
