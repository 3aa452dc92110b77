"""Containers request what was declared: never more than production, never less than the floor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...declared import amounts_path, path_of, workload
from ...pods import component, containers, is_workload
from ...quantity import amount
from ...references import nsa
from ...resource import Path, Resource, Unknown, at, child, said
from ...rule import Problem, Rule
from ...stack import Stack

FLOORS = {"cpu": "10m", "memory": "32M"}
"""The same floors as the derivation's."""


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
        own = str(child(container, "name"))
        here = _declared_at(resource, stack, declared, path, own)
        expected = at(declared, *here) if here else None
        if here is None or expected is None:
            yield path, f"nothing is declared for container {own!r}"
            continue
        yield from _compare((*path, "resources"), child(container, "resources"), expected, at(production, *here))


def _declared_at(resource: Resource, stack: Stack, declared: Mapping[str, Any], path: Path, own: str) -> Path | None:
    """Returns the path of a container's declared amounts; objects of manifests are themselves the declaration."""
    if child(declared, "kind") == "manifests":
        return (*path_of(resource, declared), *path, "resources")
    stated = workload(resource, stack)
    return amounts_path(stated, own) if stated is not None else None


def _compare(path: Path, actual: Any, expected: Any, production: Any) -> Iterator[Problem]:
    for part in ("requests", "limits"):
        wanted, there, most = child(expected, part), child(actual, part), child(production, part)
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
