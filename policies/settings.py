"""Settings that a type of resource has to have: a table, and the rule's check that it makes."""

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
    """One value that has to be so."""

    path: Path
    wanted: Callable[[Any], bool]
    message: str


def is_(value: object) -> Callable[[Any], bool]:
    """Exactly this value."""
    return lambda actual: type(actual) is type(value) and actual == value


def least(number: float) -> Callable[[Any], bool]:
    """A number that is at least this."""
    return lambda actual: isinstance(actual, int | float) and not isinstance(actual, bool) and actual >= number


def given(actual: Any) -> bool:
    """Something, whatever it is: an unknown value too."""
    return actual not in (None, "", False)


def holds(*values: str) -> Callable[[Any], bool]:
    """A list with at least these in it."""
    return (
        lambda actual: isinstance(actual, Sequence)
        and not isinstance(actual, str)
        and set(values) <= {*map(str, actual)}
    )


def one_of(*values: object) -> Callable[[Any], bool]:
    """One of these values."""
    return lambda actual: actual in values


def settings(table: Mapping[str, Sequence[Setting]]) -> Check:
    """A check of every setting of a resource's type."""

    def check(resource: Resource, stack: Stack) -> Iterator[Problem]:  # noqa: ARG001 - a rule has one signature
        for setting in table.get(resource.type, ()):
            actual = resource.get(*setting.path)
            unsure = isinstance(actual, Unknown) and setting.wanted is not given
            if unsure or not setting.wanted(actual):
                yield setting.path, setting.message

    return check


def statements(text: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Those of an IAM policy; none of one that is not known yet: it is shown again before anything is made of it.

    Raises ``ValueError`` for a text that is no policy.
    """
    if text is None or isinstance(text, Unknown):
        return
    document = json.loads(text)
    entries = child(document, "Statement")
    yield from items(entries if isinstance(entries, Sequence) else [entries])


def listed(value: Any) -> list[Any]:
    """A value, or each of several: IAM takes both forms."""
    if value is None:
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
