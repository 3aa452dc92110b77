"""Databases are backed up where they hold what cannot be made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...references import fsbp, iso
from ...resource import Resource, at, child
from ...rule import Problem, Rule
from ...stack import ENVIRONMENT, Stack

_DATABASES = ("cockroachdb", "postgresql")


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.type == ENVIRONMENT:
        components = stack.declared("resolved", "components")
        protected = stack.declared("resolved", "environment", "protect") is True
        for name in components if isinstance(components, Mapping) and protected else ():
            component = child(components, name)
            unmanaged = child(component, "existing") is not None
            if child(component, "kind") in _DATABASES and not unmanaged and child(component, "backup") is None:
                yield ("resolved", "components", name, "backup"), "nothing backs it up"
    elif resource.type in ("aws:rds/cluster:Cluster", "aws:docdb/cluster:Cluster"):
        days = at(resource.props, "backupRetentionPeriod")
        if not isinstance(days, int | float) or days < 1:
            yield ("backupRetentionPeriod",), "nothing backs it up"


RULE = Rule(
    id="data-backups",
    description="In a protected environment every database declares a backup; managed ones keep theirs.",
    severity="high",
    remediation="Add 'backup:' to the database.",
    check=check,
    references=(
        iso("A.8.13", "Information backup"),
        fsbp("RDS.11", "RDS instances should have automatic backups enabled"),
    ),
)
