"""The number of pods is the declared one: replicas, autoscaler bounds, members of a quorum, proxies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...declared import path_of, pods, workload
from ...pods import component, is_server
from ...references import iso
from ...resource import Resource, Unknown, at, child, said
from ...rule import Problem, Rule
from ...stack import Stack

_COUNTED = ("Deployment", "StatefulSet", "HorizontalPodAutoscaler", "ScaledObject")
_FIELDS = ("replicas", "minReplicas", "maxReplicas", "minReplicaCount", "maxReplicaCount")


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.kind not in _COUNTED and not is_server(resource):
        return
    declared = stack.component(component(resource))
    if declared is None:
        yield ("metadata", "labels"), "no component is declared that it could belong to"
        return
    production = stack.production("components", str(component(resource)))
    if child(declared, "kind") == "manifests":
        place = path_of(resource, declared)
        for field in _FIELDS:
            right, top = (at(side, *place, "spec", field) for side in (declared, production))
            yield from _same(("spec", field), resource.get("spec", field), right, top)
        return
    yield from _workload(resource, stack, declared, production)


def _workload(resource: Resource, stack: Stack, declared: Any, production: Any) -> Iterator[Problem]:
    """Compares an object with the statement of its workload, and with production's declaration."""
    stated = workload(resource, stack)
    if stated is None:
        yield ("metadata", "name"), f"{component(resource)!r} states no workload {resource.get('metadata', 'name')!r}"
        return
    most, least = child(stated, "replicas"), child(stated, "minimum")
    if resource.kind == "HorizontalPodAutoscaler":
        for field, place in (("minReplicas", least), ("maxReplicas", most)):
            path = tuple(str(place).split("."))
            right, top = at(declared, *path), at(production, *path)
            yield from _same(("spec", field), resource.get("spec", field), right, top)
        return
    actual, here = resource.get("spec", "replicas"), ("spec", "replicas")
    if least is not None:
        if actual is not None:
            yield here, "the autoscaler sets the number of pods, and a number here conflicts with it"
    elif most is None:
        yield from _same(here, actual, pods(stated), None)
    else:
        path = tuple(str(most).split("."))
        yield from _same(here, actual, at(declared, *path), at(production, *path))


def _same(path: tuple[str | int, ...], actual: Any, right: Any, production: Any) -> Iterator[Problem]:
    if actual is None and right is None:
        return
    if isinstance(actual, Unknown) or actual is None or right is None or int(actual) != int(right):
        yield path, f"{said(actual)}; declared is {said(right)}"
    elif production is not None and int(actual) > int(production):
        yield path, f"{int(actual)} are more than production's {int(production)}"


RULE = Rule(
    id="ratios-replicas",
    description="Replicas, autoscaler bounds and members are as many as declared, and not more than production's.",
    severity="high",
    remediation="Change the component's number of pods (replicas, nodes) in the system's file.",
    check=check,
    references=(iso("A.8.31", "Separation of development, test and production environments"),),
)
