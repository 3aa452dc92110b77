"""Connections to stores use TLS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...pods import containers, is_workload
from ...references import iso
from ...resource import Path, Resource, child, items
from ...rule import Problem, Rule
from ...stack import Stack

_PLAIN = re.compile(r"(?<!\S)--insecure\b|sslmode=(disable|allow|prefer)\b|^\s*ssl\s*=\s*off", re.MULTILINE)
_SOCKET = re.compile(r"[?&\s]host=/")
"""A socket inside the pod needs no TLS."""


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.type == "kubernetes:core/v1:ConfigMap":
        for path, leaf in resource.leaves():
            if path[0] == "data" and isinstance(leaf, str) and (match := _PLAIN.search(leaf)):
                yield path, f"{match[0].strip()!r} speaks without TLS"
    elif is_workload(resource):
        for path, container in containers(resource):
            yield from _container(path, container)


def _container(path: Path, container: Any) -> Iterator[Problem]:
    words = [((part, index), word) for part in ("command", "args") for index, word in items(child(container, part))]
    words += [(("env", index), child(variable, "value")) for index, variable in items(child(container, "env"))]
    for place, text in words:
        if isinstance(text, str) and _PLAIN.search(text) and not _SOCKET.search(text):
            yield (*path, *place), "it speaks without TLS"


RULE = Rule(
    id="data-encryption",
    description="Databases are never started or reached without TLS.",
    severity="high",
    remediation="Remove --insecure and sslmode=disable.",
    check=check,
    references=(iso("A.8.24", "Use of cryptography"),),
)
