"""Every declared size is production's, scaled as the derivation states, and never above it.

The rule covers sizes of every kind, also of components that are not deployed yet: amounts, retention, instance classes,
shards, workers. The other rules of the family compare deployed objects with the declaration.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from ...quantity import amount
from ...references import iso
from ...resource import Path, Resource, child, items, shown, walk
from ...rule import Problem, Rule
from ...stack import ENVIRONMENT, Stack

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
"""Milliseconds."""
_DURATION = re.compile(r"(\d+)(ms|[smhdw])")
_CLASS = re.compile(r"(?:(?:db|cache|kafka)\.)?([a-z]+\d+[a-z]*)\.(\w+?)(?:\.search)?")
_SIZES = ("micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge")


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.type != ENVIRONMENT:
        return
    decided = {str(child(entry, "path")): entry for _, entry in items(stack.declared("derivation"))}
    ours, theirs = (_leaves(stack.declared(side, "components")) for side in ("resolved", "production"))
    for path, value in ours.items():
        before = theirs.get(path)
        if before is None or before == value:
            continue
        where, entry = ("resolved", "components", *path), decided.get(shown(path))
        if entry is None or not child(entry, "because"):
            yield where, f"{value!r}, production's is {before!r}, and the derivation does not say why"
        elif (child(entry, "production"), child(entry, "value")) != (before, value):
            yield where, f"{value!r}; the derivation says {child(entry, 'value')!r}"
        elif child(entry, "rule") == "scaled" and size(value, path) > size(before, path):
            yield where, f"{value!r} is above production's {before!r}"


def _leaves(components: Any) -> dict[Path, Any]:
    if not isinstance(components, Mapping):
        raise TypeError("the declaration has no components")
    return {path: leaf for path, leaf in walk(components) if path[-1] != "(key)" and not isinstance(path[-1], int)}


def size(value: Any, path: Path) -> Fraction:
    """Returns a size as a number; sizes of one kind (memory, duration, class, count) compare with each other.

    Raises ``ValueError`` for a value that is not a size.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Fraction(value)
    text = str(value)
    if "resources" not in str(path).lower() and (match := _DURATION.fullmatch(text)):
        return Fraction(int(match[1]) * _UNITS[match[2]])
    if (match := _CLASS.fullmatch(text)) and match[2] in _SIZES:
        return Fraction(2) ** _SIZES.index(match[2])
    return amount(text)


RULE = Rule(
    id="ratios-declaration",
    description="Every value of a component that is not production's is there with a reason, and no scaled size (CPU, memory, "
    "storage, retention, class, shards, replicas, workers) is above production's.",
    severity="high",
    remediation="Change the environment's scale or add a change with 'because' to the system's file.",
    check=check,
    references=(iso("A.8.31", "Separation of development, test and production environments"),),
)
