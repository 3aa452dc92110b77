"""As many pods as declared: replicas, autoscaler bounds, members of a quorum, proxies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

from ...declared import path_of
from ...pods import component, is_server, role
from ...references import iso
from ...resource import Resource, Unknown, at, child, said
from ...rule import Problem, Rule
from ...stack import Stack

_BY_ROLE = {"node": "nodes", "sentinel": "sentinels", "proxy": "proxies"}
"""A pod's role to the field that says how many; of any other there is one."""


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
    if resource.kind == "HorizontalPodAutoscaler":
        for part in ("min", "max"):
            here = ("spec", f"{part}Replicas")
            right, top = (child(child(side, "replicas"), part) for side in (declared, production))
            yield from _same(here, resource.get(*here), right, top)
        return
    found, here = resource.get("spec", "replicas"), ("spec", "replicas")
    if child(declared, "kind") == "service":
        yield from _service(resource, found, declared)
        return
    by_role = _BY_ROLE.get(str(role(resource)))
    right, top = (child(declared, by_role), child(production, by_role)) if by_role else (1, 1)
    yield from _same(here, found, right, top)


def _service(resource: Resource, found: Any, declared: Mapping[str, Any]) -> Iterator[Problem]:
    """As many as its autoscaler says; of a canary the declared share of the fewest."""
    here = ("spec", "replicas")
    if resource.get("spec", "selector", "matchLabels", "understudy.dev/track") != "canary":
        if found is not None:
            yield here, "the autoscaler decides how many there are; a number here fights it"
        return
    weight = at(declared, "canary", "weight")
    if weight is None:
        yield here, "nobody declared this canary"
    else:
        fewest = int(at(declared, "replicas", "min"))
        yield from _same(here, found, ceil(fewest * int(str(weight).rstrip("%")) / 100), None)


def _same(path: tuple[str | int, ...], found: Any, right: Any, production: Any) -> Iterator[Problem]:
    if found is None and right is None:
        return
    if isinstance(found, Unknown) or found is None or right is None or int(found) != int(right):
        yield path, f"{said(found)}; declared is {said(right)}"
    elif production is not None and int(found) > int(production):
        yield path, f"{int(found)} are more than production's {int(production)}"


RULE = Rule(
    id="ratios-replicas",
    description="Replicas, autoscaler bounds and members are as many as declared, and not more than production's.",
    severity="high",
    remediation="Change replicas, nodes, sentinels or proxies in the system's file.",
    check=check,
    references=(iso("A.8.31", "Separation of development, test and production environments"),),
)
