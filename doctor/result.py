"""Results of checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from .cluster import Cluster
from .needs import Needs

Status = Literal["ok", "warning", "failure", "unknown"]
"""``failure``: something would fail; ``warning``: something is weak; ``unknown``: it cannot be determined."""


@dataclass(frozen=True)
class Finding:
    """One result of a check; ``fix`` is the line to write, or the command to run."""

    status: Status
    said: str
    fix: str = ""


@dataclass(frozen=True)
class Result:
    """A finding, and its check."""

    check: str
    status: Status
    said: str
    fix: str


@dataclass(frozen=True)
class Check:
    """A question about a cluster.

    ``run`` yields at least one finding; it raises ``Forbidden`` for objects that it may not read.
    """

    id: str
    question: str
    run: Callable[[Needs, Cluster], Iterator[Finding]]
