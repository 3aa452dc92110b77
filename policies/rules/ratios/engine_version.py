"""Every store runs the declared engine and version."""

from __future__ import annotations

from collections.abc import Iterator

from ...pods import component, containers, is_workload
from ...references import iso
from ...resource import Resource, child
from ...rule import Problem, Rule
from ...stack import Stack


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if not is_workload(resource):
        return
    name = str(component(resource))
    declared = stack.component(name)
    version, image = child(declared, "version"), child(declared, "image")
    if version is None or image is None:
        return
    for path, container in containers(resource, "containers"):
        actual = child(container, "image")
        if child(container, "name") == name and actual != f"{image}:{version}":
            yield (*path, "image"), f"{actual!r}; declared is {image}:{version}"


RULE = Rule(
    id="ratios-engine-version",
    description="Every store runs the image and version that are declared for it.",
    severity="high",
    remediation="Change 'version' in the system's file; production and staging then change together.",
    check=check,
    references=(iso("A.8.31", "Separation of development, test and production environments"),),
)
