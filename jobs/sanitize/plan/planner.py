"""Plans a refresh: each table with its rows and its statement, from the contract and the existing schema."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from config.errors import ConfigError, Problem
from config.model.contract import Class, Contract, Database
from config.model.contract import Column as Declared
from jobs.sanitize import catalog as source
from jobs.sanitize.connection import Connection
from jobs.sanitize.contract import parts
from jobs.sanitize.contract.compare import ENGINES, compare, unsupported
from jobs.sanitize.dialect import Dialect, of, quoted
from jobs.sanitize.masks.documents import compared, document
from jobs.sanitize.masks.expressions import Mask, MaskRequest, Unmaskable, fixed, like, mask, message, shaped
from jobs.sanitize.masks.generalise import generalised

from . import definitions, values
from .model import CopiedColumn, CopiedTable, Plan
from .subset import Subset

FULL = 0.8
"""Largest allowed use of the target's volume."""


def plan(
    connection: Connection, contract: Contract, name: str, as_of: datetime | None = None, *, masked: bool = False
) -> Plan:
    """Returns the plan, in the connection's transaction; raises ``ConfigError`` with everything that stops a refresh.

    ``as_of`` is the time from which windows count back, default now; for a restored snapshot its time. ``masked`` states
    that the source is a sanitised copy: its rows are copied unchanged, and must have the masks' forms.
    """
    problems = list(unsupported(contract, name))
    if problems:
        raise ConfigError(*problems)
    database = contract.databases[name]
    catalog = source.read(connection, database.schema_)
    problems = compare(contract, name, catalog)
    if problems:
        raise ConfigError(*problems)
    dialect = of(database.engine)
    moment = (as_of or datetime.now(UTC)).isoformat()
    subset = Subset(catalog, database.tables, moment)
    folds = _folds(catalog, database)
    tables: dict[str, CopiedTable] = {}
    for table in subset.before():
        try:
            tables[table] = _copied(catalog, database, table, dialect, subset, folds)
        except ExceptionGroup as group:
            problems += [_problem(contract, name, table, error) for error in group.exceptions]
    problems += _short(contract, name, tables)
    problems += values.problems(connection, contract, name, tables, masked=masked) if not problems else []
    if problems:
        raise ConfigError(*problems)
    if masked:
        tables = {name: _as_it_is(table) for name, table in tables.items()}
    tables = {name: _counted(connection, table) for name, table in tables.items()}
    if problems := list(values.counted(contract, name, tables)):
        raise ConfigError(*problems)
    return Plan(
        contract.system,
        name,
        database,
        dialect,
        catalog,
        tables,
        moment,
        {"contract": _hash(database.model_dump(mode="json")), "schema": _hash(_shape(catalog))},
        {store: ENGINES[declared.engine] for store, declared in contract.stores.items()},
        definitions.read(connection, catalog),
        parts.read(connection, catalog.schema),
        tuple(_warnings(catalog, tables)),
    )


def _copied(
    catalog: source.Catalog,
    database: Database,
    name: str,
    dialect: Dialect,
    subset: Subset,
    folds: frozenset[Class] = frozenset(),
) -> CopiedTable:
    rules, live = database.tables[name], catalog.tables[name]
    fields, wrong = [], []
    distinct = live.distinct.union(*(leaf.distinct for leaf in catalog.leaves(name)))
    for living_column in live.columns.values():
        declared = rules.columns[living_column.name]
        column = replace(living_column, folded=declared.cls in folds)
        if column.generated:
            continue
        request = MaskRequest(
            declared.cls, column, dialect, column.name in distinct, database.domain, declared.value, folds=folds
        )
        try:
            own_mask = _mask(declared, request, live, subset)
        except Unmaskable as error:
            wrong.append(Unmaskable(column.name, str(error)))
            continue
        own = rules.identity is None or column.name == rules.identity or declared.cls is Class.IDENTIFIER
        fields.append(CopiedColumn(column, declared, own_mask, own, tuple(compared(declared.paths, request))))
    if wrong:
        raise ExceptionGroup(name, wrong)
    detached = {column: subset.detached(name, column, "r") for column in rules.detach}
    return CopiedTable(
        live,
        rules,
        tuple(fields),
        tuple(catalog.leaves(name)),
        subset.condition(name, "r"),
        {column: condition for column, condition in detached.items() if condition is not None},
        dialect.copy_format(portable=all(field.live.portable for field in fields)),
        distinct,
    )


def _folds(catalog: source.Catalog, database: Database) -> frozenset[Class]:
    """Returns classes with a column of type citext."""
    return frozenset(
        declared.cls
        for name, table in database.tables.items()
        for column, declared in table.columns.items()
        if declared.cls is not Class.PUBLIC and catalog.tables[name].columns[column].base == "citext"
    )


def _short(contract: Contract, database: str, tables: dict[str, CopiedTable]) -> Iterator[Problem]:
    """Yields a mistake for a short column, which keeps fewer digits of the hash and does not join with one that keeps all."""
    bits = {(name, item.name): item.mask.bits for name, table in tables.items() for item in table.fields if item.mask}
    for name, table in tables.items():
        for reference in table.live.references:
            for mine, theirs in zip(reference.columns, reference.parent_columns, strict=True):
                if bits.get((name, mine)) != bits.get((reference.parent, theirs)):
                    message = f"it is too short for the mask of {reference.parent}.{theirs}, which it refers to"
                    at = ("databases", database, "tables", name, "columns", mine)
                    yield contract.problem(at, message, "give both one type")


def _as_it_is(table: CopiedTable) -> CopiedTable:
    fields = (
        replace(item, mask=replace(item.mask, expression="{raw}", proof="shape") if item.mask else None, parts=())
        for item in table.fields
    )
    return replace(table, fields=tuple(fields))


def _mask(declared: Declared, request: MaskRequest, table: source.Table, subset: Subset) -> Mask | None:
    if isinstance(declared.bucket, int) and declared.cls is Class.FREE_TEXT:
        request = replace(request, bucket=declared.bucket)
    if declared.cls is Class.PUBLIC:
        return generalised(declared, request.column, table, subset.condition(table.name, "r"))
    if declared.paths:
        return document(declared.paths, request)
    return mask(request) if declared.form is None else _formed(declared.form, request.column, table)


def _formed(form: str, column: source.Column, table: source.Table) -> Mask:
    """Returns a form of the contract; ``{column:…}`` stays in it, and ``select`` fills in that column's masked value."""
    parts = re.split(r"(\{\w+\})", form)
    filled = [
        "{token}" if part == "{token}" else f"{{column:{part[1:-1]}}}" if part[:1] == "{" else fixed(part)
        for part in parts
    ]
    expression = " || ".join(new for part, new in zip(parts, filled, strict=True) if part)
    forms = {"{token}": "[0-9a-f]{20}"}
    pattern = "".join(forms.get(part, "[0-9A-Za-z_-]+") if part[:1] == "{" else re.escape(part) for part in parts)
    lengths = {"integer": 19, "uuid": 36, "text": 33}
    longest = sum(
        20
        if part == "{token}"
        else lengths.get(table.columns[part[1:-1]].category, 40)
        if part[:1] == "{"
        else len(part)
        for part in parts
    )
    if column.length is not None and column.length < longest:
        raise Unmaskable(
            f"its form may take {longest} characters, {column.type} has {column.length}; shorten the form, or widen it"
        )
    wide = "".join("%" if part[:1] == "{" else like(part) for part in parts)
    return shaped(expression, f"^{pattern}$", "unique", column, like=wide)


def select(
    table: CopiedTable,
    leaf: source.Table,
    dialect: Dialect,
    within: str | None = None,
    only: Sequence[str] | None = None,
    more: Sequence[str] = (),
    *,
    shuffled: bool = False,
) -> str:
    """Returns the statement that reads masked rows of ``leaf``.

    ``within`` is a range, a condition over the alias ``r``. ``only`` names the selected columns, default all; ``more``
    are further expressions over ``r``. The digests are computed in a separate sub-select (``OFFSET 0`` keeps the planner
    from merging it), once for each row, however many masks use one.
    """
    index = {item.name: number for number, item in enumerate(table.fields)}
    digests: dict[int, str] = {}
    masks = {item.name: _masked(table, item, index, digests, dialect) for item in table.fields}
    for item in table.fields:
        for other in re.findall(r"\{column:(\w+)\}", masks[item.name]) if item.declared.form else ():
            masks[item.name] = masks[item.name].replace(f"{{column:{other}}}", f"({masks[other]})::text")
    selected = [masks[name] for name in (only if only is not None else index)]
    used = set(re.findall(r"\b[cdt]\d+\b", " ".join(selected)))
    taken = {number for number in digests if {f"d{number}", f"t{number}"} & used}
    columns = [f"{_read(table, name)} AS c{number}" for name, number in index.items() if f"c{number}" in used]
    columns += [f"{digests[number]} AS d{number}" for number in sorted(taken)]
    columns += [f"{expression} AS x{number}" for number, expression in enumerate(more)]
    where = " AND ".join(f"({part})" for part in (within, table.condition) if part)
    rows = f"SELECT {', '.join(columns) or '1'} FROM {dialect.only}{leaf.place} r{f' WHERE {where}' if where else ''}"
    rows += " OFFSET 0" if taken else ""
    tokens = [
        f"encode(substr(d{number}, 1, 10), 'hex') AS t{number}" for number in sorted(taken) if f"t{number}" in used
    ]
    if tokens:
        rows = f"SELECT *, {', '.join(tokens)} FROM ({rows}) h OFFSET 0"
    order = " ORDER BY random()" if shuffled else ""
    return f"SELECT {', '.join([*selected, *(f'x{number}' for number in range(len(more)))])} FROM ({rows}) m{order}"


def _masked(
    table: CopiedTable, item: CopiedColumn, index: Mapping[str, int], digests: dict[int, str], dialect: Dialect
) -> str:
    """Returns a column's mask over the aliases c (raw), d (digest) and t (token); records the digest that it needs."""
    raw = f"c{index[item.name]}"
    if item.mask is None:
        return raw
    number = index[item.name if item.own_digest else table.rules.identity or item.name]
    hashed = re.search(r"\{(digest|token)\}", item.mask.expression) is not None
    if hashed and number not in digests:
        source = table.fields[number]
        digests[number] = dialect.digest(message(source.declared.cls, f"r.{quoted(source.name)}", source.live))
    masked = item.mask.sql(raw, f"d{number}", f"t{number}")
    always = item.declared.value is not None or item.declared.cls is Class.DROP
    if not item.live.not_null and not always and not (hashed and item.own_digest):  # the hash of NULL is NULL
        return f"CASE WHEN {raw} IS NOT NULL THEN {masked} END"
    return masked


def _read(table: CopiedTable, column: str) -> str:
    kept = table.detached.get(column)
    return f"CASE WHEN {kept} THEN r.{quoted(column)} END" if kept else f"r.{quoted(column)}"


def _counted(connection: Connection, table: CopiedTable) -> CopiedTable:
    counted = "count(*)" if table.condition is None else f"count(*) FILTER (WHERE {table.condition})"
    row = connection.execute(f"SELECT count(*), {counted} FROM {table.live.place} r".encode()).fetchone()
    assert row is not None, "an aggregate has a row"
    return replace(table, before=row[0], after=row[1])


def _problem(contract: Contract, database: str, table: str, error: Exception) -> Problem:
    column, text = error.args
    return contract.problem(("databases", database, "tables", table, "columns", column), text, "class it otherwise")


def _warnings(catalog: source.Catalog, tables: dict[str, CopiedTable]) -> Iterator[str]:
    from jobs.sanitize.contract.suggest import named

    if catalog.other_schemas:
        yield f"not copied: the schemas {', '.join(catalog.other_schemas)}"
    for table in tables.values():
        for item in table.fields:
            guess = named(item.live)
            if item.declared.cls is Class.PUBLIC and guess is not None and guess is not Class.FREE_TEXT:
                yield f"{table.name}.{item.name} is declared public, and looks like {guess.value!r}"


def _shape(catalog: source.Catalog) -> dict[str, dict[str, str]]:
    return {
        name: {column.name: column.type + (" not null" if column.not_null else "") for column in table.columns.values()}
        for name, table in catalog.tables.items()
    }


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
