"""What a refresh would do: every table with its rows and its statement, made from the contract and the living schema."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from config.contract import Class, Contract, Database
from config.contract import Column as Declared
from config.contract import Table as Rules
from config.errors import ConfigError, Problem

from . import catalog as living
from .compare import ENGINES, compare, unsupported
from .connection import Connection
from .dialect import Dialect, literal, of, quoted
from .documents import document, unnamed
from .masks import BITS, Asked, Mask, Unmaskable, like, mask, message, shaped
from .subset import Subset

FULL = 0.8
"""Of the target's volume, at most."""


@dataclass(frozen=True)
class Field:
    """A column of a table that is copied."""

    live: living.Column
    declared: Declared
    mask: Mask | None
    own_digest: bool
    """Its digest is of its own value; else the table's identity's."""

    @property
    def name(self) -> str:
        return self.live.name


@dataclass(frozen=True)
class Copied:
    """A table: what is read of it, and how much."""

    live: living.Table
    rules: Rules
    fields: tuple[Field, ...]
    """Without generated columns, which the target computes from the masked ones."""
    leaves: tuple[living.Table, ...]
    condition: str | None
    """Over the alias ``r``."""
    detached: dict[str, str]
    """Column to the condition under which its reference is kept."""
    form: str
    """``binary`` or ``text``."""
    before: int = 0
    after: int = 0

    @property
    def name(self) -> str:
        return self.live.name

    @property
    def size(self) -> int:
        """Bytes of its rows with their indexes, as they are in the source."""
        return sum(leaf.size for leaf in self.leaves)

    @property
    def estimate(self) -> int:
        """Bytes that the copy takes, by the share of rows."""
        return round(self.size * self.after / self.before) if self.before else 0


@dataclass(frozen=True)
class Plan:
    """All of it."""

    system: str
    database: str
    declared: Database
    dialect: Dialect
    catalog: living.Catalog
    tables: dict[str, Copied]
    """Those that are referred to first."""
    as_of: str
    hashes: dict[str, str]
    stores: dict[str, str]
    warnings: tuple[str, ...] = field(default=())

    @property
    def schema(self) -> str:
        return self.declared.schema_


def plan(
    connection: Connection, contract: Contract, name: str, as_of: datetime | None = None, *, masked: bool = False
) -> Plan:
    """The plan, in the transaction that the connection is in; raises ``ConfigError`` with all that stops a refresh.

    ``as_of``: the time that windows count back from, default now; of a restored snapshot, its age. ``masked``: the source is a
    sanitised copy: its rows are copied as they are, and must have the masks' forms.
    """
    problems = list(unsupported(contract, name))
    if problems:
        raise ConfigError(*problems)
    database = contract.databases[name]
    catalog = living.read(connection, database.schema_)
    problems = compare(contract, name, catalog)
    if problems:
        raise ConfigError(*problems)
    dialect = of(database.engine)
    moment = (as_of or datetime.now(UTC)).isoformat()
    subset = Subset(catalog, database.tables, moment)
    tables: dict[str, Copied] = {}
    for table in subset.before():
        try:
            tables[table] = _copied(catalog, database, table, dialect, subset)
        except ExceptionGroup as group:
            problems += [_problem(contract, name, table, error) for error in group.exceptions]
    problems += _documents(connection, contract, name, tables) if not problems else []
    problems += _identifiers(connection, contract, name, tables) if not problems and not masked else []
    if masked:
        tables = {name: _as_it_is(table) for name, table in tables.items()}
    if problems:
        raise ConfigError(*problems)
    return Plan(
        contract.system,
        name,
        database,
        dialect,
        catalog,
        {name: _counted(connection, table) for name, table in tables.items()},
        moment,
        {"contract": _hash(database.model_dump(mode="json")), "schema": _hash(_shape(catalog))},
        {store: ENGINES[declared.engine] for store, declared in contract.stores.items()},
        tuple(_warnings(catalog, tables)),
    )


def _copied(catalog: living.Catalog, database: Database, name: str, dialect: Dialect, subset: Subset) -> Copied:
    rules, live = database.tables[name], catalog.tables[name]
    fields, wrong = [], []
    for column in live.columns.values():
        declared = rules.columns[column.name]
        if column.generated:
            continue
        distinct = column.name in live.distinct | frozenset().union(*(leaf.distinct for leaf in catalog.leaves(name)))
        try:
            made = _mask(declared, column, dialect, distinct=distinct, domain=database.domain)
        except Unmaskable as error:
            wrong.append(Unmaskable(column.name, str(error)))
            continue
        own = rules.identity is None or column.name == rules.identity or declared.cls is Class.IDENTIFIER
        fields.append(Field(column, declared, made, own))
    if wrong:
        raise ExceptionGroup(name, wrong)
    detached = {column: subset.detached(name, column, "r") for column in rules.detach}
    return Copied(
        live,
        rules,
        tuple(fields),
        tuple(catalog.leaves(name)),
        subset.condition(name, "r"),
        {column: condition for column, condition in detached.items() if condition is not None},
        dialect.copy_format(portable=all(field.live.portable for field in fields)),
    )


def _as_it_is(table: Copied) -> Copied:
    fields = (
        replace(item, mask=replace(item.mask, expression="{raw}", proof="shape") if item.mask else None)
        for item in table.fields
    )
    return replace(table, fields=tuple(fields))


def _mask(declared: Declared, column: living.Column, dialect: Dialect, *, distinct: bool, domain: str) -> Mask | None:
    asked = Asked(declared.cls, column, dialect, distinct, domain, declared.value)
    if declared.paths:
        return document(declared.paths, asked)
    made = mask(asked)
    if declared.form is None or made is None:
        return made
    return _formed(declared.form, column)


def _formed(form: str, column: living.Column) -> Mask:
    """A form of the contract; ``{<column>}`` stays in it, for ``select`` to fill with that column's masked value."""
    parts = re.split(r"(\{\w+\})", form)
    expression = " || ".join(part if part.startswith("{") else literal(part) for part in parts if part)
    known = {"{token}": "[0-9a-f]{20}"}
    pattern = "".join(known.get(part, "[0-9A-Za-z_-]+") if part[:1] == "{" else re.escape(part) for part in parts)
    wide = "".join("%" if part[:1] == "{" else like(part) for part in parts)
    return shaped(expression, f"^{pattern}$", "unique", column, like=wide)


def select(
    table: Copied,
    leaf: living.Table,
    dialect: Dialect,
    within: str | None = None,
    only: Sequence[str] | None = None,
    more: Sequence[str] = (),
) -> str:
    """The statement that reads masked rows of ``leaf``.

    ``within`` is a range, a condition over the alias ``r``. ``only`` names the columns that are wanted, default all; ``more``
    are further expressions over ``r``. The digests are computed in a sub-select of their own (``OFFSET 0`` keeps the planner
    from merging it), once a row, however many masks are cut from one.
    """
    index = {item.name: number for number, item in enumerate(table.fields)}
    digests: dict[int, str] = {}
    masks = {item.name: _masked(table, item, index, digests, dialect) for item in table.fields}
    for item in table.fields:
        for other in re.findall(r"\{(\w+)\}", masks[item.name]) if item.declared.form else ():
            masks[item.name] = masks[item.name].replace(f"{{{other}}}", f"({masks[other]})::text")
    wanted = [masks[name] for name in (only if only is not None else index)]
    used = set(re.findall(r"\b[cdt]\d+\b", " ".join(wanted)))
    taken = {number for number in digests if {f"d{number}", f"t{number}"} & used}
    columns = [f"{_read(table, name)} AS c{number}" for name, number in index.items() if f"c{number}" in used]
    columns += [f"{digests[number]} AS d{number}" for number in sorted(taken)]
    columns += [f"{expression} AS x{number}" for number, expression in enumerate(more)]
    where = " AND ".join(f"({part})" for part in (within, table.condition) if part)
    rows = f"SELECT {', '.join(columns) or '1'} FROM {dialect.only}{quoted(leaf.name)} r{f' WHERE {where}' if where else ''}"
    rows += " OFFSET 0" if taken else ""
    tokens = [
        f"encode(substr(d{number}, 1, 10), 'hex') AS t{number}" for number in sorted(taken) if f"t{number}" in used
    ]
    if tokens:
        rows = f"SELECT *, {', '.join(tokens)} FROM ({rows}) h OFFSET 0"
    return f"SELECT {', '.join([*wanted, *(f'x{number}' for number in range(len(more)))])} FROM ({rows}) m"


def _masked(table: Copied, item: Field, index: Mapping[str, int], digests: dict[int, str], dialect: Dialect) -> str:
    """A column's mask over the aliases c (raw), d (digest) and t (token); notes the digest that it needs."""
    raw = f"c{index[item.name]}"
    if item.mask is None:
        return raw
    number = index[item.name if item.own_digest else table.rules.identity or item.name]
    hashed = re.search(r"\{(digest|token)\}", item.mask.expression) is not None
    if hashed and number not in digests:
        source = table.fields[number]
        digests[number] = dialect.digest(message(source.declared.cls, f"r.{quoted(source.name)}", source.live))
    made = item.mask.sql(raw, f"d{number}", f"t{number}")
    always = item.declared.value is not None or item.declared.cls is Class.DROP
    if not item.live.not_null and not always and not (hashed and item.own_digest):  # the hash of NULL is NULL
        return f"CASE WHEN {raw} IS NOT NULL THEN {made} END"
    return made


def _read(table: Copied, column: str) -> str:
    kept = table.detached.get(column)
    return f"CASE WHEN {kept} THEN r.{quoted(column)} END" if kept else f"r.{quoted(column)}"


def _counted(connection: Connection, table: Copied) -> Copied:
    counted = "count(*)" if table.condition is None else f"count(*) FILTER (WHERE {table.condition})"
    row = connection.execute(f"SELECT count(*), {counted} FROM {quoted(table.name)} r".encode()).fetchone()
    assert row is not None, "an aggregate has a row"
    return replace(table, before=row[0], after=row[1])


def _problem(contract: Contract, database: str, table: str, error: Exception) -> Problem:
    column, text = error.args
    return contract.problem(("databases", database, "tables", table, "columns", column), text, "class it otherwise")


def _documents(
    connection: Connection, contract: Contract, database: str, tables: dict[str, Copied]
) -> Iterator[Problem]:
    for table in tables.values():
        for item in table.fields:
            if item.declared.paths:
                found = connection.execute(unnamed(item.declared.paths, quoted(item.name), quoted(table.name)).encode())
                for (path,) in found:
                    at = ("databases", database, "tables", table.name, "columns", item.name, "paths")
                    yield contract.problem(
                        at, f"the path {path} is not classified", f'add "{path}": drop, or what it is'
                    )


def _identifiers(
    connection: Connection, contract: Contract, database: str, tables: dict[str, Copied]
) -> Iterator[Problem]:
    """Whole numbers that are mapped above all of production's must leave room there."""
    for table in tables.values():
        for item in table.fields:
            if (
                item.mask is None
                or item.declared.cls is not Class.IDENTIFIER
                or item.live.category != "integer"
                or item.live.array
            ):
                continue
            name = quoted(item.name)
            row = connection.execute(f"SELECT min({name}), max({name}) FROM {quoted(table.name)}".encode()).fetchone()
            if row and row[0] is not None and (row[0] < 0 or row[1] >= 1 << BITS):
                at = ("databases", database, "tables", table.name, "columns", item.name)
                problem = (
                    f"identifiers are masked from 0 … 2^{BITS} - 1 to the numbers above, and this column goes beyond"
                )
                yield contract.problem(at, problem, "class it 'public', here and where it is referred to")


def _warnings(catalog: living.Catalog, tables: dict[str, Copied]) -> Iterator[str]:
    from .suggest import suggest

    if catalog.other_schemas:
        yield f"not copied: the schemas {', '.join(catalog.other_schemas)}"
    for table in tables.values():
        for item in table.fields:
            guess = suggest(item.live)
            if item.declared.cls is Class.PUBLIC and guess not in (Class.PUBLIC, Class.FREE_TEXT, Class.IDENTIFIER):
                yield f"{table.name}.{item.name} is declared public, and looks like {guess.value!r}"


def _shape(catalog: living.Catalog) -> dict[str, dict[str, str]]:
    return {
        name: {column.name: column.type + (" not null" if column.not_null else "") for column in table.columns.values()}
        for name, table in catalog.tables.items()
    }


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
