"""Decodes the encodings in a text.

The work is linear in the length of the text and bounded: YAML aliases are not expanded, and a text that decodes to
far more than its length raises ``Endless``, so that the calling rule reports it.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import yaml

_WORD = re.compile(r"[A-Za-z0-9+/_-]{6,}")
_PART = re.compile(r"[A-Za-z0-9+/_-]{2,}")
_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----[A-Za-z0-9+/=\s]*-----END \1-----")
"""A key or a certificate.

Its body is DER in lines of base64; single lines are not decoded, because they may cut a name in two.
"""
_HEX = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}){8,}(?![0-9A-Fa-f])")
_PARSER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's loader where PyYAML was built with it: it reads a rule file of Prometheus in a tenth of the time."""
_PRINTABLE = bytes(byte if 32 <= byte < 127 or byte in b"\t\n\r" else 0 for byte in range(256))
DEPTH = 5
"""Largest depth of nested encodings."""
BUDGET = 4_000_000
"""Limit of the characters of all readings of one text, in addition to sixteen times its length."""


class Endless(ValueError):
    """The text has more readings than the limit."""


def readings(text: str) -> Iterator[str]:
    """Yields the text and its decoded forms, recursively: URL, base64 (whole, in parts, in lines), JSON and YAML."""
    left, seen, waiting = BUDGET + 16 * len(text), {text}, [(text, DEPTH)]
    while waiting:
        reading, depth = waiting.pop()
        yield reading
        if depth == 0 or len(reading) < 4:
            continue
        for decoded in _decoded(reading):
            if decoded not in seen:
                seen.add(decoded)
                left -= len(decoded) + 16
                if left < 0:
                    raise Endless("the text decodes to far more than itself")
                waiting.append((decoded, depth - 1))


def _decoded(text: str) -> Iterator[str]:
    if "%" in text:
        yield unquote(text)
    if "&" in text and ";" in text:
        yield html.unescape(text)
    outside = _PEM.sub("", text) if "-----BEGIN " in text else text
    for match in _WORD.finditer(outside):
        yield from _base64(match[0])
    for word in _wrapped(text):
        yield from _base64(word)
    for match in _HEX.finditer(text):
        yield from _said(bytes.fromhex(match[0]))
    if any(mark in text for mark in "{[\"':\\\n"):
        yield from _structured(text)


def _wrapped(text: str) -> Iterator[str]:
    """Yields base64 that is wrapped into lines or folded with blanks: words separated only by white space are joined."""
    parts: list[str] = []
    end = 0
    for match in _PART.finditer(text):
        if text[end : match.start()].strip(" \t\r\n\\") or match.start() == end:
            if len(parts) > 1:
                yield "".join(parts)
            parts = []
        parts.append(match[0])
        end = match.end()
    if len(parts) > 1:
        yield "".join(parts)


def _base64(word: str) -> Iterator[str]:
    complete = word[: len(word) - 1] if len(word) % 4 == 1 else word
    padded = (complete + "=" * (-len(complete) % 4)).replace("-", "+").replace("_", "/")
    try:
        decoded = base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError):
        return
    yield from _said(decoded)


def _said(decoded: bytes) -> Iterator[str]:
    """Decodes bytes as text: compressed, UTF-16, or an alphabet whose first half is ASCII."""
    if decoded[:2] == b"\x1f\x8b":
        try:
            unpacked = zlib.decompressobj(wbits=31).decompress(decoded, BUDGET)
        except zlib.error:
            return
        yield unpacked.decode("utf-8", "replace")
        return
    if decoded.count(0) * 3 > len(decoded):
        decoded = decoded.replace(b"\0", b"")
    readable = decoded.translate(_PRINTABLE)
    mostly = len(readable) - readable.count(0) >= max(3, 0.8 * len(readable))
    try:
        text = decoded.decode()
    except UnicodeDecodeError:
        text = decoded.decode("latin-1") if mostly else ""
    if text and (mostly or text.isprintable()):
        yield text


def _structured(text: str) -> Iterator[str]:
    try:
        yield from _leaves(json.loads(text))
    except RecursionError:
        raise Endless("the text is nested deeper than can be read") from None
    except ValueError:
        yield from _yaml(text)


def _leaves(parsed: Any) -> Iterator[str]:
    """Yields texts and keys of parsed JSON."""
    waiting = [parsed]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, dict):
            waiting += [*node, *node.values()]
        elif isinstance(node, list):
            waiting += node


def _yaml(text: str) -> Iterator[str]:
    """Yields the scalars of a YAML stream, each once: parsing events do not expand aliases."""
    try:
        for event in yaml.parse(text, Loader=_PARSER):
            if isinstance(event, yaml.ScalarEvent):
                yield event.value
    except (yaml.YAMLError, ValueError):
        return
    except RecursionError:
        raise Endless("the text is nested deeper than can be read") from None
