"""Data enters an environment only after it was sanitised."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...references import iso
from ...resource import Resource, Unknown
from ...rule import Problem, Rule
from ...stack import Stack

_SOURCES = re.compile(
    r"(dataSource|dataSourceRef|snapshotIdentifier|snapshotName|snapshotArns?|finalSnapshotSource|snapshotHandle)$"
)
_LIVE = re.compile(r"(restoreToPointInTime|replicateSourceDb|replicationSourceIdentifier|sourceDbClusterIdentifier)$")
_CLEAN = re.compile(r"(?<![a-z])saniti[sz]ed(?![a-z])", re.IGNORECASE)


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if stack.declared("resolved", "environment", "name") == stack.declared("production", "environment", "name"):
        return
    if not resource.type.startswith(("kubernetes:", "aws:")):
        return
    if resource.kind == "PersistentVolume":
        yield ("spec",), "it is an existing volume with existing data"
    if resource.get("spec", "volumeName"):
        yield ("spec", "volumeName"), "it binds an existing volume"
    for path, leaf in resource.leaves():
        names = [str(part) for part in path if isinstance(part, str)]
        if any(_LIVE.search(name) for name in names):
            yield path, "it copies a running database"
        elif _is_source(names) and (isinstance(leaf, Unknown) or not _CLEAN.search(str(leaf))):
            yield path, f"{'the source' if isinstance(leaf, Unknown) else leaf} does not say that it was sanitised"


def _is_source(names: list[str]) -> bool:
    """Returns whether a field names a source, or is a source that has a name."""
    return any(_SOURCES.search(name) for name in names) and (names[-1] == "name" or bool(_SOURCES.search(names[-1])))


RULE = Rule(
    id="isolation-sanitised-data",
    description="Outside production a volume or database starts empty, or from a snapshot that its name calls sanitised.",
    severity="critical",
    remediation="Restore from a snapshot of the sanitising job; its names end in -sanitised.",
    check=check,
    references=(iso("A.8.33", "Test information"), iso("A.8.11", "Data masking")),
)
