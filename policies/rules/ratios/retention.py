"""Retention is the declared one, and not longer than in production."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...pods import component, containers
from ...references import iso
from ...resource import Path, Resource, Unknown, child, items, said
from ...rule import Problem, Rule
from ...stack import Stack
from .declaration import size

_SAID = re.compile(r"(?:retention\.time=|retention_period: |\"min_age\": \")([^\s\"]+)")
"""Prometheus' flag, Loki's limit, and the age at which Elasticsearch's lifecycle deletes."""
_KINDS = {"prometheus": "Deployment", "loki": "ConfigMap", "elasticsearch": "ConfigMap"}
"""Kind of a component to the kind of object that sets its retention."""
_SETUP = {"elasticsearch": "-setup"}
"""Objects whose name differs from the component's."""


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.kind not in _KINDS.values() or not resource.type.startswith("kubernetes:"):
        return
    name = str(component(resource))
    declared = stack.component(name)
    kind = str(child(declared, "kind"))
    if declared is None or _KINDS.get(kind) != resource.kind:
        return
    if resource.get("metadata", "name") != f"{name}{_SETUP.get(kind, '')}":
        return
    durations = [(path, match) for path, text in _texts(resource) for match in _SAID.findall(text)]
    right, top = child(declared, "retention"), child(stack.production("components", name), "retention")
    if not durations:
        yield ("metadata", "name"), f"it does not say how long things are kept; declared is {said(right)}"
    for path, written in durations:
        if isinstance(right, Unknown) or written != right:
            yield path, f"things are kept for {written}; declared is {said(right)}"
        elif top is not None and size(written, path) > size(top, path):
            yield path, f"things are kept for {written}, longer than production's {top}"


def _texts(resource: Resource) -> Iterator[tuple[Path, str]]:
    if resource.kind == "ConfigMap":
        data: Any = resource.get("data")
        for key in data if data is not None and not isinstance(data, Unknown) else ():
            yield ("data", key), str(child(data, key))
        return
    for path, container in containers(resource):
        for index, argument in items(child(container, "args")):
            yield (*path, "args", index), str(argument)


RULE = Rule(
    id="ratios-retention",
    description="Metrics and logs are kept as long as the derivation declared, and not longer than in production.",
    severity="medium",
    remediation="Change the component's retention, or the environment's scale, in the system's file.",
    check=check,
    references=(iso("A.8.31", "Separation of development, test and production environments"),),
)
