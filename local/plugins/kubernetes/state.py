"""Inputs and state: names, identities, secrets, and what the plugin keeps beside the live object."""

from __future__ import annotations

import base64
import secrets as entropy
from typing import Any

from ..values import UNKNOWN, Path
from .client import Object

AUTONAMED = "pulumi.com/autonamed"
BOOKKEEPING = ("__inputs", "__initialApiVersion", "__fieldManager")


def manager_name() -> str:
    return f"pulumi-kubernetes-{entropy.token_hex(4)}"


def is_kind(inputs: Object, group: str, kind: str) -> bool:
    return inputs.get("kind") == kind and inputs.get("apiVersion", "").rpartition("/")[0] == group


def encode_string_data(inputs: Object, secrets: set[Path]) -> None:
    """``stringData`` becomes ``data``, as the API server would make of it."""
    strings = inputs.pop("stringData", None)
    if not isinstance(strings, dict):
        if strings is not None:
            inputs["stringData"] = strings
        return
    data = inputs.setdefault("data", {})
    for key, value in strings.items():
        data[key] = value if value == UNKNOWN else base64.b64encode(str(value).encode()).decode()
    secrets.add(("data",))


def secret_paths(inputs: Object, secrets: set[Path]) -> set[Path]:
    """In the state: where the inputs are secret, in the live object and in its copy of the inputs; a Secret's data always."""
    own = set(secrets)
    if is_kind(inputs, "", "Secret"):
        own |= {("data",), ("stringData",)}
    return own | {("__inputs", *path) for path in own}


def place(inputs: Object) -> tuple[Any, Any]:
    metadata = inputs.get("metadata") or {}
    return metadata.get("name"), metadata.get("namespace")


def autonamed(inputs: Object) -> bool:
    return bool(((inputs.get("metadata") or {}).get("annotations") or {}).get(AUTONAMED) == "true")


def identity_of(live: Object) -> str:
    metadata = live["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])


def checkpoint(live: Object, inputs: Object, manager: str, initial: str | None = None) -> Object:
    return {
        **live,
        "__inputs": inputs,
        "__initialApiVersion": initial or inputs.get("apiVersion", live.get("apiVersion")),
        "__fieldManager": manager,
    }


def kind_of(urn: str, inputs: Object) -> tuple[str, str]:
    """API version and kind, from the inputs or the type token ``kubernetes:apps/v1:Deployment``."""
    if inputs.get("apiVersion") and inputs.get("kind"):
        return inputs["apiVersion"], inputs["kind"]
    token = urn.split("::")[2].rpartition("$")[2]
    _, version, kind = token.split(":")
    return version.removeprefix("core/"), kind


def merge_patch(old: Any, new: Any) -> Any:
    """RFC 7386, from the old inputs to the new ones."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    patch: Object = {key: None for key in old if key not in new}
    patch |= {key: merge_patch(old.get(key), value) for key, value in new.items() if old.get(key) != value}
    return patch
