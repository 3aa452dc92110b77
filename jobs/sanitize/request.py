"""What a refresh is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config.model.contract import Contract
from jobs.sanitize.copy.kubernetes_workers import Place

from . import names
from .connection import Connection, connect


@dataclass(frozen=True)
class Asked:
    """What a refresh is asked for."""

    contract: Contract
    database: str
    source: str
    target: str
    workers: int = 2
    as_of: datetime | None = None
    """The time that the snapshot is of; default now."""
    backups: Path | None = None
    """Where staging's backup goes; None: none is made."""
    overrides: str = ""
    """SQL that is run in the copy before it is proved: what only staging has."""
    masked: bool = False
    """The source is a sanitised copy already."""
    place: Place | None = None
    """Where the workers run, when not on this machine."""
    wait: float = 60
    """Seconds that sessions with a lock on staging's tables are waited for."""
    fingerprints: bool = False
    """Compare every masked column by fingerprint, also those whose form production does not have."""

    @property
    def schema(self) -> str:
        """The schema that is refreshed."""
        return self.contract.databases[self.database].schema_

    def target_of_its_own(self) -> Connection:
        """A connection to the target that a later refresh of the schema may end, were this one killed."""
        return connect(self.target, "target", application=names.application(self.schema))
