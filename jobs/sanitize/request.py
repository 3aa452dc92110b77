"""Requests for a refresh."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.errors import ConfigError, Problem
from config.model.contract import Contract
from jobs.sanitize.copy.kubernetes_workers import Place

from . import names
from .connection import Connection, connect


def check_as_of(as_of: datetime, given_by: str) -> None:
    """Raises ``ConfigError`` when ``as_of`` is in the future; a time without a zone is UTC.

    Windows count back from it, so a future time would select no row and leave staging empty. ``given_by`` names the
    option or the field in the message.
    """
    if as_of.replace(tzinfo=as_of.tzinfo or UTC) > datetime.now(UTC):
        raise ConfigError(
            Problem(given_by, None, "", f"found {as_of.isoformat()}, which is in the future", "a time in UTC")
        )


@dataclass(frozen=True)
class RefreshRequest:
    """The parameters of a refresh."""

    contract: Contract
    database: str
    source: str
    target: str
    workers: int = 2
    as_of: datetime | None = None
    """The time of the snapshot; default now."""
    backups: Path | None = None
    """Directory of staging's backup; None: no backup."""
    overrides: str = ""
    """SQL that is run in the copy before it is proved, for data that only staging has."""
    masked: bool = False
    """Whether the source is a sanitised copy already."""
    place: Place | None = None
    """Location of the workers, when not on this machine."""
    wait: float = 60
    """Seconds that sessions with a lock on staging's tables are waited for."""
    fingerprints: bool = False
    """Whether all masked columns are compared by fingerprint, also those whose form production does not have."""

    def __post_init__(self) -> None:
        """Refuses a future ``as_of`` before anything connects, whether an option, a variable or a snapshot gave it."""
        if self.as_of is not None:
            check_as_of(self.as_of, "as_of")

    @property
    def schema(self) -> str:
        """Returns the schema that is refreshed."""
        return self.contract.databases[self.database].schema_

    def target_of_its_own(self) -> Connection:
        """Opens a connection to the target that a later refresh of the schema may terminate, if this one is killed."""
        return connect(self.target, "target", application=names.application(self.schema))
