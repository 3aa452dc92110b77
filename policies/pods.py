"""Pods and pod templates in objects of all kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
"""Kind to the path of its pod's metadata and spec."""
_GROUPS = ("kubernetes:core/", "kubernetes:apps/", "kubernetes:batch/")
SERVERS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController")
"""Kinds whose pods run until they are stopped."""
OWNER = "understudy.dev/component"
"""Label of objects of ``kind: manifests`` with the declaring component; the program overwrites any other value."""
NAME = "app.kubernetes.io/name"
ROLE = "app.kubernetes.io/component"


def is_workload(resource: Resource) -> bool:
    """Returns whether the object creates pods: by its kind, or because something in it has a list of containers."""
    return resource.type.startswith("kubernetes:") and (_known(resource) or any(True for _ in _found(resource)))


def is_server(resource: Resource) -> bool:
    """Returns whether the object's pods run until they are stopped."""
    if not resource.type.startswith("kubernetes:"):
        return False
    return resource.kind in SERVERS if _known(resource) else any(True for _ in _found(resource))


def _known(resource: Resource) -> bool:
    return resource.kind in TEMPLATES and resource.type.startswith(_GROUPS)


def _found(resource: Resource) -> Iterator[tuple[Path, Any]]:
    """Yields path and spec of every pod in an object, by structure; a separate rule checks Helm's values."""
    if not resource.type.startswith("kubernetes:helm.sh/"):
        for key in list(resource.props):
            if key != "metadata":
                yield from _specs(resource.get(key), (key,))


def _specs(node: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(node, Mapping):
        if isinstance(child(node, "containers"), Unknown | Sequence):
            yield path, node
        for key in list(node):
            yield from _specs(child(node, key), (*path, key))
    elif isinstance(node, Sequence) and not isinstance(node, str | bytes):
        for index in range(len(node)):
            yield from _specs(child(node, index), (*path, index))


def specs(resource: Resource) -> list[tuple[Path, Any]]:
    """Returns path and spec of every pod that the object creates; raises ``ValueError`` when one cannot be read."""
    pod_specs = list(_found(resource))
    known = pod(resource) if _known(resource) else None
    return pod_specs if known is None or known[0] in [path for path, _ in pod_specs] else [known, *pod_specs]


def pod(resource: Resource) -> tuple[Path, Any]:
    """Returns path and spec of the first pod; raises ``ValueError`` when it cannot be read."""
    if not _known(resource):
        return next(_found(resource))
    path = (*TEMPLATES[resource.kind], "spec")
    spec = resource.get(*path)
    if spec is None or isinstance(spec, Unknown):
        raise ValueError(f"{'.'.join(map(str, path))} is {'unknown' if spec else 'missing'}")
    return path, spec


def containers(resource: Resource, *lists: str) -> Iterator[tuple[Path, Any]]:
    """Yields path and value of every container of the given ``lists``, by default all three."""
    for path, spec in specs(resource):
        for name in lists or ("containers", "initContainers", "ephemeralContainers"):
            for index, container in items(child(spec, name)):
                yield (*path, name, index), container


def namespace(resource: Resource) -> Any:
    return resource.get("metadata", "namespace")


def component(resource: Resource) -> Any:
    """Returns the declared component to which the object belongs."""
    owner = resource.get("metadata", "labels", OWNER)
    return resource.get("metadata", "labels", NAME) if owner is None else owner


def role(resource: Resource) -> Any:
    return child(labels(resource), ROLE)


def labels(resource: Resource) -> Any:
    """Returns the labels of the pod."""
    return resource.get(*pod(resource)[0][:-1], "metadata", "labels")
