"""Checks that the pods that run fit on the real node."""

from __future__ import annotations

from collections.abc import Container, Iterable
from fractions import Fraction
from typing import Any

import httpx

from config.model.quantity import Cpu, Memory

from .asked import images
from .layout import NAME
from .requirements import UnmetRequirement

_LASTING = ("Deployment", "StatefulSet", "DaemonSet", "Pod")
Object = dict[str, Any]


def check(client: httpx.Client, objects: Iterable[Object], available: Container[str]) -> None:
    """Raises ``UnmetRequirement`` when the pods that would run request more CPU or memory than the node has."""
    allocatable = client.get(f"/api/v1/nodes/{NAME}").json()["status"]["allocatable"]
    has = Cpu.parse(allocatable["cpu"]).value, Memory.parse(allocatable["memory"]).value
    cpu, memory = needed(objects, available)
    if cpu > has[0] or memory > has[1]:
        raise UnmetRequirement(
            f"the pods that can run ask for {_cores(cpu)} CPU and {_gibibytes(memory)} of memory; "
            f"this machine gives {_cores(has[0])} and {_gibibytes(has[1])}\n"
            "    fix: an environment with a smaller scale (STACK=...), a larger machine, or NODES=simulated"
        )


def needed(objects: Iterable[Object], available: Container[str]) -> tuple[Fraction, Fraction]:
    """Returns requested CPU (cores) and memory (bytes) of permanent pods whose images are available; pods of Jobs end."""
    bodies = list(objects)
    least = {
        (body["metadata"].get("namespace"), body["spec"]["scaleTargetRef"]["name"]): body["spec"].get("minReplicas", 1)
        for body in bodies
        if body["kind"] == "HorizontalPodAutoscaler"
    }
    cpu, memory = Fraction(0), Fraction(0)
    for body in bodies:
        if body["kind"] not in _LASTING or not all(image in available for image in images([body])):
            continue
        metadata, spec = body["metadata"], body["spec"]
        pod = spec if body["kind"] == "Pod" else spec["template"]["spec"]
        default = least.get((metadata.get("namespace"), metadata.get("name")), 1)
        pods = 1 if body["kind"] in ("Pod", "DaemonSet") else spec.get("replicas", default)
        cpu += pods * _requests(pod, "cpu", Cpu)
        memory += pods * _requests(pod, "memory", Memory)
    return cpu, memory


def _requests(pod: Object, name: str, kind: type[Cpu | Memory]) -> Fraction:
    """Returns the scheduler's sum: all containers together, or the largest init container if that is more."""

    def of(container: Object) -> Fraction:
        resources = container.get("resources") or {}
        requested = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
        return kind.parse(requested[name]).value if name in requested else Fraction(0)

    together = sum((of(container) for container in pod["containers"]), Fraction(0))
    return max([together, *(of(container) for container in pod.get("initContainers") or [])])


def _cores(value: Fraction) -> str:
    return f"{float(value):.3g}"


def _gibibytes(value: Fraction) -> str:
    return f"{float(value / 2**30):.3g} GiB"
