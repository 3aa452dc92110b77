"""Finds the declared path of a field of an object.

Kinds state their workloads (``statements`` of the ``Environment`` component): each container, volume and number of pods
with the path of its declared value. The objects of ``kind: manifests`` are themselves the declaration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .pods import component
from .resource import Path, Resource, at, child, items
from .stack import Stack

_MOST = {"HorizontalPodAutoscaler": "maxReplicas", "ScaledObject": "maxReplicaCount"}


def scaled_to(declared: Any, name: object) -> Any:
    """Returns the maximum that an autoscaler of the same ``kind: manifests`` component sets for the object of that name."""
    for _, entry in items(child(declared, "objects")):
        field = _MOST.get(str(child(entry, "kind")))
        if field and at(entry, "spec", "scaleTargetRef", "name") == name:
            return at(entry, "spec", field)
    return None


def path_of(resource: Resource, declared: Mapping[str, Any]) -> Path:
    """Returns the path at which a ``kind: manifests`` component declares this object; raises ``ValueError`` if none does."""
    for index, entry in items(child(declared, "objects")):
        same_kind = child(entry, "kind") == resource.kind
        if same_kind and child(child(entry, "metadata"), "name") == resource.get("metadata", "name"):
            return ("objects", index)
    raise ValueError(f"{resource.kind} {resource.get('metadata', 'name')!r} is declared nowhere")


def workload(resource: Resource, stack: Stack) -> Mapping[str, Any] | None:
    """Returns the statement of the workload that an object is, or that an autoscaler controls; ``None`` when there is none."""
    controller, name = resource.kind, str(resource.get("metadata", "name"))
    if controller == "HorizontalPodAutoscaler":
        controller, name = (str(resource.get("spec", "scaleTargetRef", part)) for part in ("kind", "name"))
    if controller == "Job":
        name = name.rpartition("-")[0]  # without the checksum of the Job's content
    for entry in _workloads(resource, stack):
        if (child(entry, "controller"), child(entry, "name")) == (controller, name):
            return entry
    return None


def amounts_path(stated: Mapping[str, Any], container: str) -> Path | None:
    """Returns the path of a container's declared CPU and memory; ``None`` when the workload has no such container."""
    for _, entry in items(child(stated, "containers")):
        if child(entry, "name") == container:
            return tuple(str(child(entry, "resources") or "resources").split("."))
    return None


def size_path(claim: Resource, stack: Stack) -> Path | None:
    """Returns the path of a volume's declared size; ``None`` when no workload of its component has such a volume."""
    for stated in _workloads(claim, stack):
        size = at(stated, "volumes", str(claim.get("metadata", "name")))
        if size is not None:
            return tuple(str(size).split("."))
    return None


def pods(stated: Mapping[str, Any]) -> int:
    """Returns the stated number of a workload's pods."""
    number = child(stated, "pods")
    return 1 if number is None else int(number)


def _workloads(resource: Resource, stack: Stack) -> Iterator[Mapping[str, Any]]:
    for _, entry in items(stack.declared("statements", str(component(resource)), "workloads")):
        if isinstance(entry, Mapping):
            yield entry
