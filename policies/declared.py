"""Reading the declaration of a component."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .resource import Path, Resource, child, items


def path_of(resource: Resource, declared: Mapping[str, Any]) -> Path:
    """Where a ``kind: manifests`` component states this object; raises ``ValueError`` when it does not."""
    for index, entry in items(child(declared, "objects")):
        same_kind = child(entry, "kind") == resource.kind
        if same_kind and child(child(entry, "metadata"), "name") == resource.get("metadata", "name"):
            return ("objects", index)
    raise ValueError(f"{resource.kind} {resource.get('metadata', 'name')!r} is declared nowhere")
