"""Substitutes variables in texts, because a host name may be composed of several."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .pods import containers, is_workload
from .resource import Path, Resource, Unknown, at, child, items
from .stack import Stack

_VARIABLE = re.compile(
    r"\$\(([A-Za-z_][A-Za-z0-9_.-]{0,100})\)|\$\{([A-Za-z_][A-Za-z0-9_]{0,100})(?::-[^{}]{0,100})?\}|\$([A-Za-z_][A-Za-z0-9_]{0,100})"
)
_ROUNDS = 4
"""Depth of variables inside variables."""
_LONGEST = 100_000
"""Limit of the characters of an expanded text; the rest of a longer one is not read."""


def expanded(resource: Resource, stack: Stack) -> Iterator[tuple[Path, str]]:
    """Yields path and text of each text of the object that contains a variable with a known value."""
    if resource.type == "kubernetes:core/v1:ConfigMap":
        data = resource.get("data")
        own = _texts(data)
        for key, text in own.items():
            yield from _changed(("data", key), text, own)
    elif is_workload(resource):
        for path, container in containers(resource):
            yield from _container(path, container, resource, stack)


def _container(path: Path, container: Any, resource: Resource, stack: Stack) -> Iterator[tuple[Path, str]]:
    maps = {(m.get("metadata", "namespace"), m.get("metadata", "name")): m for m in stack.of_kind("ConfigMap")}
    namespace_name = resource.get("metadata", "namespace")
    expansions: dict[str, str] = {}
    for _, source in items(child(container, "envFrom")):
        if values := maps.get((namespace_name, at(source, "configMapRef", "name"))):
            prefix = child(source, "prefix") or ""
            expansions |= {f"{prefix}{key}": text for key, text in _texts(values.get("data")).items()}
    for index, variable in items(child(container, "env")):
        name, value = child(variable, "name"), child(variable, "value")
        source = at(variable, "valueFrom", "configMapKeyRef")
        if source is not None and (values := maps.get((namespace_name, child(source, "name")))):
            value = at(values.get("data"), str(child(source, "key")))
        if isinstance(name, str) and isinstance(value, str):
            yield from _changed((*path, "env", index, "value"), value, expansions)
            expansions[name] = _put(value, expansions)
    for part in ("command", "args"):
        for index, word in items(child(container, part)):
            if isinstance(word, str):
                yield from _changed((*path, part, index), word, expansions)


def _texts(data: Any) -> dict[str, str]:
    texts = {key: child(data, key) for key in data} if isinstance(data, Mapping) else {}
    return {key: value for key, value in texts.items() if isinstance(value, str) and not isinstance(value, Unknown)}


def _changed(path: Path, text: str, known: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    if "$" in text and (result := _put(text, known)) != text:
        yield path, result


def _put(text: str, known: Mapping[str, str]) -> str:
    for _ in range(_ROUNDS):
        expanded = _VARIABLE.sub(lambda match: known.get(match[1] or match[2] or match[3], match[0])[:4096], text)[
            :_LONGEST
        ]
        if expanded == text:
            break
        text = expanded
    return text
