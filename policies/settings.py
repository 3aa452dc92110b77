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
    return lambda found: type(found) is type(value) and found == value


def least(number: float) -> Callable[[Any], bool]:
    """A number that is at least this."""
    return lambda found: isinstance(found, int | float) and not isinstance(found, bool) and found >= number


def given(found: Any) -> bool:
    """Something, whatever it is: an unknown value too."""
    return found not in (None, "", False)


def holds(*values: str) -> Callable[[Any], bool]:
    """A list with at least these in it."""
    return (
        lambda found: isinstance(found, Sequence) and not isinstance(found, str) and set(values) <= {*map(str, found)}
    )


def one_of(*values: object) -> Callable[[Any], bool]:
    """One of these values."""
    return lambda found: found in values


def settings(table: Mapping[str, Sequence[Setting]]) -> Check:
    """A check of every setting of a resource's type."""

    def check(resource: Resource, stack: Stack) -> Iterator[Problem]:  # noqa: ARG001 - a rule has one signature
        for setting in table.get(resource.type, ()):
            found = resource.get(*setting.path)
            unsure = isinstance(found, Unknown) and setting.wanted is not given
            if unsure or not setting.wanted(found):
                yield setting.path, setting.message

    return check


def statements(text: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Those of an IAM policy; none of one that is not known yet: it is shown again before anything is made of it.

    Raises ``ValueError`` for a text that is no policy.
    """
    if text is None or isinstance(text, Unknown):
        return
    document = json.loads(text)
    found = child(document, "Statement")
    yield from items(found if isinstance(found, Sequence) else [found])


def listed(value: Any) -> list[Any]:
    """A value, or each of several: IAM takes both forms."""
    if value is None:
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
