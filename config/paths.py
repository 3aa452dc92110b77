"""Paths into a declaration, such as ``cockroachdb.resources.limits.cpu`` or ``gateway.hosts["a.example"]``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

_PART = re.compile(r'\.?([^.\[\]"]+)|\[(\d+)\]|\["([^"]*)"\]')


def parse(text: str) -> Path:
    """Parses a path; raises ``ValueError`` for other texts."""
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            raise ValueError(f"{text!r} is no path")
        name, index, quoted = match.groups()
        parts.append(int(index) if index is not None else quoted if quoted is not None else name)
        position = match.end()
    if not parts:
        raise ValueError("the path is empty")
    return tuple(parts)


def render(path: Path) -> str:
    """Returns the text of a path: the inverse of ``parse``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.search(r'[.\[\]"]', part):
            text += f'["{part}"]'
        else:
            text += f".{part}" if text else part
    return text


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yields every scalar of a tree of dicts and lists; a list of scalars is one leaf, and so is an empty dict."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, list(value) if isinstance(value, tuple) else value
