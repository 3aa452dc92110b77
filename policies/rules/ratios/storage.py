"""Volumes have the declared size, and are not larger than production's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...declared import path_of, size_path
from ...pods import component
from ...quantity import amount
from ...references import iso
from ...resource import Path, Resource, Unknown, at, child, said
from ...rule import Problem, Rule
from ...stack import Stack

FLOOR = "1G"
"""The same floor as the derivation's."""
_HERE = ("spec", "resources", "requests", "storage")


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.type != "kubernetes:core/v1:PersistentVolumeClaim":
        return
    name = str(component(resource))
    declared = stack.component(name)
    if declared is None:
        yield ("metadata", "labels"), f"no component {name!r} is declared that it could belong to"
        return
    place = _declared_at(resource, stack, declared)
    if place is None:
        yield ("metadata", "name"), f"{resource.get('metadata', 'name')!r} is no stated volume of {name!r}"
        return
    actual, right, top = resource.get(*_HERE), at(declared, *place), at(stack.production("components", name), *place)
    if actual is None or isinstance(actual, Unknown) or right is None or amount(actual) != amount(right):
        yield _HERE, f"{said(actual)}; declared is {said(right)}"
        return
    if top is not None and amount(actual) > amount(top):
        yield _HERE, f"{actual} is above production's {top}"
    if amount(actual) < min(amount(FLOOR), amount(top) if top is not None else amount(FLOOR)):
        yield _HERE, f"{actual} is below the floor {FLOOR}"


def _declared_at(resource: Resource, stack: Stack, declared: Any) -> Path | None:
    """Returns the path of a volume's declared size; objects of manifests are themselves the declaration."""
    if child(declared, "kind") == "manifests":
        return (*path_of(resource, declared), *_HERE)
    return size_path(resource, stack)


RULE = Rule(
    id="ratios-storage",
    description="Every volume is as large as the derivation declared, at most production's, at least the floor.",
    severity="high",
    remediation="Change the component's storage, or the environment's scale, in the system's file.",
    check=check,
    references=(iso("A.8.31", "Separation of development, test and production environments"),),
)
