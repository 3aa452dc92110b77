"""The work of a refresh, divided: a table in the target lists the ranges of rows and which of them are done.

Every process with the keys and both connections may take a range: processes of one machine, or the pods of an Indexed
Job. A worker holds a range by the lock on its row, copies it in the same transaction, and commits rows and mark together.
When a worker dies, its transaction is rolled back, and another worker takes the range.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jobs.sanitize.catalog import Table
from jobs.sanitize.connection import Connection
from jobs.sanitize.dialect import Dialect, quoted

PAGES = 4096
"""Size of a range, 32 MiB of a table: psql's start (70 ms of CPU) is a small part of it, and it is shuffled in memory."""
ROWS = 100_000
"""Rows of a range where the table has no pages."""


@dataclass(frozen=True)
class Range:
    """Rows that are copied in one transaction."""

    target: str
    """The complete statement ``COPY … FROM STDIN``."""
    source: str
    """The complete statement ``COPY … TO STDOUT``."""
    size: int
    """Bytes in the source, for the progress."""


def create(target: Connection, place: str, dialect: Dialect, moment: str) -> None:
    """Creates the empty schema of the work.

    ``place`` is its quoted name, ``moment`` the point in time that every worker reads.
    """
    target.execute(f"CREATE SCHEMA {place}")
    target.execute(f"CREATE TABLE {place}.run (opening text[] NOT NULL)")
    target.execute(f"INSERT INTO {place}.run (opening) VALUES (%s)", [dialect.begin(moment)])
    target.execute(
        f"CREATE TABLE {place}.ranges (id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY, source text NOT NULL, "
        "target text NOT NULL, size bigint NOT NULL, rows bigint, worker text)"
    )


def add(target: Connection, place: str, ranges: Iterable[Range]) -> None:
    """Adds ranges, the largest first, so that no worker has one left at the end."""
    rows = [(item.source, item.target, item.size) for item in sorted(ranges, key=lambda item: -item.size)]
    with target.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {place}.ranges (source, target, size) VALUES (%s, %s, %s)", rows)


def divided(dialect: Dialect, leaf: Table, rows: int, *, whole: bool) -> Iterator[tuple[str | None, int]]:
    """Yields the ranges of a table with rows: conditions over the alias ``r``, with the bytes of each."""
    if dialect.physical:
        return of_pages(leaf.pages, leaf.size, whole=whole)
    key = quoted(leaf.primary_key[0]) if leaf.primary_key else ""
    return of_key(leaf.place, key, rows, leaf.size, whole=whole or not key)


def of_pages(pages: int, size: int, *, whole: bool) -> Iterator[tuple[str | None, int]]:
    """Yields conditions over the alias ``r`` that divide a table, with the bytes of each; the last has no end."""
    if whole or pages <= PAGES:
        yield None, size
        return
    count = -(-pages // PAGES)
    for number in range(count):
        begin, end = pages * number // count, pages * (number + 1) // count
        until = f" AND r.ctid < '({end},0)'::tid" if number < count - 1 else ""
        yield f"r.ctid >= '({begin},0)'::tid{until}", size // count


def of_key(table: str, key: str, rows: int, size: int, *, whole: bool) -> Iterator[tuple[str | None, int]]:
    """Yields the same by the first column of the key; ``table`` and ``key`` are quoted.

    The bounds are sub-selects, so the keys do not leave the source.
    """
    if whole or rows <= ROWS:
        yield None, size
        return
    count = -(-rows // ROWS)

    def bound(number: int) -> str:
        return f"(SELECT {key} FROM {table} ORDER BY {key} OFFSET {rows * number // count} LIMIT 1)"

    for number in range(count):
        parts = [f"r.{key} >= {bound(number)}"] if number else []
        parts += [f"r.{key} < {bound(number + 1)}"] if number < count - 1 else []
        yield " AND ".join(parts), size // count


def progress(target: Connection, place: str) -> tuple[int, int, int]:
    """Returns bytes done, bytes in all, rows done."""
    row = target.execute(
        f"SELECT coalesce(sum(size) FILTER (WHERE rows IS NOT NULL), 0), coalesce(sum(size), 0), coalesce(sum(rows), 0) "
        f"FROM {place}.ranges"
    ).fetchone()
    assert row is not None, "an aggregate has a row"
    return int(row[0]), int(row[1]), int(row[2])


def left(target: Connection, place: str) -> int:
    """Returns the number of ranges that are not done."""
    row = target.execute(f"SELECT count(*) FROM {place}.ranges WHERE rows IS NULL").fetchone()
    assert row is not None, "an aggregate has a row"
    return int(row[0])
