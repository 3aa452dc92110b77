"""Required settings of resource types: a table, and the check of a rule that reads it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .resource import Path, Resource, Unknown, child, items
from .rule import Problem
from .stack import Stack

Check = Callable[[Resource, Stack], Iterator[Problem]]


@dataclass(frozen=True)
class Setting:
    """One required value."""

    path: Path
    wanted: Callable[[Any], bool]
    message: str


def is_(value: object) -> Callable[[Any], bool]:
    """Requires exactly this value."""
    return lambda actual: type(actual) is type(value) and actual == value


def least(number: float) -> Callable[[Any], bool]:
    """Requires at least this number."""
    return lambda actual: isinstance(actual, int | float) and not isinstance(actual, bool) and actual >= number


def given(actual: Any) -> bool:
    """Requires any value; an unknown one counts."""
    return actual not in (None, "", False)


def holds(*values: str) -> Callable[[Any], bool]:
    """Requires a list that contains at least these elements."""
    return (
        lambda actual: isinstance(actual, Sequence)
        and not isinstance(actual, str)
        and set(values) <= {*map(str, actual)}
    )


def one_of(*values: object) -> Callable[[Any], bool]:
    """Requires one of these values."""
    return lambda actual: actual in values


def settings(table: Mapping[str, Sequence[Setting]]) -> Check:
    """Returns a check of every setting of a resource's type."""

    def check(resource: Resource, stack: Stack) -> Iterator[Problem]:  # noqa: ARG001 - a rule has one signature
        for setting in table.get(resource.type, ()):
            actual = resource.get(*setting.path)
            unsure = isinstance(actual, Unknown) and setting.wanted is not given
            if unsure or not setting.wanted(actual):
                yield setting.path, setting.message

    return check


def statements(text: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yields the statements of an IAM policy; an unknown policy has none, and is shown again before it is created.

    Raises ``ValueError`` for a text that is not a policy.
    """
    if text is None or isinstance(text, Unknown):
        return
    document = json.loads(text)
    entries = child(document, "Statement")
    yield from items(entries if isinstance(entries, Sequence) else [entries])


def listed(value: Any) -> list[Any]:
    """Returns a value as a list: IAM accepts a single value or several."""
    if value is None:
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
