"""Which pods ran and which were simulated, component by component."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from .layout import NAME

Pod = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """Pods of one component that have the same images and the same lot."""

    component: str
    ran: bool
    images: tuple[str, ...]
    """As the pods ask for them."""
    because: tuple[str, ...]
    """For each image the version that ran; why they were simulated; or why they do not run yet."""
    pods: int
    ready: int
    """How many are Ready, or have done their work."""


def rows(pods: Iterable[Pod], available: Mapping[str, str], missing: Mapping[str, str]) -> list[Row]:
    """One row for each component and set of images.

    ``available`` maps an image to the version that runs for it, ``missing`` to the reason why it cannot be had; an image in
    neither was not asked for when the list was made.
    """
    found: Counter[tuple[str, bool, tuple[str, ...], tuple[str, ...]]] = Counter()
    ready: Counter[tuple[str, bool, tuple[str, ...], tuple[str, ...]]] = Counter()
    for pod in pods:
        if "deletionTimestamp" in pod["metadata"]:
            continue
        spec = pod["spec"]
        images = tuple(dict.fromkeys(c["image"] for c in [*spec.get("initContainers", []), *spec["containers"]]))
        ran = spec.get("nodeName") == NAME
        key = (_component(pod), ran, images, _because(pod, images, available, missing))
        found[key] += 1
        ready[key] += _is_ready(pod)
    return [Row(*key, found[key], ready[key]) for key in sorted(found)]


def _component(pod: Pod) -> str:
    labels = pod["metadata"].get("labels") or {}
    owners = [owner["name"] for owner in pod["metadata"].get("ownerReferences", [])]
    name = labels.get("app.kubernetes.io/name") or labels.get("app") or next(iter(owners), pod["metadata"]["name"])
    return f"{name} ({part})" if (part := labels.get("app.kubernetes.io/component")) else str(name)


def _because(
    pod: Pod, images: tuple[str, ...], available: Mapping[str, str], missing: Mapping[str, str]
) -> tuple[str, ...]:
    node = pod["spec"].get("nodeName")
    if node is None:
        conditions = pod["status"].get("conditions") or []
        waits = next((c.get("message", "") for c in conditions if c["type"] == "PodScheduled"), "")
        return (f"not scheduled: {waits}".rstrip(": "),)
    if node == NAME:
        return tuple(available.get(image, "unknown version") for image in images)
    absent = [image for image in images if image not in available]
    if not absent:
        return ("it asks for a node that the real one is not",)
    return tuple(missing.get(image, "not among the images that were made") for image in absent)


def _is_ready(pod: Pod) -> bool:
    conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions") or []}
    return pod["status"].get("phase") == "Succeeded" or conditions.get("Ready") == "True"


def table(found: Iterable[Row]) -> Table:
    """The rows for a terminal."""
    result = Table("component", "pods", "image asked for", "what ran, or why it was simulated", title="Pods")
    for row in found:
        state = "[green]ran[/]" if row.ran else "[yellow]simulated[/]"
        count = str(row.pods) if row.ready == row.pods else f"{row.pods}, {row.ready} ready"
        result.add_row(row.component, f"{state} {count}", "\n".join(row.images), "\n".join(row.because))
    return result
