"""Databases are backed up unless their data can be recreated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...references import fsbp, iso
from ...resource import Resource, at, child
from ...rule import Problem, Rule
from ...stack import ENVIRONMENT, Stack

_DAYS = {
    "aws:rds/cluster:Cluster": "backupRetentionPeriod",
    "aws:docdb/cluster:Cluster": "backupRetentionPeriod",
    "aws:elasticache/replicationGroup:ReplicationGroup": "snapshotRetentionLimit",
}


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.type == ENVIRONMENT:
        if stack.declared("resolved", "environment", "protect") is True:
            for name, path in _backup_fields(stack):
                if at(stack.component(name), *path.split(".")) is None:
                    yield ("resolved", "components", name, path), "nothing backs it up"
    elif field := _DAYS.get(resource.type):
        days = at(resource.props, field)
        if not isinstance(days, int | float) or days < 1:
            yield (field,), "nothing backs it up"


def _backup_fields(stack: Stack) -> Iterator[tuple[str, str]]:
    """Yields components that need a backup, each with the path of the field that declares it."""
    statements = stack.declared("statements")
    for name in statements if isinstance(statements, Mapping) else ():
        field = child(child(statements, name), "backup")
        if field is not None:
            yield name, str(field)


RULE = Rule(
    id="data-backups",
    description="In a protected environment every database declares a backup; managed ones keep theirs.",
    severity="high",
    remediation="Add 'backup:' to the database.",
    check=check,
    references=(
        iso("A.8.13", "Information backup"),
        fsbp("RDS.11", "RDS instances should have automatic backups enabled"),
        fsbp("DocumentDB.2", "Amazon DocumentDB clusters should have an adequate backup retention period"),
        fsbp("ElastiCache.1", "ElastiCache (Redis OSS) clusters should have automatic backups enabled"),
    ),
)
