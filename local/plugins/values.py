"""Converts between Pulumi's wire values and Python's.

On the wire a secret is a map with a signature, an unknown a fixed string. Here a value is plain, and the paths of its
secrets are a set beside it.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi.runtime import rpc

Path = tuple[str | int, ...]
UNKNOWN = rpc.UNKNOWN
_SIGNATURE, _SECRET, _OUTPUT = rpc._special_sig_key, rpc._special_secret_sig, rpc._special_output_value_sig


def read(struct: struct_pb2.Struct) -> tuple[dict[str, Any], set[Path]]:
    """Returns the plain value, with whole numbers as integers, and the paths of its secrets."""
    secrets: set[Path] = set()
    return _read(json_format.MessageToDict(struct), (), secrets), secrets


def _read(value: Any, path: Path, secrets: set[Path]) -> Any:
    if isinstance(value, dict):
        signature = value.get(_SIGNATURE)
        if signature == _SECRET:
            secrets.add(path)
            return _read(value.get("value"), path, secrets)
        if signature == _OUTPUT:
            if value.get("secret"):
                secrets.add(path)
            return _read(value.get("value", UNKNOWN), path, secrets)
        return {key: _read(item, (*path, key), secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_read(item, (*path, index), secrets) for index, item in enumerate(value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def write(value: Any, secrets: set[Path]) -> struct_pb2.Struct:
    """Returns the wire value: the inverse of ``read``; a secret path that the value lacks is ignored."""
    struct = struct_pb2.Struct()
    json_format.ParseDict(_write(value, (), secrets), struct)
    return struct


def _write(value: Any, path: Path, secrets: set[Path]) -> Any:
    if isinstance(value, dict):
        plain: Any = {key: _write(item, (*path, key), secrets) for key, item in value.items()}
    elif isinstance(value, list):
        plain = [_write(item, (*path, index), secrets) for index, item in enumerate(value)]
    else:
        plain = value
    return {_SIGNATURE: _SECRET, "value": plain} if path in secrets else plain


def has_unknowns(value: Any) -> bool:
    """Returns whether some part is known only after another resource exists."""
    if isinstance(value, dict):
        return any(has_unknowns(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknowns(item) for item in value)
    return bool(value == UNKNOWN)
