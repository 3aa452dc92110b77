"""Resources that are the same for RDS and DocumentDB, which share one API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import cloudwatch, ec2, kms

from config.kinds.aws import Database

from .context import PlatformComponent
from .keys import encryption_key, log_group
from .stores import Placement, security_group

AUTHORITY = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
"""The certificate authority of both services (Amazon RDS User Guide, "Using SSL/TLS to encrypt a connection")."""


@dataclass(frozen=True)
class DatabaseParts:
    """The key, security group and log groups of one database."""

    key: kms.Key
    access: ec2.SecurityGroup
    logs: Sequence[cloudwatch.LogGroup]


def database_parts(
    component: PlatformComponent, database: Database, placement: Placement, folder: str, logs: Sequence[str]
) -> DatabaseParts:
    """Creates them; ``folder`` is the path of AWS' log groups for these kinds, such as ``/aws/docdb``."""
    return DatabaseParts(
        encryption_key(component, "data, backups and the master password"),
        security_group(component, database.ports(), placement),
        [log_group(component, f"{folder}/{database.identifier}/{kind}", database.log_retention, kind) for kind in logs],
    )


def cluster(component: PlatformComponent, database: Database, parts: DatabaseParts) -> dict[str, Any]:
    """Returns arguments of the cluster: encrypted, backed up, with a master password that AWS stores and rotates."""
    return {
        "cluster_identifier": database.identifier,
        "engine_version": database.version,
        "allow_major_version_upgrade": database.allow_major_version_upgrade,
        "master_username": database.user,
        "manage_master_user_password": True,
        "port": database.port(),
        "storage_encrypted": True,
        "kms_key_id": parts.key.arn,
        "vpc_security_group_ids": [parts.access.id],
        "availability_zones": list(component.context.account.zones),
        "backup_retention_period": database.backup_retention.seconds // 86400,
        "preferred_backup_window": database.backup_window,
        "preferred_maintenance_window": database.maintenance_window,
        "deletion_protection": component.context.resolved.environment.protect,
        "skip_final_snapshot": database.skip_final_snapshot,
        "final_snapshot_identifier": f"{database.identifier}-final",
        "tags": component.tags(),
    }


def member(
    component: PlatformComponent, database: Database, index: int, cluster_id: pulumi.Output[str], own: kms.Key
) -> dict[str, Any]:
    """Returns arguments of a member: the first is the writer, each of the others is in the next zone."""
    zones = component.context.account.zones
    return {
        "identifier": f"{database.identifier}-{index + 1}",
        "cluster_identifier": cluster_id,
        "instance_class": str(database.instance),
        "availability_zone": zones[index % len(zones)],
        "auto_minor_version_upgrade": False,
        "performance_insights_kms_key_id": own.arn,
        "promotion_tier": index,
        "copy_tags_to_snapshot": True,
        "tags": component.tags(str(index + 1)),
    }
