"""Errors that stop a refresh; the data in use stay as they were. Mistakes of the contract are a ``ConfigError``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from config.errors import ExternalError


@dataclass(frozen=True)
class Check:
    """A completed check; ``found`` is the number of rows that broke it."""

    name: str
    table: str
    column: str
    found: int


class Leak(ExternalError):
    """The proof failed: the copy breaks the contract. The message has places and numbers, and no value."""

    def __init__(self, message: str, broken: Sequence[Check] = ()) -> None:
        lines = [f"{check.table}.{check.column or '*'}: {check.name}: {check.found} rows" for check in broken]
        super().__init__("\n  ".join([message, *lines]))


class SnapshotGone(ExternalError):
    """The connection that exported the snapshot died; the copy begins again with another snapshot."""
