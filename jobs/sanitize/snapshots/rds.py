"""Refreshes by snapshots of Amazon RDS: one account masks production's, staging restores what that account shares.

Nothing is masked in place, because a changed row's old version stays in its page, and so in every snapshot. Each step
looks for existing resources, by names made from the production snapshot's time, so that a run that was killed can be
continued.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.conninfo import make_conninfo
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from config.errors import ExternalError
from jobs.sanitize.connection import connect, translated_errors
from jobs.sanitize.dialect import literal, quoted

READER = "understudy_reader"
PREFIX = "prod-sanitized"
KEEP = 4
"""Number of sanitised snapshots; older ones are deleted after a new one is shared."""
PATIENCE = 4 * 3600
"""Time limit in seconds for one step of RDS: restoring a large cluster takes hours."""


@dataclass(frozen=True)
class Settings:
    """Settings of refreshes in the sanitising account."""

    snapshots: str
    """Name prefix of production's shared snapshots."""
    engine: str
    """The engine, such as ``aurora-postgresql``."""
    instance_class: str
    subnet_group: str
    security_groups: tuple[str, ...]
    key: str
    """The KMS key of all resources here; its policy lets the staging account use it."""
    share_with: tuple[str, ...]
    """Accounts that may restore the sanitised snapshots."""
    temporary: str = "sanitize-"
    """Name prefix of temporary clusters."""
    wait: float = 30
    """Seconds between two requests."""


@dataclass(frozen=True)
class Endpoint:
    """The endpoint of a cluster."""

    identifier: str
    host: str
    port: int
    user: str
    password: str


Masked = Callable[[Endpoint, Endpoint, datetime], None]
"""Copies masked from the first to the second; the time is that of the data."""


def newest(rds: Any, prefix: str, kind: str) -> dict[str, Any]:
    """Returns the newest available snapshot of a cluster with this name prefix; ``kind`` is RDS' ``manual`` or ``shared``."""
    snapshots = [
        snapshot
        for page in rds.get_paginator("describe_db_cluster_snapshots").paginate(
            SnapshotType=kind, IncludeShared=kind == "shared"
        )
        for snapshot in page["DBClusterSnapshots"]
        if _name(snapshot).startswith(prefix) and snapshot["Status"] == "available"
    ]
    if not snapshots:
        raise ExternalError(f"no {kind} snapshot whose name begins with {prefix!r} is available")
    return max(snapshots, key=lambda snapshot: snapshot["SnapshotCreateTime"])


def _name(snapshot: dict[str, Any]) -> str:
    """Returns the name of a snapshot; a shared snapshot's identifier is its ARN."""
    return str(snapshot["DBClusterSnapshotIdentifier"]).rpartition(":")[2]


def sanitise(
    rds: Any,
    settings: Settings,
    masked: Masked,
    kind: str = "shared",
    report_progress: Callable[[str], None] = lambda _: None,
) -> str:
    """Restores production's newest snapshot, copies it masked into a new cluster, snapshots and shares that.

    Returns its name.
    """
    production = newest(rds, settings.snapshots, kind)
    at: datetime = production["SnapshotCreateTime"]
    stamp = f"{at:%Y%m%d%H%M}"
    name = f"{PREFIX}-{stamp}"
    if not _available(rds, name):
        report_progress("restoring production's snapshot")
        own = _copied(rds, settings, production, f"sanitize-in-{stamp}")
        source = _restored(rds, settings, own, f"{settings.temporary}source-{stamp}", production)
        target = _fresh(rds, settings, f"{settings.temporary}target-{stamp}", production)
        report_progress("copying masked")
        masked(_opened(rds, settings, source), _opened(rds, settings, target), at)
        report_progress("taking the sanitised snapshot")
        rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=target)
        _wait(settings, lambda: _available(rds, name), name)
    rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=list(settings.share_with)
    )
    report_progress("removing what was temporary")
    for cluster in (f"{settings.temporary}source-{stamp}", f"{settings.temporary}target-{stamp}"):
        _removed(rds, cluster)
    if _snapshot(rds, f"sanitize-in-{stamp}"):
        rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=f"sanitize-in-{stamp}")
    for old in _sanitised(rds)[:-KEEP]:
        rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=old)
    return name


def restore(
    rds: Any,
    settings: Settings,
    copied: Callable[[Endpoint, datetime], None],
    kind: str = "shared",
    report_progress: Callable[[str], None] = lambda _: None,
) -> str:
    """Restores the newest shared snapshot beside staging, copies from it, and removes it; returns its name.

    The copy of the snapshot has the same name, because staging's role may copy only to that.
    """
    shared = newest(rds, settings.snapshots, kind)
    at: datetime = shared["SnapshotCreateTime"]
    report_progress("restoring the sanitised snapshot")
    own = _copied(rds, settings, shared, _name(shared))
    cluster = _restored(rds, settings, own, f"{settings.temporary}{at:%Y%m%d%H%M}", shared)
    report_progress("copying")
    copied(_opened(rds, settings, cluster), at)
    report_progress("removing what was temporary")
    _removed(rds, cluster)
    if kind == "shared":
        rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=own)
    return _name(shared)


def beside(rds: Any, target: str, snapshots: str, temporary: str, subnet_group: str, key: str) -> Settings:
    """Returns staging's settings: the temporary cluster is in ``target``'s network, on a machine of its size."""
    cluster = _cluster(rds, target)
    if cluster is None:
        raise ExternalError(f"there is no cluster {target!r} here")
    instances = rds.describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": [target]}])["DBInstances"]
    return Settings(
        snapshots=snapshots,
        engine=cluster["Engine"],
        instance_class=instances[0]["DBInstanceClass"] if instances else "db.r6g.large",
        subnet_group=subnet_group,
        security_groups=tuple(group["VpcSecurityGroupId"] for group in cluster.get("VpcSecurityGroups", ())),
        key=key,
        share_with=(),
        temporary=temporary,
    )


def reader(endpoint: Endpoint, database: str, schema: str) -> str:
    """Creates a read-only role in a restored temporary cluster; returns its connection string."""
    password = secrets.token_urlsafe(24)
    master = make_conninfo(
        "", host=endpoint.host, port=endpoint.port, user=endpoint.user, password=endpoint.password, dbname=database
    )
    with connect(master, "source") as connection, translated_errors("making a role that reads"):
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [READER]).fetchone() is None:
            connection.execute(f"CREATE ROLE {READER} LOGIN")
        connection.execute(f"ALTER ROLE {READER} PASSWORD {literal(password)}".encode())
        for grant in (
            "USAGE ON SCHEMA {}",
            "SELECT ON ALL TABLES IN SCHEMA {}",
            "SELECT ON ALL SEQUENCES IN SCHEMA {}",
        ):
            connection.execute(f"GRANT {grant.format(quoted(schema))} TO {READER}".encode())
    return make_conninfo("", host=endpoint.host, port=endpoint.port, user=READER, password=password, dbname=database)


def _snapshot(rds: Any, name: str) -> dict[str, Any] | None:
    try:
        return rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)["DBClusterSnapshots"][0]  # type: ignore[no-any-return]  # boto3 has no types
    except rds.exceptions.DBClusterSnapshotNotFoundFault:
        return None


def _available(rds: Any, name: str) -> bool:
    snapshot = _snapshot(rds, name)
    return snapshot is not None and snapshot["Status"] == "available"


def _cluster(rds: Any, name: str) -> dict[str, Any] | None:
    try:
        return rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]  # type: ignore[no-any-return]  # boto3 has no types
    except rds.exceptions.DBClusterNotFoundFault:
        return None


def _sanitised(rds: Any) -> list[str]:
    """Returns the sanitised snapshots, oldest first: their names end in their times."""
    return sorted(
        _name(snapshot)
        for page in rds.get_paginator("describe_db_cluster_snapshots").paginate(SnapshotType="manual")
        for snapshot in page["DBClusterSnapshots"]
        if _name(snapshot).startswith(f"{PREFIX}-")
    )


def _copied(rds: Any, settings: Settings, snapshot: dict[str, Any], name: str) -> str:
    """Copies a snapshot with the account's own key, because a shared one may be withdrawn during the restoration."""
    if _snapshot(rds, name) is None:
        rds.copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier=snapshot["DBClusterSnapshotArn"],
            TargetDBClusterSnapshotIdentifier=name,
            KmsKeyId=settings.key,
        )
    _wait(settings, lambda: _available(rds, name), name)
    return name


def _restored(rds: Any, settings: Settings, snapshot: str, name: str, like: dict[str, Any]) -> str:
    if _cluster(rds, name) is None:
        rds.restore_db_cluster_from_snapshot(
            DBClusterIdentifier=name,
            SnapshotIdentifier=snapshot,
            Engine=settings.engine,
            EngineVersion=like["EngineVersion"],
            DBSubnetGroupName=settings.subnet_group,
            VpcSecurityGroupIds=list(settings.security_groups),
            KmsKeyId=settings.key,
            DeletionProtection=False,
        )
    return _with_instance(rds, settings, name)


def _fresh(rds: Any, settings: Settings, name: str, like: dict[str, Any]) -> str:
    """Creates a cluster that never contained a row of production; returns its endpoint's name.

    Its snapshots then contain no old version of such a row.
    """
    if _cluster(rds, name) is None:
        rds.create_db_cluster(
            DBClusterIdentifier=name,
            Engine=settings.engine,
            EngineVersion=like["EngineVersion"],
            DatabaseName=like.get("DatabaseName") or "postgres",
            MasterUsername=like["MasterUsername"],
            MasterUserPassword=secrets.token_urlsafe(24),
            DBSubnetGroupName=settings.subnet_group,
            VpcSecurityGroupIds=list(settings.security_groups),
            StorageEncrypted=True,
            KmsKeyId=settings.key,
            DeletionProtection=False,
        )
    return _with_instance(rds, settings, name)


def _with_instance(rds: Any, settings: Settings, cluster: str) -> str:
    def status() -> str:
        description = _cluster(rds, cluster)
        return str(description["Status"]) if description else ""

    _wait(settings, lambda: status() == "available", cluster)
    instances = rds.describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": [cluster]}])["DBInstances"]
    if not instances:
        rds.create_db_instance(
            DBInstanceIdentifier=f"{cluster}-1",
            DBClusterIdentifier=cluster,
            Engine=settings.engine,
            DBInstanceClass=settings.instance_class,
            PubliclyAccessible=False,
        )
    _wait(settings, lambda: _instance(rds, f"{cluster}-1") == "available", f"{cluster}-1")
    return cluster


def _instance(rds: Any, name: str) -> str:
    return str(rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceStatus"])


def _opened(rds: Any, settings: Settings, name: str) -> Endpoint:
    """Sets a random password: a restored cluster has production's, and a resumed run does not know the earlier one."""
    password = secrets.token_urlsafe(24)
    rds.modify_db_cluster(DBClusterIdentifier=name, MasterUserPassword=password, ApplyImmediately=True)

    def ready() -> bool:
        description = _cluster(rds, name)
        return description is not None and description["Status"] == "available"

    _wait(settings, ready, name)
    description = _cluster(rds, name)
    assert description is not None, "it was just there"
    return Endpoint(name, description["Endpoint"], int(description["Port"]), description["MasterUsername"], password)


def _removed(rds: Any, cluster: str) -> None:
    if _cluster(rds, cluster) is None:
        return
    for instance in rds.describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": [cluster]}])["DBInstances"]:
        rds.delete_db_instance(DBInstanceIdentifier=instance["DBInstanceIdentifier"], SkipFinalSnapshot=True)
    rds.delete_db_cluster(DBClusterIdentifier=cluster, SkipFinalSnapshot=True)


def _wait(settings: Settings, done: Callable[[], bool], what: str) -> None:
    tries = Retrying(
        retry=retry_if_result(lambda result: not result),
        wait=wait_fixed(settings.wait),
        stop=stop_after_delay(PATIENCE),
        retry_error_callback=lambda _: False,
    )
    if not tries(done):
        raise ExternalError(f"{what} was not available after {PATIENCE // 3600} hours; run again to go on")
