"""The plan of a refresh as data: tables, columns and masks."""

from __future__ import annotations

from dataclasses import dataclass, field

from config.model.contract import Column as Declared
from config.model.contract import Database
from config.model.contract import Table as Rules
from jobs.sanitize import catalog as source
from jobs.sanitize.contract.parts import Parts
from jobs.sanitize.dialect import Dialect
from jobs.sanitize.masks.documents import Part
from jobs.sanitize.masks.expressions import Mask

from .definitions import Definitions


@dataclass(frozen=True)
class CopiedColumn:
    """A column of a table that is copied."""

    live: source.Column
    declared: Declared
    mask: Mask | None
    own_digest: bool
    """Whether its digest is of its own value; else of the table's identity."""
    parts: tuple[Part, ...] = ()
    """Masked paths of a document that are compared with production's."""

    @property
    def name(self) -> str:
        return self.live.name


@dataclass(frozen=True)
class CopiedTable:
    """A copied table with its rows and columns."""

    live: source.Table
    rules: Rules
    fields: tuple[CopiedColumn, ...]
    """Without generated columns, which the target computes from the masked ones."""
    leaves: tuple[source.Table, ...]
    condition: str | None
    """Condition of the copied rows, over the alias ``r``."""
    detached: dict[str, str]
    """Column to the condition under which its reference is kept."""
    form: str
    """``binary`` or ``text``."""
    distinct: frozenset[str]
    """Columns that a unique index of the table or of a partition uses."""
    before: int = 0
    after: int = 0

    @property
    def name(self) -> str:
        return self.live.name

    @property
    def shuffled(self) -> bool:
        """Whether its rows are shuffled: where something is masked, unless a public number reveals the order anyway."""
        counted = any(
            item.mask is None and item.live.category == "integer" and self.live.is_unique(item.name)
            for item in self.fields
        )
        return self.rules.shuffle and not counted and any(item.mask is not None for item in self.fields)

    @property
    def size(self) -> int:
        """Bytes of its rows with their indexes, in the source."""
        return sum(leaf.size for leaf in self.leaves)

    @property
    def estimate(self) -> int:
        """Bytes of the copy, estimated by the share of rows."""
        return round(self.size * self.after / self.before) if self.before else 0


@dataclass(frozen=True)
class Plan:
    """The plan of a refresh."""

    system: str
    database: str
    declared: Database
    dialect: Dialect
    catalog: source.Catalog
    tables: dict[str, CopiedTable]
    """Tables in copying order: referenced tables first."""
    as_of: str
    hashes: dict[str, str]
    stores: dict[str, str]
    definitions: Definitions
    parts: Parts
    """Labels, attributes, views and functions of the schema."""
    warnings: tuple[str, ...] = field(default=())

    @property
    def schema(self) -> str:
        return self.declared.schema_
