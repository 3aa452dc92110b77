"""Reads a deployed stack as a graph, from ``pulumi stack export``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from config.errors import ConfigError, Problem

from .graph import Node

_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Marks a secret in the state; its value is encrypted."""


def exported(file: Path) -> list[Node]:
    """Returns the resources of an exported stack; raises ``ConfigError`` for other files."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        resources = content.get("deployment", content)["resources"]
        nodes = [_node(resource) for resource in resources]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        fix = "write it with: pulumi stack export --stack <stack> --file <file>"
        raise ConfigError(Problem(str(file), None, "", f"not an exported stack: {error}", fix)) from None
    return [node for node in nodes if node["type"] != "pulumi:pulumi:Stack"]


def _node(resource: dict[str, Any]) -> Node:
    return {
        "urn": resource["urn"],
        "type": resource["type"],
        "name": resource["urn"].rpartition("::")[2],
        "parent": resource.get("parent"),
        "provider": (resource.get("provider") or "").rpartition("::")[0] or None,
        "inputs": _plain(resource.get("inputs") or {}),
        "depends_on": resource.get("dependencies") or [],
        "protect": bool(resource.get("protect")),
        "retain_on_delete": bool(resource.get("retainOnDelete")),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        if _SIGNATURE in value:
            return {"[secret]": True}
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
