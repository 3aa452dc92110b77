"""Every container states requests and limits."""

from __future__ import annotations

from collections.abc import Iterator

from ...pods import containers, is_workload
from ...references import nsa
from ...resource import Resource, at
from ...rule import Problem, Rule
from ...stack import Stack


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if not is_workload(resource):
        return
    for path, container in containers(resource, "containers", "initContainers"):
        for part in ("requests", "limits"):
            for quantity in ("cpu", "memory"):
                if at(container, "resources", part, quantity) is None:
                    yield (*path, "resources", part, quantity), f"it states no {part[:-1]} of {quantity}"


RULE = Rule(
    id="workloads-resources",
    description="Every container states requests and limits of CPU and memory.",
    severity="medium",
    remediation="Add resources to the component, or to the manifest's container.",
    check=check,
    references=(nsa("Resource policies"),),
)
