"""Checks a plan against the values in the source, so that a refresh stops before the copy and not after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from config.errors import Problem
from config.model.contract import Class, Contract, Limit
from config.paths import Path
from jobs.sanitize.connection import Connection
from jobs.sanitize.dialect import quoted
from jobs.sanitize.masks.documents import unnamed
from jobs.sanitize.masks.expressions import BITS, WIDE

from .model import CopiedColumn, CopiedTable

COLLISION = 1000
"""A mask with fewer bits of the hash is used while fewer than one refresh in this number would have a collision."""


def problems(
    connection: Connection, contract: Contract, database: str, tables: Mapping[str, CopiedTable], *, masked: bool
) -> Iterator[Problem]:
    """Yields every conflict between the existing values and the plan.

    ``masked`` states that the source is a sanitised copy.
    """
    for table in tables.values():
        for item in table.fields:
            at: Path = ("databases", database, "tables", table.name, "columns", item.name)
            if item.declared.paths:
                yield from _paths(connection, contract, (*at, "paths"), table, item)
            if not masked and item.mask is not None and item.declared.value is None:
                yield from _identifiers(connection, contract, at, table, item)
                yield from _folded(connection, contract, at, table, item)


def counted(contract: Contract, database: str, tables: Mapping[str, CopiedTable]) -> Iterator[Problem]:
    """Checks the numbers of rows against the plan."""
    for table in tables.values():
        at: Path = ("databases", database, "tables", table.name)
        own = {name for key in table.live.references if key.parent == table.name for name in key.columns}
        own -= set(table.rules.detach)
        limited = isinstance(table.rules.rows, Limit) and table.rules.rows.limit > 0
        if own and limited and table.before and not table.after:
            message = f"none of its {table.before} rows is copied: the newest refer to rows that are not among them"
            yield contract.problem((*at, "rows"), message, f"add 'detach: [{', '.join(sorted(own))}]'")
        for item in table.fields:
            if item.mask is not None and item.mask.proof == "unique" and item.live.name in table.distinct:
                most = 2 ** (item.mask.bits + 1) / COLLISION
                if table.after**2 > most:
                    message = (
                        f"its mask has {item.mask.bits} bits of hash, too few for {table.after} rows that must differ"
                    )
                    yield contract.problem((*at, "columns", item.name), message, "widen the column")
    kept = [table for table in tables.values() if table.rules.rows != "none"]
    if kept and not any(table.after for table in kept):
        message = "no row of any table would be copied: staging would be empty"
        yield contract.problem(("databases", database, "tables"), message, "check the source, the rules and --as-of")


def _paths(
    connection: Connection, contract: Contract, at: Path, table: CopiedTable, item: CopiedColumn
) -> Iterator[Problem]:
    for (path,) in connection.execute(unnamed(item.declared.paths, quoted(item.name), table.live.place).encode()):
        yield contract.problem(at, f"the path {path} is not classified", f"add '{path}': drop, or what it is")


def _identifiers(
    connection: Connection, contract: Contract, at: Path, table: CopiedTable, item: CopiedColumn
) -> Iterator[Problem]:
    """Checks that mapped whole numbers fit above production's largest."""
    if item.declared.cls is not Class.IDENTIFIER or item.live.category != "integer" or item.live.array:
        return
    name, small, wide = quoted(item.name), 1 << BITS, 1 << WIDE
    outside = f"{name} < 0 OR {name} BETWEEN {small} AND {2 * small - 1} OR {name} >= {wide}"
    row = connection.execute(f"SELECT count(*) FROM {table.live.place} WHERE {outside}".encode()).fetchone()
    if row and row[0]:
        message = (
            f"{row[0]} of its values cannot be masked: identifiers may be from 0 to 2^{BITS} - 1, and in a bigint "
            f"from 2^{BITS + 1} to 2^{WIDE} - 1; masked ones are in between and above"
        )
        yield contract.problem(at, message, "class it 'drop', or give a 'value', here and where it is referred to")


def _folded(
    connection: Connection, contract: Contract, at: Path, table: CopiedTable, item: CopiedColumn
) -> Iterator[Problem]:
    """Checks that values of a case-insensitive column do not differ by case only: they would share a mask."""
    if not item.live.folded or item.live.base == "citext" or item.name not in table.distinct:
        return
    value = f"{quoted(item.name)}::text"
    query = f"SELECT count(DISTINCT {value}) - count(DISTINCT lower({value})) FROM {table.live.place}"
    row = connection.execute(query.encode()).fetchone()
    if row and row[0]:
        message = (
            f"{row[0]} of its values differ from others by capitals alone, and a column of its class is citext, which does "
            "not tell them: both would have one mask"
        )
        yield contract.problem(at, message, "make one of the columns the other's type")
