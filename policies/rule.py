"""A rule, and its findings on a resource."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from .resource import Path, Resource, shown
from .stack import Stack

Severity = Literal["critical", "high", "medium", "low"]
STACK = "pulumi:pulumi:Stack"
"""The root resource: it has no inputs and precedes the declaration."""
Problem = tuple[Path, str]
"""A path, and the problem there."""


@dataclass(frozen=True)
class Reference:
    """A requirement of a published framework."""

    framework: str
    version: str
    id: str
    title: str
    url: str


@dataclass(frozen=True)
class Finding:
    """A resource that breaks a rule."""

    rule: str
    urn: str
    property: str
    message: str


@dataclass(frozen=True)
class Rule:
    """One requirement on single resources; ``check`` yields a problem for each way in which it is not met."""

    id: str
    description: str
    severity: Severity
    remediation: str
    check: Callable[[Resource, Stack], Iterator[Problem]]
    references: tuple[Reference, ...] = ()

    def judge(self, resource: Resource, stack: Stack) -> list[Finding]:
        """Returns the findings on a resource; an exception in the rule is a finding, too."""
        if resource.type == STACK:
            return []
        problems: list[Problem] = []
        try:
            problems.extend(self.check(resource, stack))
        except Exception as error:  # noqa: BLE001 - whatever it was, the resource was not judged
            problems.append(((), f"the rule could not judge it: {type(error).__name__}: {error}"))
        return [Finding(self.id, resource.urn, shown(path), message) for path, message in problems]
