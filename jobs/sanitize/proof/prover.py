"""The proof, over all rows, before the swap; the receipt lists its checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg

from config.model.contract import Class
from jobs.sanitize.catalog import Column
from jobs.sanitize.connection import Connection, connect, translated_errors
from jobs.sanitize.dialect import Keys, literal, quoted
from jobs.sanitize.errors import Check, Leak
from jobs.sanitize.masks import documents
from jobs.sanitize.names import application, work
from jobs.sanitize.plan.model import CopiedTable, Plan

from . import detectors, surroundings
from .detectors import DETECTORS, PREFILTER
from .fingerprints import Comparison, comparisons


@dataclass
class Checks:
    """The checks of a proof; safe for several threads."""

    done: list[Check] = field(default_factory=list)

    def add(self, name: str, table: str, column: str, found: int) -> None:
        """Records a check."""
        self.done.append(Check(name, table, column, found))

    def broken(self) -> list[Check]:
        """Returns the failed checks."""
        return sorted(
            (check for check in self.done if check.found), key=lambda check: (check.table, check.column, check.name)
        )

    def demand(self) -> None:
        """Raises ``Leak`` with places and numbers, without values."""
        if broken := self.broken():
            raise Leak("the copy is not clean, and was not swapped in; the old data are as they were", broken)


Step = tuple[str, Callable[[Connection], None]]
"""Subject of a check, and the check."""


def text_of(column: Column, alias: str) -> str | None:
    """Returns a value as text for detectors, or None when its type contains none."""
    name = f"{alias}.{quoted(column.name)}"
    if column.category == "bytes":
        return f"encode({name}, 'escape')" if not column.array else f"{name}::text"
    if column.array or column.category in ("text", "json", "tsvector", "other", "inet"):
        return f"host({name})" if column.category == "inet" and not column.array else f"{name}::text"
    return None


class Proof:
    """The checks of one schema of the target.

    ``overlaps`` are the results of ``fingerprints.overlapping`` in production: then only checks that apply to any staging
    are made. Without them, the rows are those of the plan, and the fingerprints exist.
    """

    def __init__(self, plan: Plan, schema: str, overlaps: Mapping[tuple[str, str], int] | None = None) -> None:
        self.plan, self.schema, self.overlaps = plan, schema, overlaps
        self.work = quoted(work(plan.schema))
        self.canaries = plan.declared.canaries
        self.checks = Checks()
        self.overrides = ""
        """SQL that was run in the copy: it may have changed the number of rows, and added its own constants."""

    def counted(self, target: Connection) -> None:
        """Checks that every table has the planned number of rows; raises ``Leak``."""
        checks = Checks()
        for table in self.plan.tables.values():
            checks.add(
                "rows as planned", table.name, "", abs(_count(target, f"FROM {self._place(table)}") - table.after)
            )
        checks.demand()
        self.checks.done += checks.done

    def run(self, conninfo: str, keys: Keys, workers: int, beside: Step | None = None) -> Checks:
        """Runs every check, ``workers`` at a time; raises ``Leak``. ``beside`` is other work that runs at the same time."""
        steps: list[Step] = []
        for number, table in enumerate(self.plan.tables.values()):
            if table.rules.rows != "none":
                steps.append((table.name, partial(self._compare, number=number, table=table)))
            steps.append((table.name, partial(self._look, table=table)))
        steps.sort(key=self._size, reverse=True)

        def one(step: Step) -> None:
            with self._connect(conninfo, keys) as target, translated_errors(f"proving {step[0]}"):
                target.execute("SET work_mem = '128MB'")
                target.execute(f"SET search_path = {quoted(self.schema)}, {quoted(self.plan.schema)}")
                step[1](target)

        with ThreadPoolExecutor(max_workers=workers) as pool:
            list(pool.map(one, [*([beside] if beside else []), *steps]))
        with self._connect(conninfo, keys) as target, translated_errors("proving the database"):
            self._refer(target)
            for name, place, count in surroundings.elsewhere(target, self.schema, self.canaries):
                self.checks.add(name, place, "", count)
        self._cover()
        self.checks.demand()
        return self.checks

    def views(self, target: Connection) -> None:
        """Checks the rows of the views, which are created after the proof of the tables; raises ``Leak``."""
        with translated_errors("proving the views"):
            target.execute(f"SET search_path = {quoted(self.schema)}, {quoted(self.plan.schema)}")
            declared = self.plan.declared
            for name, view, count in surroundings.views(target, self.schema, self.canaries, declared.unchecked):
                self.checks.add(name, f"view {view}", "", count)
        self.checks.demand()

    def _connect(self, conninfo: str, keys: Keys) -> Connection:
        return connect(conninfo, "target", keys.proof_settings(), application=application(self.plan.schema))

    def _size(self, step: Step) -> int:
        return self.plan.tables[step[0]].estimate

    def _place(self, table: CopiedTable) -> str:
        return f"{quoted(self.schema)}.{quoted(table.name)}"

    def _compare(self, target: Connection, number: int, table: CopiedTable) -> None:
        """Checks that no value is production's: by the masks' forms where production has none of them, else by fingerprint."""
        numbered = list(enumerate(comparisons(table)))
        if self.overlaps is None:
            counts = ", ".join(f"count(f{n})" for n, _ in numbered) or "0"
            brought = _one(target, f"SELECT {counts} FROM {self.work}.f{number}") if numbered else ()
        else:
            brought = tuple(self.overlaps.get((table.name, item.field.name), 1) for _, item in numbered)
        for count, (_, item) in zip(brought, numbered, strict=True):
            if not count:
                self.checks.add("no value of production's has the mask's form", table.name, item.field.name, 0)
        numbered = [compared for count, compared in zip(brought, numbered, strict=True) if count]
        if not numbered or self.overlaps is not None:
            return
        target.execute(f"ANALYZE {self.work}.f{number}")
        by_row = [(n, item) for n, item in numbered if item.among == "rows"]
        if by_row:
            types = {item.name: item.live for item in table.fields}
            same = " AND ".join(
                f"s.{quoted(name)}::{types[name].plain} = p.k{n}" for n, name in enumerate(table.live.primary_key)
            )
            differ = ", ".join(f"count(*) FILTER (WHERE {self._fingerprint(item)} = p.f{n})" for n, item in by_row)
            row = _one(target, f"SELECT {differ} FROM {self._place(table)} s JOIN {self.work}.f{number} p ON {same}")
            for (_, item), count in zip(by_row, row, strict=True):
                self.checks.add("no row has its own value", table.name, item.field.name, count)
        for n, item in numbered:
            if item.among == "unique" or self.overrides:
                among = f"{self._fingerprint(item)} IN (SELECT f{n} FROM {self.work}.f{number})"
                if item.among == "rows":  # values recur, but constants of the overrides must not be production's
                    assert item.field.mask is not None, "compared because it is masked"
                    among += f" AND NOT ({item.field.mask.condition(f's.{quoted(item.field.name)}')})"
                count = _count(target, f"FROM {self._place(table)} s WHERE {among}")
                self.checks.add("no value is one of production's", table.name, item.field.name, count)

    def _fingerprint(self, item: Comparison) -> str:
        return self.plan.dialect.fingerprint(item.of(f"s.{quoted(item.field.name)}"))

    def _look(self, target: Connection, table: CopiedTable) -> None:
        """Checks the form of every mask, the canaries and the detectors.

        With one reading of the table when nothing is found.
        """
        texts = {column.name: text for column in table.live.columns.values() if (text := text_of(column, "s"))}
        watched = self._watched(table, texts)
        few = {name for (name,) in target.execute(_FEW, [self.schema, table.name])}
        many = [name for name in watched if name not in few]
        try:
            with target.transaction():
                rows = self._read(target, table, texts, {name: watched[name] for name in many}, quick=True)
        except psycopg.DataError:  # a value does not have its mask's form: count them
            rows = self._read(target, table, texts, {name: watched[name] for name in many}, quick=False)
        suspects = {column for name, column, count in rows if name == "prefilter" and count}
        for name, column, count in rows:
            if name != "prefilter":
                self.checks.add(name, table.name, column, count)
        for column in watched:
            self._detect(target, table, column, watched[column], look=column in suspects | few, once=column in few)

    def _unmasked(self, source: Connection, table: CopiedTable) -> None:
        """Runs detectors and canaries on unmasked columns, for the copied rows."""
        texts = {column.name: text for column in table.live.columns.values() if (text := text_of(column, "s"))}
        masked = {item.name for item in table.fields if item.mask is not None} | {
            name for name, column in table.live.columns.items() if column.generated
        }
        watched = {
            name: text
            for name, text in self._watched(table, texts).items()
            if name not in masked or table.rules.columns[name].paths
        }
        rows = f"(SELECT * FROM {self._place(table)} r{f' WHERE {table.condition}' if table.condition else ''})"
        if not watched:
            return
        counts = [f"count(*) FILTER (WHERE {detectors.planted(text, self.canaries)})" for text in watched.values()]
        counts += [f"count(*) FILTER (WHERE {text} ~ {literal(PREFILTER)})" for text in watched.values()]
        row = _one(source, f"SELECT {', '.join(counts)} FROM {rows} s")
        for number, (column, text) in enumerate(watched.items()):
            self.checks.add("no canary", table.name, column, row[number])
            self._detect(source, table, column, text, look=bool(row[len(watched) + number]), once=False, among=rows)

    def _watched(self, table: CopiedTable, texts: Mapping[str, str]) -> dict[str, str]:
        """Returns the texts for detectors: all without a mask's form; of documents only the public paths."""
        watched = dict(texts)
        for item in table.fields:
            if item.mask is None:
                if (number := detectors.number(item.live, f"s.{quoted(item.name)}")) is not None:
                    watched[item.name] = number
                continue
            watched.pop(item.name, None)
            kept = documents.public(item.declared.paths, f"s.{quoted(item.name)}", item.live)
            if kept is not None:
                watched[item.name] = kept
        return watched

    def _read(
        self, target: Connection, table: CopiedTable, texts: Mapping[str, str], many: Mapping[str, str], *, quick: bool
    ) -> list[tuple[str, str, int]]:
        request = []
        for item in table.fields:
            if item.mask is not None:
                value = f"s.{quoted(item.name)}"
                broken = f"{value} IS NOT NULL AND ({item.mask.condition(value, quick=quick)}) IS NOT TRUE"
                if self.overrides and item.mask.proof != "shape":
                    broken += f" AND NOT ({self._spelled_out(f'{value}::text')})"
                request.append(("of the mask's form", item.name, broken))
        if self.canaries and texts:
            everything = f"concat_ws(chr(31), {', '.join(texts.values())})"
            request.append(("no canary", "", detectors.planted(everything, self.canaries)))
        request += [("prefilter", name, f"{text} ~ {literal(PREFILTER)}") for name, text in many.items()]
        counts = "".join(f", count(*) FILTER (WHERE {condition})" for _, _, condition in request)
        row = _one(target, f"SELECT count(*){counts} FROM {self._place(table)} s")
        if self.overlaps is None and not self.overrides:
            request, row = [("rows as planned", "", ""), *request], (0, abs(row[0] - table.after), *row[1:])
        return [(name, column, count) for (name, column, _), count in zip(request, row[1:], strict=True)]

    def _spelled_out(self, text: str) -> str:
        """Returns the condition that a value is a constant of the overrides, and is not detected."""
        detected = " OR ".join(f"({detector.condition(text)})" for detector in DETECTORS)
        return f"strpos({literal(self.overrides)}, {text}) > 0 AND NOT ({detected})"

    def _detect(
        self, target: Connection, table: CopiedTable, column: str, text: str, *, look: bool, once: bool, among: str = ""
    ) -> None:
        """Runs every detector on one column; ``once``: on each value once, however many rows have it.

        ``among`` are the examined rows, default all of the table.
        """
        unchecked = table.rules.columns[column].unchecked
        used = [detector for detector in DETECTORS if detector.name not in unchecked]
        matches: tuple[int, ...] = (0,) * len(used)
        if look and used:
            counts = ", ".join(
                f"coalesce(sum(n) FILTER (WHERE {detector.condition('v')}), 0)::bigint" for detector in used
            )
            number, group = ("count(*)", "GROUP BY 1") if once else ("1", "")
            rows = f"SELECT {text} AS v, {number} AS n FROM {among or self._place(table)} s {group} OFFSET 0"
            matches = _one(target, f"SELECT {counts} FROM ({rows}) t WHERE v ~ {literal(PREFILTER)}")
        for detector, count in zip(used, matches, strict=True):
            self.checks.add(f"no {detector.name}", table.name, column, count)

    def _refer(self, target: Connection) -> None:
        """Checks that every reference exists and leads to a row: by the database's constraint, or by the rows."""
        enforced = set()
        schema = quoted(self.schema)
        for table, name, valid, parent, columns, theirs in target.execute(_KEYS, [self.schema]).fetchall():
            enforced.add((table, name))
            missing = 0
            if not valid:
                match = " AND ".join(f"c.{quoted(a)} = p.{quoted(b)}" for a, b in zip(columns, theirs, strict=True))
                not_null = " AND ".join(f"c.{quoted(a)} IS NOT NULL" for a in columns)
                parents = f"SELECT FROM {schema}.{quoted(parent)} p WHERE {match}"
                missing = _count(target, f"FROM {schema}.{quoted(table)} c WHERE {not_null} AND NOT EXISTS ({parents})")
            self.checks.add("references lead to rows", table, ", ".join(columns), missing)
        for table in self.plan.tables.values():
            for reference in table.live.references:
                lost = (table.name, reference.name) not in enforced
                self.checks.add("references are there", table.name, ", ".join(reference.columns), int(lost))

    def _cover(self) -> None:
        """Checks that every column was examined by some check, or is public and of a type that contains no text."""
        looked = {(check.table, check.column) for check in self.checks.done}
        for table in self.plan.tables.values():
            for column in table.live.columns.values():
                public = table.rules.columns[column.name].cls is Class.PUBLIC and text_of(column, "s") is None
                unchecked = len(table.rules.columns[column.name].unchecked) == len(DETECTORS)
                covered = (table.name, column.name) in looked or public or column.generated or unchecked
                self.checks.add("looked at", table.name, column.name, 0 if covered else 1)


def sanitised(source: Connection, plan: Plan) -> None:
    """Raises ``Leak`` when the source, declared to be a sanitised copy, has an unsanitised row, before anything is copied."""
    proof = Proof(plan, plan.schema, overlaps={})
    with translated_errors("looking at the source"):
        for table in plan.tables.values():
            proof._look(source, table)
    if broken := proof.checks.broken():
        raise Leak("the source is no sanitised copy, and nothing was copied", broken)


def unclean(source: Connection, plan: Plan) -> list[Check]:
    """Returns findings in columns that are copied unchanged; the proof of the copy would report the same."""
    proof = Proof(plan, plan.schema, overlaps={})
    with translated_errors("looking at the source"):
        for table in plan.tables.values():
            if table.rules.rows != "none":
                proof._unmasked(source, table)
    return proof.checks.broken()


def verify(conninfo: str, plan: Plan, overlaps: Mapping[tuple[str, str], int], workers: int) -> Checks:
    """Proves the schema in use, as far as possible without the refresh's keys; raises ``Leak``."""
    proof, keys = Proof(plan, plan.schema, overlaps), Keys()
    proof.run(conninfo, keys, workers)
    with proof._connect(conninfo, keys) as target:
        proof.views(target)
    return proof.checks


_FEW = "SELECT attname FROM pg_stats WHERE schemaname = %s AND tablename = %s AND n_distinct BETWEEN 0 AND 10000"
_KEYS = """
SELECT t.relname, f.conname, f.convalidated, p.relname,
  (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY k(attnum, n)
   JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum),
  (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(f.confkey) WITH ORDINALITY k(attnum, n)
   JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum)
FROM pg_constraint f JOIN pg_class t ON t.oid = f.conrelid JOIN pg_class p ON p.oid = f.confrelid
JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = %s AND f.contype = 'f' AND f.conparentid = 0
"""


def _count(target: Connection, rest: str) -> int:
    return int(_one(target, f"SELECT count(*) {rest}")[0])


def _one(connection: Connection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None, "an aggregate has a row"
    return row
