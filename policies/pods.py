"""Pods inside the kinds that make them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .resource import Path, Resource, Unknown, child, items

TEMPLATES: Mapping[str, Path] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Kind to where its pod's metadata and spec are."""
SERVERS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")
"""Kinds whose pods go on until they are told to end."""
NAME = "app.kubernetes.io/name"
ROLE = "app.kubernetes.io/component"


def is_workload(resource: Resource) -> bool:
    return resource.type.startswith("kubernetes:") and resource.kind in TEMPLATES


def pod(resource: Resource) -> tuple[Path, Any]:
    """Path and value of the pod's spec; raises ``ValueError`` when it cannot be read."""
    path = (*TEMPLATES[resource.kind], "spec")
    spec = resource.get(*path)
    if spec is None or isinstance(spec, Unknown):
        raise ValueError(f"{'.'.join(map(str, path))} is {'unknown' if spec else 'missing'}")
    return path, spec


def containers(resource: Resource, *lists: str) -> Iterator[tuple[Path, Any]]:
    """Path and value of every container: of ``lists``, default all three."""
    path, spec = pod(resource)
    for name in lists or ("containers", "initContainers", "ephemeralContainers"):
        for index, container in items(child(spec, name)):
            yield (*path, name, index), container


def namespace(resource: Resource) -> Any:
    return resource.get("metadata", "namespace")


def component(resource: Resource) -> Any:
    """Of which component of the declaration the object says to be."""
    return resource.get("metadata", "labels", NAME)


def role(resource: Resource) -> Any:
    return resource.get(*TEMPLATES[resource.kind], "metadata", "labels", ROLE)
