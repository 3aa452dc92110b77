"""Aligns two graphs: resources by their names without the environment's parts, leaves by their paths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .graph import Node

ENVIRONMENT = "understudy:environment:Environment"
Key = tuple[str, ...]
"""Names of a resource and its ancestors, with their types: the same in every environment."""
Path = tuple[str | int, ...]
_ROTATED = re.compile(r"(?<=[a-z])-\d+(?=\.\w+\}$)")
"""The generation of a random value, which differs between environments."""


def aligned(nodes: list[Node]) -> dict[Key, Node]:
    """Returns key to resource, with the names from the root down as the key. The declaration itself is not compared."""
    by_urn = {node["urn"]: node for node in nodes}
    result: dict[Key, Node] = {}
    for node in sorted(nodes, key=lambda node: _rotation(node), reverse=True):
        if node["type"] == ENVIRONMENT:
            continue
        key: Key = (f"{node['type']}::{_name(node)}",)
        above = by_urn.get(node["parent"] or "")
        while above is not None and above["type"] != ENVIRONMENT:
            key = (f"{above['type']}::{above['name']}", *key)
            above = by_urn.get(above["parent"] or "")
        while key in result:  # the value before a rotation follows the current one
            key = (*key[:-1], f"{key[-1]} (before)")
        result[key] = node
    return result


def _rotation(node: Node) -> int:
    number = node["name"].rpartition("-")[2]
    return int(number) if node["type"].startswith("random:") and number.isdigit() else 0


def _name(node: Node) -> str:
    """Returns the name without the rotation, which differs between environments."""
    return str(node["name"].rpartition("-")[0]) if _rotation(node) else str(node["name"])


def components(key: Key) -> list[str]:
    """Returns names that may be a component's: those of the ancestors and the words in them, the longest first."""
    words = [part.partition("::")[2].split("-") for part in key]
    candidates = {"-".join(name[i:j]) for name in words for i in range(len(name)) for j in range(i + 1, len(name) + 1)}
    return sorted(candidates, key=lambda name: (-len(name), name))


def shown(key: Key) -> str:
    """Formats a resource as ``StatefulSet cockroachdb``."""
    kind, _, name = key[-1].partition("::")
    return f"{kind.rpartition(':')[2]} {name}"


def body(node: Node) -> dict[str, Any]:
    options = {name: node[name] for name in ("protect", "retain_on_delete") if name in node}
    return {**_without_stack(node["inputs"], node["urn"].split(":")[2]), "(options)": options}


def _without_stack(value: Any, stack: str) -> Any:
    """Removes the stack's name from symbols, which is not a difference."""
    if isinstance(value, dict):
        return {key: _without_stack(item, stack) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_stack(item, stack) for item in value]
    if not isinstance(value, str) or "${urn:" not in value:
        return value
    symbols = value.replace(f"urn:pulumi:{stack}::", "urn:pulumi:<stack>::")
    return _ROTATED.sub("", symbols) if "random:" in value else symbols


def flat(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yields every scalar; list items are identified by name, spread constraints by label, and not by position."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from flat(item, (*path, key))
    elif isinstance(value, list) and value:
        named = [item.get("name", item.get("topologyKey")) for item in value if isinstance(item, dict)]
        by_name = len(named) == len(value) and None not in named and len(set(named)) == len(named)
        for index, item in enumerate(value):
            yield from flat(item, (*path, str(named[index]) if by_name else index))
    else:
        yield path, value
