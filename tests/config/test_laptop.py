"""SpaceTime's smallest environment: what runs of it on a real node fits a laptop of two cores and 8 GB."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from config.kinds import Service
from config.model.quantity import Cpu, Memory
from local.images.maker import _why_missing
from local.stack import LocalStack
from tests.components.graphs import shipped

CORES, MEMORY = Fraction(2), 8 * 10**9
NODE_CORES, NODE_MEMORY = Fraction(3, 10), 2 * 10**9
"""Kept for the control plane, the kubelet and the system itself."""


def _pods() -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """How many pods of a kind there are, an update's extra one included, and their containers: of those that run."""
    resolved = LocalStack("laptop").resolved()
    for resource in shipped("laptop"):
        body = resource["inputs"]
        if body.get("kind") not in ("Deployment", "StatefulSet"):
            continue
        spec = body["spec"]["template"]["spec"]
        containers = [*spec.get("initContainers", []), *spec["containers"]]
        if any(_why_missing(container["image"], resolved) for container in containers):
            continue
        component = resolved.components.get(resource["name"])
        replicas = component.replicas.min if isinstance(component, Service) else body["spec"]["replicas"]
        surge = (body["spec"].get("strategy") or {}).get("type") == "RollingUpdate"
        yield replicas + surge, spec["containers"]


def _total(name: str) -> Fraction:
    kind = {"cpu": Cpu, "memory": Memory}[name]
    return sum(
        (
            count * kind.parse(container["resources"]["requests"][name]).value
            for count, containers in _pods()
            for container in containers
        ),
        Fraction(0),
    )


def test_what_runs_fits_two_cores() -> None:
    assert Fraction(1, 2) < _total("cpu") <= CORES - NODE_CORES


def test_what_runs_fits_eight_gigabytes() -> None:
    assert 2 * 10**9 < _total("memory") <= MEMORY - NODE_MEMORY


def test_it_is_production_but_for_its_scale_and_the_small_programs() -> None:
    laptop, production = (LocalStack(stack).resolved() for stack in ("laptop", "production"))
    assert laptop.components.keys() == production.components.keys()
    assert laptop.components["redis"].nodes == production.components["redis"].nodes
    for part in ("exporter_resources", "proxy_resources", "sentinel_resources"):
        mine, theirs = (getattr(each.components["redis"], part) for each in (laptop, production))
        assert mine.limits == theirs.limits
