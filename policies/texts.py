"""What a string says once its encodings are undone."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import yaml

from .resource import walk

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{6,}={0,2}")
_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML was built with it: a rule file of Prometheus takes a tenth of the time."""
DEPTH = 5
"""Encodings inside encodings; nobody nests more by accident."""


def readings(text: str, depth: int = DEPTH) -> Iterator[str]:
    """The text, and what it says as a URL, as base64 (whole or in parts), as JSON and as YAML, again and again."""
    yield text
    if depth == 0 or len(text) < 4:
        return
    for decoded in _decoded(text):
        if decoded != text:
            yield from readings(decoded, depth - 1)


def _decoded(text: str) -> Iterator[str]:
    if "%" in text:
        yield unquote(text)
    for match in _BASE64.finditer(text):
        yield from _base64(match[0])
    if any(mark in text for mark in "{[\"':\\\n"):
        yield from _structured(text)


def _base64(word: str) -> Iterator[str]:
    padded = word.rstrip("=")
    padded += "=" * (-len(padded) % 4)
    try:
        decoded = base64.b64decode(
            padded, altchars=b"-_" if "-" in word or "_" in word else None, validate=True
        ).decode()
    except (binascii.Error, ValueError):
        return
    if decoded.isprintable() or "\n" in decoded:
        yield decoded


def _structured(text: str) -> Iterator[str]:
    try:
        parsed = json.loads(text)
    except ValueError:
        try:
            parsed = yaml.load(text, _LOADER)  # noqa: S506 - both are safe loaders
        except (yaml.YAMLError, ValueError):
            return
    if isinstance(parsed, str) and parsed == text:
        return
    for _, leaf in walk(parsed):
        if isinstance(leaf, str):
            yield leaf
