"""Stores speak TLS, and what AWS keeps is encrypted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...pods import containers, is_workload
from ...references import fsbp, iso
from ...resource import Path, Resource, child, items
from ...rule import Problem, Rule
from ...stack import Stack

_PLAIN = re.compile(r"(?<!\S)--insecure\b|sslmode=(disable|allow|prefer)\b|^\s*ssl\s*=\s*off", re.MULTILINE)
_SOCKET = re.compile(r"[?&\s]host=/")
"""A socket of the pod itself needs no TLS."""
_AT_REST = {
    "aws:rds/cluster:Cluster": "storageEncrypted",
    "aws:rds/instance:Instance": "storageEncrypted",
    "aws:docdb/cluster:Cluster": "storageEncrypted",
    "aws:elasticache/replicationGroup:ReplicationGroup": "atRestEncryptionEnabled",
    "aws:ebs/volume:Volume": "encrypted",
}


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if field := _AT_REST.get(resource.type):
        if resource.get(field) is not True:
            yield (field,), "it is not encrypted at rest"
    elif resource.type == "kubernetes:core/v1:ConfigMap":
        for path, leaf in resource.leaves():
            if path[0] == "data" and isinstance(leaf, str) and (found := _PLAIN.search(leaf)):
                yield path, f"{found[0].strip()!r} speaks without TLS"
    elif is_workload(resource):
        for path, container in containers(resource):
            yield from _container(path, container)


def _container(path: Path, container: Any) -> Iterator[Problem]:
    said = [((part, index), word) for part in ("command", "args") for index, word in items(child(container, part))]
    said += [(("env", index), child(variable, "value")) for index, variable in items(child(container, "env"))]
    for place, text in said:
        if isinstance(text, str) and _PLAIN.search(text) and not _SOCKET.search(text):
            yield (*path, *place), "it speaks without TLS"


RULE = Rule(
    id="data-encryption",
    description="Databases are never started or reached without TLS; storage of managed ones is encrypted.",
    severity="high",
    remediation="Remove --insecure and sslmode=disable; encrypt the storage.",
    check=check,
    references=(
        iso("A.8.24", "Use of cryptography"),
        fsbp("RDS.3", "RDS DB instances should have encryption at-rest enabled"),
    ),
)
