"""Compares the contract with the existing schema; every difference stops a refresh."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from config.errors import Problem
from config.model.contract import Class, Contract, Database, Limit, Table
from config.paths import Path
from jobs.sanitize.catalog import Catalog, Column
from jobs.sanitize.catalog import Table as Live

from . import suggest

ENGINES = {
    "redis": "flushed and reseeded by its application",
    "opensearch": "its indices are deleted and built anew from the database",
    "kafka": "topics start empty",
    "s3": "objects are placeholders; none is copied",
}
"""The treatment of stores that are not copied."""


def unsupported(contract: Contract, name: str) -> Iterator[Problem]:
    """Yields a mistake for a database that is declared and not supported by this version."""
    database = contract.databases[name]
    if database.engine not in ("postgresql", "cockroachdb"):
        yield contract.problem(
            ("databases", name, "engine"),
            f"{database.engine} is declared here and not copied by this version; its staging is filled with seed data",
            "name another database with --database",
        )


def compare(contract: Contract, name: str, catalog: Catalog) -> list[Problem]:
    """Returns every difference between the contract and the schema."""
    return list(_compare(contract, name, catalog))


def _compare(contract: Contract, name: str, catalog: Catalog) -> Iterator[Problem]:
    database = contract.databases[name]
    here: Path = ("databases", name, "tables")
    source_tables = catalog.roots()
    if not source_tables:
        yield contract.problem(
            ("databases", name, "schema"), f"the source has no table in the schema {database.schema_!r}", "name another"
        )
        return
    for table in [*catalog.foreign_tables, *catalog.inherited]:
        kind = "a foreign table" if table in catalog.foreign_tables else "a table of the old inheritance"
        yield contract.problem(here, f"{table!r} is {kind}: its rows are others'", "move it to another schema")
    for table in sorted(database.tables.keys() - source_tables.keys()):
        close = difflib.get_close_matches(table, source_tables, n=1)
        fix = f"remove it, or did you mean {close[0]!r}?" if close else "remove it"
        yield contract.problem((*here, table), "the source has no such table", fix)
    for table in sorted(source_tables.keys() - database.tables.keys()):
        lines = (
            "".join(f"\n          {suggest.line(column)}" for column in source_tables[table].columns.values()) or " {}"
        )
        fix = f"add\n      {suggest.key(table)}:\n        columns:{lines}"
        yield contract.problem(here, f"the table {table!r} is not classified", fix)
    for table in sorted(source_tables.keys() & database.tables.keys()):
        yield from _columns(contract, (*here, table), database.tables[table], source_tables[table])
        yield from _partitions(contract, (*here, table), database.tables[table], table, catalog)
        yield from _rows(contract, (*here, table), database, source_tables[table], catalog)


def _columns(contract: Contract, here: Path, declared: Table, live: Live) -> Iterator[Problem]:
    for name in declared.columns.keys() - live.columns.keys():
        yield contract.problem((*here, "columns", name), "the source has no such column any more", "remove it")
    for name, column in live.columns.items():
        if name not in declared.columns:
            problem = f"the column {name!r} ({column.type}) is not classified"
            yield contract.problem((*here, "columns"), problem, f"add  {suggest.line(column)}  or what it is")
            continue
        given = declared.columns[name]
        at = (*here, "columns", name)
        if given.type != column.type:
            yield contract.problem(at, f"its type is {column.type} now, and was {given.type}", "judge its class again")
        if given.paths and (column.category != "json" or column.array):
            yield contract.problem((*at, "paths"), f"{column.type} has no paths", "remove them")
        yield from _form(contract, (*at, "form"), declared, column, live)
    identity = live.columns.get(declared.identity or "")
    if identity is not None and not (identity.not_null and live.is_unique(identity.name)):
        problem = f"{identity.name!r} is not unique, or may be NULL, so two rows could have one mask"
        yield contract.problem((*here, "identity"), problem, "name a unique column that is NOT NULL, or leave it out")


def _form(contract: Contract, at: Path, table: Table, column: Column, live: Live) -> Iterator[Problem]:
    """Checks that a form is made from columns that differ between rows, are not NULL, and have allowed characters."""
    for part in re.findall(r"\{(\w+)\}", table.columns[column.name].form or ""):
        other = live.columns.get(part)
        if part == "token" or other is None or part not in table.columns:
            continue
        if not live.is_unique(part):
            problem = f"its form is cut from {part!r}, which is not unique, so two rows could have one"
        elif table.columns[part].form is not None or table.columns[part].value is not None:
            problem = f"its form is cut from {part!r}, which has a form or a value of its own"
        elif column.not_null and not other.not_null:
            problem = f"its form is cut from {part!r}, which may be NULL, and it may not"
        elif other.category not in ("integer", "uuid") and table.columns[part].cls not in (
            Class.IDENTIFIER,
            Class.USERNAME,
        ):
            problem = f"its form is cut from {part!r}, of {other.type}, whose values may have any characters"
        else:
            continue
        yield contract.problem(at, problem, "take {token}, or another column")


def _partitions(contract: Contract, here: Path, declared: Table, name: str, catalog: Catalog) -> Iterator[Problem]:
    for leaf in catalog.leaves(name):
        if leaf.name != name and not any(fnmatchcase(leaf.name, pattern) for pattern in declared.partitions):
            yield contract.problem((*here, "partitions"), f"the partition {leaf.name!r} is new", f"add '{leaf.name}'")
    for child in catalog.tables.values():
        if child.partition_of is not None and catalog.root(child.name) == name:
            for reference in child.references:
                problem = f"the partition {child.name!r} has a reference of its own, {reference.name!r}"
                yield contract.problem(here, problem, f"declare it on {name!r} itself, for all partitions")
    for top, partition in catalog.elsewhere:
        if top == name:
            problem = f"its partition {partition} stands in another schema, and would not be copied"
            yield contract.problem(
                (*here, "partitions"), problem, f"ALTER TABLE {partition} SET SCHEMA {catalog.schema}"
            )


def _rows(contract: Contract, here: Path, database: Database, live: Live, catalog: Catalog) -> Iterator[Problem]:
    declared = database.tables[live.name]
    if isinstance(declared.rows, Limit) and not live.primary_key:
        yield contract.problem((*here, "rows"), "a table without primary key cannot be limited", "take a window")
    referring = {name for reference in live.references for name in reference.columns}
    for name in declared.detach:
        column = live.columns.get(name)
        if name not in referring or column is None or column.not_null:
            yield contract.problem((*here, "detach"), f"{name!r} is no reference that may be NULL", "remove it")
    yield from _references(contract, here, database, live, catalog)


def _references(contract: Contract, here: Path, database: Database, live: Live, catalog: Catalog) -> Iterator[Problem]:
    declared = database.tables[live.name]
    for reference in live.references:
        if reference.parent not in catalog.tables:
            problem = f"{reference.name!r} refers to {reference.parent}, which is outside the schema"
            yield contract.problem(here, problem, "drop the reference, or copy both from one schema")
            continue
        if catalog.tables[reference.parent].partition_of is not None:
            problem = (
                f"{reference.name!r} refers to {reference.parent!r}, a partition of {catalog.root(reference.parent)!r}"
            )
            yield contract.problem(here, problem, f"refer to {catalog.root(reference.parent)!r}")
            continue
        parent = database.tables.get(reference.parent)
        for mine, theirs in zip(reference.columns, reference.parent_columns, strict=True):
            if parent is None or mine not in declared.columns or theirs not in parent.columns:
                continue
            ours, of = declared.columns[mine], parent.columns[theirs]
            coarser = any(item is not None for one in (ours, of) for item in (one.jitter, one.bucket, one.k))
            same = (ours.cls, ours.form, ours.value) == (of.cls, of.form, of.value) and not coarser
            if not same or (of.cls is not Class.PUBLIC and of.form is not None):
                problem = f"refers to {reference.parent}.{theirs}, which is {of.cls.value!r}: both must become the same"
                fix = "give both one class, and no form" if of.form or ours.form else f"class it {of.cls.value!r}"
                yield contract.problem((*here, "columns", mine), problem, fix)
    cyclic = any(reference.parent == live.name for reference in live.references)
    if cyclic and not live.primary_key:
        yield contract.problem(here, "refers to itself and has no primary key", "give it one")
