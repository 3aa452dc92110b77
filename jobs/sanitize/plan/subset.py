"""Selects the rows to copy, by SQL conditions that the source evaluates without writing.

A row is copied when its table's rule keeps it and each of its references leads to a copied row. Without cycles this
is a nested condition. In a cycle (a table that refers to itself, two that refer to each other) the excluded rows are
computed first, by recursion: those that a rule excludes, and all rows that lead to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter

from config.model.contract import Limit, Table, Window
from jobs.sanitize.catalog import Catalog, ForeignKey
from jobs.sanitize.dialect import literal, quoted


class Subset:
    """The conditions of every table; ``as_of`` is the time that windows count back from, ISO 8601."""

    def __init__(self, catalog: Catalog, rules: Mapping[str, Table], as_of: str) -> None:
        self.catalog, self.rules, self.as_of = catalog, rules, as_of
        self._reach = {name: frozenset(self._reached(name)) for name in catalog.roots()}
        self._limited = {name for name in self._reach if rules[name].rows != "all"}

    def condition(self, table: str, row: str) -> str | None:
        """Returns the condition of the copied rows of ``table`` with the alias ``row``; None when all are copied."""
        if not self._restricted(table):
            return None
        cycle = self._cycle(table)
        return self._outside_recursion(table, row, cycle) if cycle else self._own(table, row, frozenset())

    def detached(self, table: str, column: str, row: str) -> str | None:
        """Returns the condition under which the reference through ``column`` is kept, or None when it always is."""
        for reference in self.catalog.tables[table].references:
            if column in reference.columns and self._restricted(reference.parent):
                return self._leads(reference, row)
        return None

    def before(self) -> list[str]:
        """Returns the tables, referenced ones first; cycles are broken at any place."""
        order: TopologicalSorter[str] = TopologicalSorter()
        done: set[tuple[str, str]] = set()
        for name in sorted(self._reach):
            order.add(name)
            for reference in self._references(name):
                if name not in self._reach[reference.parent] and (name, reference.parent) not in done:
                    done.add((name, reference.parent))
                    order.add(name, reference.parent)
        return list(order.static_order())

    def _references(self, table: str) -> Iterator[ForeignKey]:
        """Yields the references that exclude a row when their target is not copied."""
        for reference in self.catalog.tables[table].references:
            if not set(reference.columns) & set(self.rules[table].detach):
                yield reference

    def _reached(self, table: str) -> Iterator[str]:
        """Yields the tables that references lead to, over any number of steps; itself when in a cycle."""
        seen: set[str] = set()
        waiting = [reference.parent for reference in self._references(table)]
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                yield name
                waiting += [reference.parent for reference in self._references(name)]

    def _restricted(self, table: str) -> bool:
        return bool(({table} | self._reach[table]) & self._limited)

    def _cycle(self, table: str) -> frozenset[str]:
        """Returns the tables of the same cycle, with the table itself; empty outside of cycles."""
        if table not in self._reach[table]:
            return frozenset()
        return frozenset(name for name in self._reach[table] if table in self._reach[name])

    def _own(self, table: str, row: str, cycle: frozenset[str]) -> str:
        """Returns the table's own rule and the references that lead out of the cycle."""
        parts = [*self._rule(table, row)]
        for reference in self._references(table):
            if reference.parent not in cycle and self._restricted(reference.parent):
                nothing = " OR ".join(f"{row}.{quoted(name)} IS NULL" for name in reference.columns)
                parts.append(f"({nothing} OR {self._leads(reference, row)})")
        return " AND ".join(parts) or "true"

    def _rule(self, table: str, row: str) -> Iterator[str]:
        rows = self.rules[table].rows
        if rows == "none":
            yield "false"
        if isinstance(rows, Limit):
            live = self.catalog.tables[table]
            key = ", ".join(map(quoted, live.primary_key))
            newest = ", ".join(f"{quoted(name)} DESC" for name in live.primary_key)
            yield _among(
                [(f"{row}.{quoted(name)}", live.columns[name].equal) for name in live.primary_key],
                f"SELECT {key} FROM {live.place} ORDER BY {quoted(rows.newest)} DESC NULLS LAST, {newest} LIMIT {rows.limit}",
            )
        if isinstance(rows, Window):
            since = f"timestamptz {literal(self.as_of)} - interval '{int(rows.window.seconds)} seconds'"
            yield f"{row}.{quoted(rows.on)} >= {since}"

    def _leads(self, reference: ForeignKey, row: str) -> str:
        parent = f"{row}p"
        condition = self.condition(reference.parent, parent)
        where = f" WHERE {condition}" if condition else ""
        live = self.catalog.tables[reference.parent]
        pairs = zip(reference.columns, reference.parent_columns, strict=True)
        return _among(
            [(f"{row}.{quoted(mine)}", live.columns[theirs].equal) for mine, theirs in pairs],
            f"SELECT {', '.join(f'{parent}.{quoted(name)}' for name in reference.parent_columns)} "
            f"FROM {live.place} {parent}{where}",
        )

    def _outside_recursion(self, table: str, row: str, cycle: frozenset[str]) -> str:
        begin = " UNION ALL ".join(
            f"SELECT {literal(name)}::text, {self._key(name, 'a')} FROM {self.catalog.tables[name].place} a "
            f"WHERE ({self._own(name, 'a', cycle)}) IS NOT TRUE"
            for name in sorted(cycle)
        )
        edges = " UNION ALL ".join(
            f"SELECT {literal(name)}::text AS t, {self._key(name, 'c')} AS k, {literal(reference.parent)}::text AS pt, "
            f"{self._key(reference.parent, 'p')} AS pk FROM {self.catalog.tables[name].place} c "
            f"JOIN {self.catalog.tables[reference.parent].place} p ON "
            + " AND ".join(
                f"c.{quoted(mine)} {self.catalog.tables[reference.parent].columns[theirs].equal} p.{quoted(theirs)}"
                for mine, theirs in zip(reference.columns, reference.parent_columns, strict=True)
            )
            for name in sorted(cycle)
            for reference in self._references(name)
            if reference.parent in cycle
        )
        return (
            f"{self._key(table, row)} NOT IN (WITH RECURSIVE gone(t, k) AS (({begin}) UNION "
            f"SELECT e.t, e.k FROM gone g JOIN ({edges}) e ON e.pt = g.t AND e.pk = g.k) "
            f"SELECT k FROM gone WHERE t = {literal(table)})"
        )

    def _key(self, table: str, row: str) -> str:
        return f"ROW({', '.join(f'{row}.{quoted(name)}' for name in self.catalog.tables[table].primary_key)})::text"


def _among(left: list[tuple[str, str]], query: str) -> str:
    """Returns the condition that a row's values, each with its operator, are among the rows of ``query``."""
    if all(equal == "=" for _, equal in left):
        return f"({', '.join(value for value, _ in left)}) IN ({query})"
    names = ", ".join(f"k{number}" for number in range(len(left)))
    same = " AND ".join(f"{value} {equal} q.k{number}" for number, (value, equal) in enumerate(left))
    return f"EXISTS (SELECT FROM ({query}) q({names}) WHERE {same})"
