"""Fingerprints: keyed hashes of production's values, computed in the source and compared with the copy's in the target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from jobs.sanitize.connection import Connection
from jobs.sanitize.copy import ranges
from jobs.sanitize.dialect import quoted
from jobs.sanitize.names import QUIET, work
from jobs.sanitize.plan.model import CopiedColumn, CopiedTable, Plan
from jobs.sanitize.plan.planner import select


@dataclass(frozen=True)
class Comparison:
    """A masked value that is compared with production's."""

    field: CopiedColumn
    expression: str
    """The value's expression over ``{raw}``."""
    among: str
    """``unique``: compared with all of production's; ``rows``: with the same row's."""
    form: str
    """The condition, over the alias ``r``, that the value could be a masked one."""

    def of(self, value: str) -> str:
        """Returns the bytes of the value that are compared."""
        if self.field.live.base == "bytea":
            return value
        text = self.expression.replace("{raw}", value) + "::text"
        return f"convert_to({f'lower({text})' if self.field.live.base == 'citext' else text}, 'UTF8')"


def comparisons(table: CopiedTable) -> list[Comparison]:
    """Returns every masked value of the table that has to differ from one of production's."""
    result = []
    for item in table.fields:
        value = f"r.{quoted(item.name)}"
        result += [
            Comparison(item, part.expression, "rows", part.suspicion.replace("{raw}", value)) for part in item.parts
        ]
        if item.mask is not None and item.mask.proof != "shape":
            result.append(Comparison(item, "{raw}", item.mask.proof, item.mask.suspicion(value)))
    if not table.live.primary_key:  # rows cannot be identified: every value is compared with all of production's
        result = [replace(item, among="unique") for item in result]
    return result


def overlapping(source: Connection, plan: Plan) -> dict[tuple[str, str], int]:
    """Returns masked columns, with the number of production's values that could be masked ones."""
    overlaps: dict[tuple[str, str], int] = {}
    for table in plan.tables.values():
        request = comparisons(table)
        if not request:
            continue
        counts = ", ".join(f"count(*) FILTER (WHERE {item.form})" for item in request)
        row = source.execute(f"SELECT {counts} FROM {table.live.place} r".encode()).fetchone()
        assert row is not None, "an aggregate has a row"
        for item, count in zip(request, row, strict=True):
            key = (table.name, item.field.name)
            overlaps[key] = overlaps.get(key, 0) + count
    return overlaps


def fingerprints(target: Connection, plan: Plan, *, every: bool) -> Iterator[ranges.Range]:
    """Creates the tables of the fingerprints; returns the ranges that fill them.

    They contain those of production's values that could be masked ones: every value of the copy is proved to have the
    mask's form, so no other value can be equal to it. ``every`` selects all values.
    """
    place = quoted(work(plan.schema))
    for number, table in enumerate(plan.tables.values()):
        all_comparisons = comparisons(table)
        if not all_comparisons or table.rules.rows == "none":
            continue
        by_row = any(item.among == "rows" for item in all_comparisons)
        key = table.live.primary_key if by_row else ()
        types = {item.name: item.live for item in table.fields}
        columns = [f"k{n} {types[name].plain}" for n, name in enumerate(key)] + [
            f"f{n} bytea" for n in range(len(all_comparisons))
        ]
        settings = f"WITH ({QUIET} = off)"
        target.execute(f"CREATE UNLOGGED TABLE {place}.f{number} ({', '.join(columns)}) {settings}".encode())
        forms = ["" if every else item.form for item in all_comparisons]
        prints = [plan.dialect.fingerprint(item.of(f"r.{quoted(item.field.name)}")) for item in all_comparisons]
        prints = [
            f"CASE WHEN {form} THEN {fingerprint} END" if form else fingerprint
            for form, fingerprint in zip(forms, prints, strict=True)
        ]
        any_form = " OR ".join(f"({form})" for form in forms) if all(forms) else None
        every_row = replace(table, condition=any_form, detached={})  # from production, not from the copied rows
        for leaf in table.leaves:
            for within, size in ranges.divided(plan.dialect, leaf, table.before, whole=False):
                statement = select(every_row, leaf, plan.dialect, within, key, prints)
                yield ranges.Range(
                    f"COPY {place}.f{number} FROM STDIN (FORMAT {table.form})",
                    f"COPY ({statement}) TO STDOUT (FORMAT {table.form})",
                    size // 4,  # about the time of copying it
                )
