"""What stops a refresh. A mistake of the contract or of how it was called is a ``ConfigError`` (exit code 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class Trouble(RuntimeError):
    """The world did not do as it should: said in one message, exit code 1; the old data are as they were."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; ``found`` is how many rows broke it."""

    name: str
    table: str
    column: str
    found: int


class Leak(Trouble):
    """The proof failed: what was copied is not what was promised. Says where and how many, never a value."""

    def __init__(self, message: str, broken: Sequence[Check] = ()) -> None:
        lines = [f"{check.table}.{check.column or '*'}: {check.name}: {check.found} rows" for check in broken]
        super().__init__("\n  ".join([message, *lines]))


class SnapshotGone(Trouble):
    """The connection that exported the snapshot died; the copy begins again with another."""
