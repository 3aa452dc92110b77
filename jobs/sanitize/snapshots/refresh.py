"""Both halves of a refresh by snapshots, and the copy between their clusters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from psycopg.conninfo import make_conninfo

from jobs.sanitize import guards
from jobs.sanitize.connection import connect
from jobs.sanitize.refresh import refresh
from jobs.sanitize.request import RefreshRequest

from . import rds as snapshots

Variables = Callable[[str], str]
"""Returns a variable's value by its name."""


def snapshot(
    request: RefreshRequest,
    variables: Variables,
    report_progress: Callable[[str], None],
    rds: Any = None,
    kind: str = "shared",
) -> str:
    """Runs production's half, in the sanitising account; returns the name of the snapshot that was shared."""
    settings = snapshots.Settings(
        snapshots=variables("SNAPSHOT_PREFIX"),
        engine=variables("ENGINE"),
        instance_class=variables("INSTANCE_CLASS"),
        subnet_group=variables("RESTORE_SUBNET_GROUP"),
        security_groups=tuple(variables("SECURITY_GROUPS").split(",")),
        key=variables("SNAPSHOT_KEY"),
        share_with=tuple(variables("SHARE_WITH").split(",")),
    )
    name = variables("DATABASE_NAME")

    def masked(source: snapshots.Endpoint, target: snapshots.Endpoint, at: datetime) -> None:
        to = make_conninfo(
            "", host=target.host, port=target.port, user=target.user, password=target.password, dbname=name
        )
        with connect(to, "target") as connection:
            guards.mark(to, connection, request.contract, request.database, "sanitised")
        from_ = snapshots.reader(source, name, request.contract.databases[request.database].schema_)
        refresh(replace(request, source=from_, target=to, as_of=at), lambda phase, _: report_progress(phase))

    return snapshots.sanitise(rds or _client(variables), settings, masked, kind, report_progress)


def restore(
    request: RefreshRequest,
    variables: Variables,
    report_progress: Callable[[str], None],
    rds: Any = None,
    kind: str = "shared",
) -> dict[str, Any]:
    """Runs staging's half; returns the receipt."""
    client = rds or _client(variables)
    settings = snapshots.beside(
        client,
        variables("TARGET_CLUSTER"),
        variables("SNAPSHOT_PREFIX"),
        variables("TEMPORARY_CLUSTER"),
        variables("RESTORE_SUBNET_GROUP"),
        variables("RESTORE_KEY"),
    )
    name = variables("DATABASE_NAME")
    done: list[dict[str, Any]] = []

    def copied(source: snapshots.Endpoint, at: datetime) -> None:
        from_ = snapshots.reader(source, name, request.contract.databases[request.database].schema_)
        done.append(refresh(replace(request, source=from_, as_of=at), lambda phase, _: report_progress(phase)))

    snapshots.restore(client, settings, copied, kind, report_progress)
    return done[0]


def _client(variables: Variables) -> Any:
    import boto3

    return boto3.client("rds", variables("AWS_REGION"))
