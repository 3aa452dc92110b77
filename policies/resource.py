"""A resource in the form that rules read, from the engine or from the recorded graph.

The SDK's inputs are proxies: ``Mapping`` and ``Sequence``, not ``dict`` and ``list``, that raise at the first unknown.
The walker here uses the abstract types and reads each leaf separately, so that one unknown hides no value beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi_policy.proxy import UnknownValueError

Path = tuple[str | int, ...]
_SYMBOL = re.compile(r"\$\{(urn:[^}]+)\.[\w/]+\}")
_HIDDEN = "[secret]"


@dataclass(frozen=True)
class Unknown:
    """A value that is known only after a resource is created."""

    origin: str | None = None
    """URN of the resource that decides the value, where the recorded graph contains it."""


@dataclass(frozen=True)
class Resource:
    """One resource: its inputs, and the options that rules read."""

    urn: str
    type: str
    name: str
    props: Mapping[str, Any]
    provider: str | None = None
    """URN of its provider, ``None`` for components."""
    protect: bool = False

    @property
    def kind(self) -> str:
        """``kubernetes:apps/v1:Deployment`` -> ``Deployment``."""
        return self.type.rpartition(":")[2]

    def get(self, *path: str | int) -> Any:
        """Returns the value at a path: ``None`` where there is none, ``Unknown`` where it is not known in a preview."""
        return at(self.props, *path)

    def leaves(self) -> Iterator[tuple[Path, Any]]:
        """Yields every scalar with its path; an unknown value is one leaf."""
        return walk(self.props)


def at(node: Any, *path: str | int) -> Any:
    """Returns the value at a path below ``node``; an unknown on the way is returned."""
    for part in path:
        if isinstance(node, Unknown):
            return node
        node = child(node, part)
    return node


def child(node: Any, key: str | int) -> Any:
    """Returns the value of one key: ``None`` where there is none, ``Unknown`` where it is not known in a preview."""
    try:
        if isinstance(node, Mapping):
            value = node[key] if key in node else None  # noqa: SIM401 - proxies have no get
        elif isinstance(node, Sequence) and not isinstance(node, str) and isinstance(key, int) and key < len(node):
            value = node[key]
        else:
            return None
    except UnknownValueError:
        return Unknown()
    return _seen(value)


def _seen(value: Any) -> Any:
    """Converts a recorded value: a symbol is unknown with a known origin, and a secret is replaced by its content."""
    if isinstance(value, Mapping) and list(value) == [_HIDDEN]:
        inner = value[_HIDDEN]
        return Unknown() if inner is True else _seen(inner)
    if isinstance(value, str) and (match := _SYMBOL.fullmatch(value)):
        return Unknown(match[1])
    return value


def walk(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yields every leaf below ``node``. Keys of mappings are texts that a person wrote, too, and are leaves of their own."""
    if isinstance(node, Mapping):
        for key in list(node):
            yield (*path, key, "(key)"), key
            yield from walk(child(node, key), (*path, key))
    elif isinstance(node, Sequence) and not isinstance(node, str | bytes):
        for index in range(len(node)):
            yield from walk(child(node, index), (*path, index))
    else:
        yield path, node


def items(node: Any) -> Iterator[tuple[int, Any]]:
    """Yields the elements of a list, none for other values; an unknown list is one unknown element."""
    if isinstance(node, Unknown):
        yield 0, node
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for index in range(len(node)):
            yield index, child(node, index)


def said(value: Any) -> str:
    """Formats a value for a message."""
    return "unknown" if isinstance(value, Unknown) else "nothing" if value is None else str(value)


def shown(path: Path) -> str:
    """Formats a path: ``spec.containers[0].image``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
