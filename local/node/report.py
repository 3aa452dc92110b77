"""Which pods ran and which were simulated, by component."""

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
    """Pods of one component with the same images and the same result."""

    component: str
    ran: bool
    images: tuple[tuple[str, str], ...]
    """Each image with the version that ran, or the reason why the pods were simulated."""
    pods: int
    ready: int
    """Number of pods that are Ready or have completed."""


def rows(pods: Iterable[Pod], available: Mapping[str, str], missing: Mapping[str, str]) -> list[Row]:
    """Returns one row for each component and set of images.

    ``available`` maps an image to the version that runs, ``missing`` to the reason why it is missing; an image in neither
    was not requested when the list was written.
    """
    counts: Counter[tuple[str, bool, tuple[tuple[str, str], ...]]] = Counter()
    ready: Counter[tuple[str, bool, tuple[tuple[str, str], ...]]] = Counter()
    for pod in pods:
        if "deletionTimestamp" in pod["metadata"]:
            continue
        ran = pod["spec"].get("nodeName") == NAME
        key = (_component(pod), ran, _images(pod, available, missing))
        counts[key] += 1
        ready[key] += _is_ready(pod)
    return [Row(*key, counts[key], ready[key]) for key in sorted(counts)]


def _component(pod: Pod) -> str:
    labels = pod["metadata"].get("labels") or {}
    owners = [owner["name"] for owner in pod["metadata"].get("ownerReferences", [])]
    name = labels.get("app.kubernetes.io/name") or labels.get("app") or next(iter(owners), pod["metadata"]["name"])
    return f"{name} ({part})" if (part := labels.get("app.kubernetes.io/component")) else str(name)


def _images(pod: Pod, available: Mapping[str, str], missing: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    spec = pod["spec"]
    images = dict.fromkeys(c["image"] for c in [*spec.get("initContainers", []), *spec["containers"]])
    node = spec.get("nodeName")
    if node is None:
        conditions = pod["status"].get("conditions") or []
        waits = next((c.get("message", "") for c in conditions if c["type"] == "PodScheduled"), "")
        reasons = dict.fromkeys(images, f"not scheduled: {waits}".rstrip(": "))
    elif node == NAME:
        reasons = {image: available.get(image, "unknown version") for image in images}
    elif images.keys() <= available.keys():
        reasons = dict.fromkeys(images, "simulated: it asks for a node that the real one is not")
    else:
        absent = {image: missing.get(image, "not among the images that were made") for image in images}
        reasons = {image: "could run" if image in available else absent[image] for image in images}
    return tuple(reasons.items())


def _is_ready(pod: Pod) -> bool:
    conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions") or []}
    return pod["status"].get("phase") == "Succeeded" or conditions.get("Ready") == "True"


def table(table_rows: Iterable[Row]) -> Table:
    """Formats the rows for a terminal."""
    result = Table("component", "pods", title="Pods")
    for heading in ("image asked for", "what ran, or why it was simulated"):
        result.add_column(heading, overflow="fold")
    for row in table_rows:
        state = "[green]ran[/]" if row.ran else "[yellow]simulated[/]"
        count = str(row.pods) if row.ready == row.pods else f"{row.pods}, {row.ready} ready"
        heads = [(row.component, f"{state} {count}"), *[("", "")] * (len(row.images) - 1)]
        for head, image in zip(heads, row.images, strict=True):
            result.add_row(*head, *image)
    return result
