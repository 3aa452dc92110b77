"""Databases that AWS manages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints, field_validator

from config.model.base import Retention, Text
from config.model.quantity import Duration

from .managed import Managed, Nodes


def _backups(value: Duration) -> Duration:
    if not 1 <= value.seconds / 86400 <= 35 or value.seconds % 86400:
        raise ValueError(f"AWS keeps backups for 1 to 35 whole days, not {value}")
    return value


BackupRetention = Annotated[Retention, AfterValidator(_backups)]
Window = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")]
"""UTC, such as ``02:00-03:00``."""


class Database(Managed):
    """Encrypted, TLS only, backed up; AWS stores and rotates the master password."""

    has_reader = True

    user: Text = "master"
    backup_retention: BackupRetention = Duration.parse("30d")
    backup_window: Window = "03:00-04:00"
    maintenance_window: str = "sun:05:00-sun:06:00"
    allow_major_version_upgrade: bool = False
    """AWS refuses another major version without it; set it only for the change that is meant to upgrade."""
    skip_final_snapshot: bool = False
    """Whether a deleted database leaves no final snapshot."""


class Aurora(Database):
    """Aurora PostgreSQL or MySQL, Multi-AZ with a reader endpoint."""

    kind: Literal["aurora"]
    use = "aurora"
    engine: Literal["postgresql", "mysql"]
    nodes: Nodes = 2
    database: Text
    performance_insights_days: Literal[7, 31, 93, 186, 372, 731] = 7

    @field_validator("nodes")
    @classmethod
    def _several(cls, nodes: int) -> int:
        if nodes < 2:
            raise ValueError("Multi-AZ needs a writer and a reader at least")
        return nodes

    def ports(self) -> dict[str, int]:
        return {"sql": 5432 if self.engine == "postgresql" else 3306}


class DocumentDB(Database):
    """DocumentDB (MongoDB's protocol)."""

    kind: Literal["documentdb"]
    use = "documentdb"

    def ports(self) -> dict[str, int]:
        return {"mongodb": 27017}
