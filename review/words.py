"""Explains differences between two texts: declared values, declared names inside words, and numbers at a declared ratio."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from config.model.quantity import Bytes, Cpu, Duration, Percent
from config.paths import parse

ABSENT = "(absent)"
"""The placeholder of a missing value on one side of a difference."""
_JOB = re.compile(r"(.+)-[0-9a-f]{8}")
_WORD = re.compile(r"[A-Za-z0-9._:/@%+-]+|[^A-Za-z0-9._:/@%+-]+")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)([A-Za-z]*)")
_STEPS = 200_000
"""Largest number of steps of an alignment of two words; a longer one counts as unexplained."""


@dataclass(frozen=True)
class Entry:
    """A declared difference, from the derivation."""

    path: str
    production: Any
    value: Any
    rule: str
    ratio: str | None = None
    because: str | None = None

    @cached_property
    def component(self) -> str:
        return str(parse(self.path)[0])

    @cached_property
    def scale(self) -> Fraction | None:
        """The declared scale of a scaled size."""
        return Fraction(self.ratio.rstrip("%")) / 100 if self.rule == "scaled" and self.ratio else None

    @cached_property
    def bytes_ratio(self) -> Fraction | None:
        """The ratio of a changed amount of bytes to production's."""
        if self.rule != "changed":
            return None
        with suppress(ValueError, ZeroDivisionError):
            return Bytes.parse(self.value).value / Bytes.parse(self.production).value
        return None

    @cached_property
    def name(self) -> tuple[str, str] | None:
        """Production's text and this environment's, where they may be part of a longer text."""
        both = self.production, self.value
        if self.rule not in ("identity", "changed") or not all(isinstance(side, str) and side for side in both):
            return None
        short = self.rule == "changed" and len(self.production) < 3
        return None if short else (self.production, self.value)


def exact(old: str, new: str, entries: Iterable[Entry]) -> Entry | None:
    """Returns the entry whose two values these are, in any notation."""
    return next((e for e in entries if old in _forms(e.production, e.rule) and new in _forms(e.value, e.rule)), None)


def explained(old: str, new: str, entries: list[Entry]) -> list[tuple[Entry | None, str | None]]:
    """Returns entry and reason for each differing word; empty where a word has none. An entry ``None`` is a digest."""
    if ABSENT in (old, new):
        return []
    used: list[tuple[Entry | None, str | None]] = []
    names = [e for e in entries if e.name and e.name[0] in old and e.name[1] in new]
    ours, theirs = (_split(text, [e.name[side] for e in names if e.name]) for side, text in ((0, old), (1, new)))
    if len(ours) != len(theirs):
        return []
    for before, after in zip(ours, theirs, strict=True):
        if before != after:
            explanation = _word(before, after, entries, names)
            if explanation is None:
                return []
            used.append(explanation)
    return used


def _split(text: str, names: Iterable[str]) -> list[str]:
    """Splits a text into words and the text between them; a declared value of several words is one."""
    several = sorted({name for name in names if len(_WORD.findall(name)) > 1}, key=len, reverse=True)
    if not several:
        return _WORD.findall(text)
    declared = "|".join(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])" for name in several)
    parts = re.split(f"({declared})", text)
    return [word for index, part in enumerate(parts) for word in ([part] if index % 2 else _WORD.findall(part))]


def _word(before: str, after: str, entries: list[Entry], names: list[Entry]) -> tuple[Entry | None, str | None] | None:
    if entry := exact(before, after, entries):
        return entry, entry.because
    if same_stem(before, after):
        return None, "a digest of what differs as declared"
    explanation = (
        _renamed(before, after, names) or _at_offset(before, after, entries) or _at_ratio(before, after, entries)
    )
    return (explanation, explanation.because) if explanation else None


def same_stem(old: str, new: str) -> bool:
    """Returns whether both are the same name followed by a digest."""
    stems = [match[1] for text in (old, new) if (match := _JOB.fullmatch(text.strip("'\"")))]
    return len(stems) == 2 and stems[0] == stems[1]


def _forms(value: Any, rule: str) -> frozenset[str]:
    """Returns the notations of a declared value: an amount also in its base unit, a name also capitalised."""
    if value is None:
        return frozenset({ABSENT})
    text = str(value)
    other = text.lower() if isinstance(value, bool) else text.capitalize() if rule == "identity" else text
    return _amounts(text) | {text, other}


@cache
def _amounts(text: str) -> frozenset[str]:
    return frozenset(form for base in _bases(text) for form in (f"{base:g}", str(base)))


def _bases(text: str) -> Iterator[float]:
    """Yields a value in base units (cores, bytes, seconds, …) or as a fraction; ``m`` may be minutes or millicores."""
    for quantity, larger in ((Cpu, 1), (Bytes, 2**30), (Duration, 86400), (Percent, Fraction(1, 100))):
        with suppress(ValueError):
            value = quantity.parse(text).value
            yield float(value)
            if value and value % larger == 0:
                yield float(value / larger)


def _tokens(text: str, name: str) -> Iterator[int]:
    """Yields the positions of ``name`` as a whole word, without a letter or digit beside it."""
    at = text.find(name)
    while at >= 0:
        if _whole(text, at, name):
            yield at
        at = text.find(name, at + 1)


def _whole(text: str, at: int, name: str) -> bool:
    end = at + len(name)
    return not text[at - 1 : at].isalnum() and not text[end : end + 1].isalnum()


def _renamed(before: str, after: str, names: list[Entry]) -> Entry | None:
    """Returns the last of the entries that turn one word into the other, each name replaced where it is a whole token.

    Tokens are tried side by side and not one after the other, so that a replaced text is not replaced again.
    """
    starts: dict[int, list[tuple[str, str, Entry]]] = {}
    for entry in names:
        if entry.name:
            for at in _tokens(before, entry.name[0]):
                starts.setdefault(at, []).append((*entry.name, entry))
    places = sorted(starts)
    waiting = _until_next(before, after, (0, 0, None), places)
    seen: set[tuple[int, int]] = set()
    while waiting and len(seen) < _STEPS:
        left, right, last = state = waiting.pop()
        if left == len(before) and right == len(after) and last is not None:
            return last
        if (left, right) not in seen:
            seen.add((left, right))
            # continue without replacing this token, or with each of the names at this place
            waiting += _until_next(before, after, state, places, beyond=left)
            for old, new, entry in starts.get(left, ()):
                if after.startswith(new, right) and _whole(after, right, new):
                    candidate = left + len(old), right + len(new), entry
                    waiting += _until_next(before, after, candidate, places)
    return None


_State = tuple[int, int, Entry | None]
"""Positions reached in both words, and the last entry used."""


def _until_next(before: str, after: str, state: _State, places: list[int], beyond: int = -1) -> list[_State]:
    """Returns the state at the next token, when the text up to it is the same in both words."""
    left, right, last = state
    index = bisect_left(places, max(left, beyond + 1))
    end = places[index] if index < len(places) else len(before)
    same = before[left:end] == after[right : right + end - left]
    return [(end, right + end - left, last)] if same and end > beyond else []


def _at_offset(before: str, after: str, entries: list[Entry]) -> Entry | None:
    """Explains an address at the same offset in a network that differs, such as its resolver's."""
    try:
        old, new = IPv4Address(before), IPv4Address(after)
    except ValueError:
        return None
    for entry in entries:
        with suppress(ValueError):
            networks = [IPv4Network(str(side)) for side in (entry.production, entry.value)]
            if old in networks[0] and int(old) - int(networks[0][0]) == int(new) - int(networks[1][0]):
                return entry
    return None


def _at_ratio(before: str, after: str, entries: list[Entry]) -> Entry | None:
    """Explains a number that was computed from a differing amount, such as Redis' maxmemory.

    Of changed, not scaled, amounts only bytes count, and only in large numbers, because a small number may have the ratio
    by chance.
    """
    old, new = _NUMBER.fullmatch(before), _NUMBER.fullmatch(after)
    if old is None or new is None or old[2] != new[2] or not Fraction(old[1]):
        return None
    ratio = Fraction(new[1]) / Fraction(old[1])
    large = min(Fraction(old[1]), Fraction(new[1])) >= 1_000_000
    return next((e for e in entries if ratio == e.scale or (large and ratio == e.bytes_ratio)), None)
