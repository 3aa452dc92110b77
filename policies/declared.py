"""Reading the declaration of a component."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .resource import Path, Resource, at, child, items

_MOST = {"HorizontalPodAutoscaler": "maxReplicas", "ScaledObject": "maxReplicaCount"}


def scaled_to(declared: Any, name: object) -> Any:
    """To how many replicas an autoscaler of the same ``kind: manifests`` component brings the object of that name."""
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
