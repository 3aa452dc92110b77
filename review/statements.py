"""Finds the declared value behind a field of an object, by the statements of workloads in the ``Environment`` component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .alignment import Key, Path

Statements = Mapping[str, Mapping[str, Any]]
"""Component to its statement (``config.model.workloads.Statement``)."""
Workloads = Sequence[Mapping[str, Any]]
_TEMPLATES: Mapping[str, Path] = {
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
_AUTOSCALED = {"minReplicas": "minimum", "maxReplicas": "replicas"}
_STORAGE: Path = ("spec", "resources", "requests", "storage")


def declared_path(key: Key, path: Path, statements: Statements) -> str | None:
    """Returns the path of the declared value, component first; ``None`` for a field that no statement is about."""
    component = next((name for part in key if (name := part.partition("::")[2]) in statements), None)
    if component is None:
        return None
    kind, _, name = key[-1].partition("::")
    workloads = statements[component].get("workloads", ())
    below = _size(name, workloads) if path == _STORAGE else _field(kind.rpartition(":")[2], name, path, workloads)
    return f"{component}.{below}" if below else None


def _field(kind: str, name: str, path: Path, workloads: Workloads) -> str | None:
    controller = "Deployment" if kind == "HorizontalPodAutoscaler" else kind
    stated = next((entry for entry in workloads if (entry["controller"], entry["name"]) == (controller, name)), None)
    if stated is None:
        return None
    if kind == "HorizontalPodAutoscaler":
        bound = _AUTOSCALED.get(str(path[-1])) if path[:1] == ("spec",) and len(path) == 2 else None
        return _text(stated.get(bound)) if bound else None
    if path == ("spec", "replicas"):
        return _text(stated.get("replicas"))
    template = _TEMPLATES.get(kind, ())
    below = path[len(template) :]
    if path[: len(template)] == template and below[:1] in (("containers",), ("initContainers",)):
        match below[1:]:
            case (str() as container, "resources", part, quantity):
                amounts = {entry["name"]: entry.get("resources", "resources") for entry in stated["containers"]}
                return f"{amounts[container]}.{part}.{quantity}" if container in amounts else None
    return None


def _text(path: object) -> str | None:
    return None if path is None else str(path)


def _size(claim: str, workloads: Workloads) -> str | None:
    return next((stated["volumes"][claim] for stated in workloads if claim in stated.get("volumes", {})), None)
