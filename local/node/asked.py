"""The images in Kubernetes objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def images(objects: Iterable[dict[str, Any]]) -> set[str]:
    """Returns the images of all containers and init containers, also in templates."""
    return {image for body in objects for image in _in(body)}


def _in(value: Any) -> set[str]:
    if isinstance(value, list):
        return {image for item in value for image in _in(item)}
    if not isinstance(value, dict):
        return set()
    containers = [c for key in ("containers", "initContainers") for c in value.get(key) or [] if isinstance(c, dict)]
    return {c["image"] for c in containers if "image" in c} | {
        image for inner in value.values() for image in _in(inner)
    }
