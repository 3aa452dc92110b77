"""Fingerprints: production's values made unrecognisable where they are read, to be compared with the copy's in the target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from . import ranges
from .catalog import Column
from .connection import Connection
from .dialect import quoted
from .documents import compared
from .names import WORK
from .plan import Copied, Field, Plan, select


@dataclass(frozen=True)
class Comparison:
    """A masked value that is compared with production's."""

    field: Field
    expression: str
    """Over ``{raw}``: the part of the value."""
    among: str
    """``unique``: with all of production's; ``rows``: with its own row's."""

    def of(self, value: str) -> str:
        """The bytes of the value that are compared."""
        if self.field.live.base == "bytea":
            return value
        text = self.expression.replace("{raw}", value) + "::text"
        return f"convert_to({f'lower({text})' if self.field.live.base == 'citext' else text}, 'UTF8')"


def comparisons(table: Copied) -> list[Comparison]:
    """Every masked value of the table that has one of production's to differ from."""
    found = []
    for item in table.fields:
        if item.mask is None or item.mask.proof == "shape":
            continue
        if item.declared.paths:
            found += [Comparison(item, expression, "rows") for expression in compared(item.declared.paths)]
        else:
            found.append(Comparison(item, "{raw}", item.mask.proof))
    if not table.live.primary_key:  # no row can be found again: every value with all of production's
        found = [Comparison(item.field, item.expression, "unique") for item in found]
    return found


def overlapping(source: Connection, plan: Plan) -> dict[tuple[str, str], int]:
    """Masked columns, and how many of production's values have the mask's own form.

    Where none has, and every row of the copy has, no value of the copy is one of production's: exactly, whatever the form is.
    A form that is too wide has production's values in it, and is not believed. The others are compared by fingerprint.
    """
    found: dict[tuple[str, str], int] = {}
    for table in plan.tables.values():
        asked = [item.field for item in comparisons(table) if not item.field.declared.paths]
        if not asked:
            continue
        row: tuple[Any, ...] = ()
        for quick in (True, False):
            conditions = (
                (item.mask.condition(f"r.{quoted(item.name)}", quick=quick) if item.mask else "true") for item in asked
            )
            counts = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)
            try:
                with source.transaction():
                    row = source.execute(f"SELECT {counts} FROM {quoted(table.name)} r".encode()).fetchone() or ()
                break
            except psycopg.DataError:
                continue
        if row:  # else nobody knows, and fingerprints are brought
            found |= {(table.name, item.name): count for item, count in zip(asked, row, strict=True)}
    return found


def hashed(table: Copied, overlaps: Mapping[tuple[str, str], int]) -> list[Comparison]:
    """What fingerprints are brought of: all whose form production has too, or nobody asked."""
    return [item for item in comparisons(table) if overlaps.get((table.name, item.field.name), 1)]


def fingerprints(target: Connection, plan: Plan, overlaps: Mapping[tuple[str, str], int]) -> Iterator[ranges.Range]:
    """Makes the tables of the fingerprints; the ranges that fill them."""
    for number, table in enumerate(plan.tables.values()):
        found = hashed(table, overlaps)
        if not found or table.rules.rows == "none":
            continue
        by_row = any(item.among == "rows" for item in found)
        key = table.live.primary_key if by_row else ()
        types = {item.name: item.live for item in table.fields}
        columns = [f"k{n} {plain(types[name])}" for n, name in enumerate(key)] + [
            f"f{n} bytea" for n in range(len(found))
        ]
        target.execute(f"CREATE UNLOGGED TABLE {WORK}.f{number} ({', '.join(columns)})".encode())
        prints = [plan.dialect.fingerprint(item.of(f"r.{quoted(item.field.name)}")) for item in found]
        every = Copied(
            **{**table.__dict__, "condition": None, "detached": {}}
        )  # all of production, not what is copied of it
        for leaf in table.leaves:
            for within, size in ranges.divided(plan.dialect, leaf, table.before, whole=False):
                statement = select(every, leaf, plan.dialect, within, key, prints)
                yield ranges.Range(
                    f"COPY {WORK}.f{number} FROM STDIN (FORMAT {table.form})",
                    f"COPY ({statement}) TO STDOUT (FORMAT {table.form})",
                    size // 4,  # of the time that copying it takes, about
                )


def plain(column: Column) -> str:
    """A type that both sides have: an enum's or a domain's values are compared as text."""
    return column.base if column.category not in ("enum", "other") else "text"
