"""Who owns which field, and which part of a live object the inputs speak of."""

from __future__ import annotations

from typing import Any

from .client import Object

SERVER_SET = (
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
    "deletionTimestamp",
)


def manager_of_creation(live: Object, manager: str) -> list[dict[str, Any]] | None:
    """Managed fields in which everything that was set by creating, updating or kubectl's edits counts as applied.

    An object is created by POST, which makes its creator an *updater*; a later apply by the same manager would leave the
    fields it no longer mentions. What kubectl changed by hand (``kubectl-edit``, ``kubectl-patch``) is taken back, as the
    official plugin does; what another manager *applied* is a conflict. ``None`` when there is nothing to change.
    """
    entries: list[dict[str, Any]] = live["metadata"].get("managedFields") or []
    ours = [e for e in entries if _is_update(e) and e["manager"].startswith(("pulumi-", "kubectl-"))]
    if not ours:
        return None
    applied = next((e for e in entries if e["manager"] == manager and e["operation"] == "Apply"), None)
    fields: dict[str, Any] = {}
    for entry in (*ours, *([applied] if applied else [])):
        fields = _union(fields, entry.get("fieldsV1") or {})
    merged = {**(applied or ours[0]), "manager": manager, "operation": "Apply", "fieldsV1": fields}
    return [merged, *(e for e in entries if e not in ours and e is not applied)]


def _is_update(entry: dict[str, Any]) -> bool:
    return entry.get("operation") == "Update" and not entry.get("subresource")


def _union(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    result = dict(left)
    for key, value in right.items():
        result[key] = _union(result[key], value) if key in result else value
    return result


def prune(live: Any, inputs: Any) -> Any:
    """The live object's values at the places that the inputs state; what it lacks is absent."""
    if isinstance(live, dict) and isinstance(inputs, dict):
        return {key: prune(live[key], value) for key, value in inputs.items() if key in live}
    if isinstance(live, list) and isinstance(inputs, list):
        return [prune(item, inputs[index]) if index < len(inputs) else item for index, item in enumerate(live)]
    return live


def importable(live: Object) -> Object:
    """Inputs for an object that was not made here: all but what the API server sets."""
    metadata = {key: value for key, value in live["metadata"].items() if key not in SERVER_SET}
    return {**{key: value for key, value in live.items() if key != "status"}, "metadata": metadata}
