"""Containers ask for what was declared: never more than production's, never less than the floor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...declared import path_of
from ...pods import component, containers, is_workload
from ...quantity import amount
from ...references import nsa
from ...resource import Path, Resource, Unknown, at, child, said
from ...rule import Problem, Rule
from ...stack import Stack

FLOORS = {"cpu": "10m", "memory": "32M"}
"""As the derivation's own."""


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if not is_workload(resource):
        return
    name = component(resource)
    declared = stack.component(name)
    if declared is None:
        yield ("metadata", "labels"), f"no component {name!r} is declared that it could belong to"
        return
    production = stack.production("components", str(name))
    for path, container in containers(resource):
        own = child(container, "name")
        here, expected = _expected(resource, declared, path, str(own), str(name))
        if expected is None:
            yield path, f"nothing is declared for container {own!r}"
            continue
        yield from _compare((*path, "resources"), child(container, "resources"), expected, at(production, *here))


def _expected(resource: Resource, declared: Mapping[str, Any], path: Path, own: str, name: str) -> tuple[Path, Any]:
    """Returns the declared amounts of a container with their path.

    A container with the component's name has ``resources``; ``exporter`` has ``exporterResources``, and so on. Init
    containers have the amounts of the pod's own container; all others are helpers.
    """
    if child(declared, "kind") == "manifests":
        here = (*path_of(resource, declared), *path, "resources")
        return here, at(declared, *here)
    if "initContainers" in path:
        spec = resource.get(*path[:-2])
        own = str(child(child(child(spec, "containers"), 0), "name"))
    for key in ("resources",) if own == name else (f"{own}Resources", "helperResources"):
        if isinstance(found := child(declared, key), Mapping):
            return (key,), found
    return (), None


def _compare(path: Path, found: Any, expected: Any, production: Any) -> Iterator[Problem]:
    for part in ("requests", "limits"):
        wanted, there, most = child(expected, part), child(found, part), child(production, part)
        for quantity in ("cpu", "memory"):
            here = (*path, part, quantity)
            value, right, top = child(there, quantity), child(wanted, quantity), child(most, quantity)
            if value is None and right is None:
                continue
            if value is None or right is None or isinstance(value, Unknown) or amount(value) != amount(right):
                yield here, f"{said(value)}; declared is {said(right)}"
            if value is None or isinstance(value, Unknown):
                continue
            if top is not None and amount(value) > amount(top):
                yield here, f"{value} is above production's {top}"
            floor = FLOORS[quantity]
            if amount(value) < min(amount(floor), amount(top) if top is not None else amount(floor)):
                yield here, f"{value} is below the floor {floor}"


RULE = Rule(
    id="ratios-amounts",
    description="CPU and memory of every container are those that the derivation declared, at most production's, at least the "
    "floor.",
    severity="high",
    remediation="Change the component's resources, or the environment's scale, in the system's file.",
    check=check,
    references=(nsa("Resource policies"),),
)
