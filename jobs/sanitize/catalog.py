"""Reads the schema from PostgreSQL's catalog (https://www.postgresql.org/docs/15/catalogs.html)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from jobs.sanitize.connection import Connection
from jobs.sanitize.dialect import quoted

Category = Literal[
    "text",
    "integer",
    "number",
    "uuid",
    "date",
    "timestamp",
    "inet",
    "json",
    "bytes",
    "boolean",
    "enum",
    "tsvector",
    "other",
]
_CATEGORIES: dict[str, Category] = {
    **dict.fromkeys(("text", "varchar", "bpchar", "citext", "name", "xml"), "text"),
    **dict.fromkeys(("int2", "int4", "int8"), "integer"),
    **dict.fromkeys(("numeric", "float4", "float8", "money", "oid"), "number"),
    "uuid": "uuid",
    "date": "date",
    **dict.fromkeys(("timestamp", "timestamptz"), "timestamp"),
    **dict.fromkeys(("inet", "cidr"), "inet"),
    **dict.fromkeys(("json", "jsonb"), "json"),
    "bytea": "bytes",
    "bool": "boolean",
    "tsvector": "tsvector",
}


@dataclass(frozen=True)
class Column:
    """A column."""

    name: str
    type: str
    """As ``format_type`` prints it, without the schema's own name."""
    base: str
    """``typname`` of the type behind domains and arrays."""
    category: Category
    array: bool
    length: int | None
    """Length in characters of a ``varchar(n)`` or ``char(n)``."""
    not_null: bool
    default: str | None
    identity: str
    """``a`` (always), ``d`` (by default) or empty."""
    generated: bool
    """Whether it is computed from other columns; such columns are not copied."""
    collation: str | None
    portable: bool
    """Whether its binary form contains no type's number;

    arrays of enums, domains and composites cannot be copied in binary.
    """
    plain: str = "text"
    """The built-in type behind it, for casts: masks are created and compared in it. ``text`` where there is none."""
    folded: bool = False
    """Whether the column ignores case: another column of its class is of type ``citext``, and both must join."""
    equal: str = "="
    """The operator that compares two of its values, with its schema where an extension defines it."""


@dataclass(frozen=True)
class ForeignKey:
    """A reference; ``columns`` and ``parent_columns`` in the same order."""

    name: str
    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table, a partitioned table, or a partition."""

    schema: str
    name: str
    kind: str
    """``r`` table, ``p`` partitioned."""
    columns: Mapping[str, Column]
    primary_key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]
    """Columns of each unique index without expression and condition, including the primary key's."""
    distinct: frozenset[str]
    """Columns that a unique index uses, also partly, under a condition or in an expression."""
    references: tuple[ForeignKey, ...]
    partition_of: str | None
    pages: int
    """Pages of 8 KiB, as of the last VACUUM or ANALYZE; from the file where the catalog has no number."""
    size: int
    """Bytes with indexes and TOAST."""

    @property
    def place(self) -> str:
        """Its quoted name with its schema, as every statement uses it."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    def is_unique(self, column: str) -> bool:
        """Returns whether no two rows have the same value in the column."""
        return (column,) in self.unique


@dataclass(frozen=True)
class Catalog:
    """The tables of one schema."""

    schema: str
    tables: Mapping[str, Table]
    other_schemas: tuple[str, ...] = ()
    foreign_tables: tuple[str, ...] = ()
    inherited: tuple[str, ...] = field(default=())
    """Tables of the old inheritance, which is not partitioning."""
    elsewhere: tuple[tuple[str, str], ...] = ()
    """Partitions in another schema than their table: the table and the partition."""

    def leaves(self, table: str) -> list[Table]:
        """Returns the tables that contain the rows: itself, or its partitions and theirs."""
        if self.tables[table].kind != "p":
            return [self.tables[table]]
        return [
            leaf for name, child in self.tables.items() if child.partition_of == table for leaf in self.leaves(name)
        ]

    def root(self, table: str) -> str:
        """Returns the table that ``table`` is a partition of, over any number of levels; itself otherwise."""
        parent = self.tables[table].partition_of
        return table if parent is None or parent not in self.tables else self.root(parent)

    def roots(self) -> dict[str, Table]:
        """Returns the tables that are not partitions."""
        return {name: table for name, table in self.tables.items() if table.partition_of is None}


_TABLES = """
SELECT c.oid, c.relname, c.relkind, p.relname, c.relispartition,
  greatest(c.relpages, CASE WHEN c.relkind = 'r' THEN (pg_relation_size(c.oid) / 8192)::int ELSE 0 END),
  CASE WHEN c.relkind = 'r' THEN pg_total_relation_size(c.oid) ELSE 0 END
FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p', 'f')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname
"""
_COLUMNS = """
WITH RECURSIVE base AS (
  SELECT oid AS id, oid AS at, typtypmod AS modifier, false AS is_array FROM pg_type
  UNION ALL
  SELECT b.id, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END,
    CASE WHEN t.typtype = 'd' AND b.modifier = -1 THEN t.typtypmod ELSE b.modifier END, b.is_array OR t.typtype <> 'd'
  FROM base b JOIN pg_type t ON t.oid = b.at
  WHERE t.typtype = 'd' OR (t.typelem <> 0 AND t.typcategory = 'A')
)
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), t.typname, t.typtype::text, b.is_array,
  CASE WHEN a.atttypmod <> -1 THEN a.atttypmod ELSE b.modifier END, a.attnotnull OR d.typnotnull,
  pg_get_expr(f.adbin, f.adrelid), a.attidentity::text, a.attgenerated::text,
  CASE WHEN a.attcollation NOT IN (0, d.typcollation) THEN quote_ident(l.collname) END,
  t.oid < 16384 AND NOT (b.is_array AND d.oid >= 16384),
  CASE WHEN t.oid < 16384 THEN format_type(t.oid, CASE WHEN a.atttypmod <> -1 THEN a.atttypmod ELSE b.modifier END) ELSE 'text' END
    || CASE WHEN b.is_array THEN '[]' ELSE '' END,
  coalesce((SELECT 'OPERATOR(' || quote_ident(n.nspname) || '.=)' FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
    WHERE o.oprname = '=' AND o.oprleft = t.oid AND o.oprright = t.oid AND n.nspname <> 'pg_catalog' AND NOT b.is_array LIMIT 1), '=')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type d ON d.oid = a.atttypid
JOIN base b ON b.id = a.atttypid JOIN pg_type t ON t.oid = b.at
LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
  AND NOT (t.typtype = 'd' OR (t.typelem <> 0 AND t.typcategory = 'A'))
ORDER BY a.attrelid, a.attnum
"""
_KEYS = """
SELECT i.indrelid, i.indisprimary, array_agg(a.attname ORDER BY k.n)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
CROSS JOIN LATERAL unnest((i.indkey::int2[])[0:i.indnkeyatts - 1]) WITH ORDINALITY k(attnum, n)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE c.relnamespace = %s::regnamespace AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
GROUP BY i.indexrelid, i.indrelid, i.indisprimary ORDER BY i.indrelid, i.indexrelid
"""
_DISTINCT = """
SELECT DISTINCT i.indrelid, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_depend d ON d.refobjid = i.indrelid AND d.refobjsubid > 0
  AND (d.objid = i.indexrelid
    OR d.objid IN (SELECT oid FROM pg_constraint WHERE conindid = i.indexrelid AND conrelid = i.indrelid))
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = d.refobjsubid
WHERE c.relnamespace = %s::regnamespace AND (i.indisunique OR i.indisexclusion)
  AND NOT (i.indpred IS NULL AND i.indexprs IS NULL  -- a column that is only included makes no two rows differ
    AND NOT a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))
"""
_REFERENCES = """
SELECT f.conrelid, f.conname,
  CASE WHEN p.relnamespace = c.relnamespace THEN p.relname ELSE p.relnamespace::regnamespace || '.' || p.relname END,
  (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY k(attnum, n)
   JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum),
  (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(f.confkey) WITH ORDINALITY k(attnum, n)
   JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum)
FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class p ON p.oid = f.confrelid
WHERE f.contype = 'f' AND c.relnamespace = %s::regnamespace AND f.conparentid = 0 ORDER BY f.conrelid, f.conname
"""
_OTHERS = """
SELECT DISTINCT n.nspname FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
WHERE n.nspname <> %s AND n.nspname !~ '^(pg_|information_schema$|crdb_internal$|understudy)' ORDER BY 1
"""


_ELSEWHERE = """
WITH RECURSIVE tree(top, id) AS (
  SELECT c.relname, c.oid FROM pg_class c WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind = 'p'
  UNION SELECT t.top, i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.id)
SELECT DISTINCT t.top::text, n.nspname || '.' || c.relname FROM tree t JOIN pg_class c ON c.oid = t.id
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relnamespace <> %(schema)s::regnamespace ORDER BY 1, 2
"""


@contextmanager
def own_names(connection: Connection, schema: str) -> Iterator[None]:
    """Sets ``search_path`` for printed names: those of ``schema`` have no prefix, all others have theirs."""
    before = connection.execute("SELECT current_setting('search_path')").fetchone()
    connection.execute("SELECT set_config('search_path', quote_ident(%s), false)", [schema])
    yield
    connection.execute("SELECT set_config('search_path', %s, false)", before)


def read(connection: Connection, schema: str) -> Catalog:
    """Reads the catalog of ``schema``."""
    if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema]).fetchone() is None:
        return Catalog(schema, {})
    with own_names(connection, schema):
        return _read(connection, schema)


def _read(connection: Connection, schema: str) -> Catalog:
    named = [quoted(schema)]
    names: dict[int, str] = {}
    parents: dict[int, tuple[str | None, bool]] = {}
    rows = connection.execute(_TABLES, named).fetchall()
    for oid, name, _, parent, is_partition, _, _ in rows:
        names[oid], parents[oid] = name, (parent, is_partition)
    columns: dict[int, dict[str, Column]] = defaultdict(dict)
    for row in connection.execute(_COLUMNS, named):
        columns[row[0]][row[1]] = _column(row[1:])
    primary: dict[int, tuple[str, ...]] = {}
    unique: dict[int, list[tuple[str, ...]]] = defaultdict(list)
    for oid, is_primary, key in connection.execute(_KEYS, named):
        unique[oid].append(tuple(key))
        if is_primary:
            primary[oid] = tuple(key)
    distinct: dict[int, set[str]] = defaultdict(set)
    for oid, name in connection.execute(_DISTINCT, named):
        distinct[oid].add(name)
    references: dict[int, list[ForeignKey]] = defaultdict(list)
    for oid, name, parent, key, parent_key in connection.execute(_REFERENCES, named):
        references[oid].append(ForeignKey(name, names[oid], tuple(key), parent, tuple(parent_key)))
    tables = {
        name: Table(
            schema=schema,
            name=name,
            kind=kind,
            columns=columns[oid],
            primary_key=primary.get(oid, ()),
            unique=tuple(unique[oid]),
            distinct=frozenset(distinct[oid]),
            references=tuple(references[oid]),
            partition_of=parent if is_partition else None,
            pages=pages,
            size=size,
        )
        for oid, name, kind, parent, is_partition, pages, size in rows
        if kind != "f"
    }
    return Catalog(
        schema,
        tables,
        tuple(name for (name,) in connection.execute(_OTHERS, [schema])),
        tuple(name for _, name, kind, *_ in rows if kind == "f"),
        tuple(names[oid] for oid, (parent, is_partition) in parents.items() if parent and not is_partition),
        tuple(connection.execute(_ELSEWHERE, {"schema": quoted(schema)})),
    )


def _column(row: tuple[Any, ...]) -> Column:
    (
        name,
        written,
        base,
        kind,
        is_array,
        modifier,
        not_null,
        default,
        identity,
        generated,
        collation,
        built_in,
        plain,
        equal,
    ) = row
    category: Category = "enum" if kind == "e" else _CATEGORIES.get(base, "other")
    return Column(
        name=name,
        type=written,
        base=base,
        category=category,
        array=is_array,
        length=modifier - 4 if base in ("varchar", "bpchar") and modifier > 4 else None,
        not_null=not_null,
        default=default,
        identity=identity,
        generated=generated != "",
        collation=collation,
        portable=built_in or (not is_array and kind == "e") or (not is_array and category != "other"),
        plain=plain,
        equal=equal,
    )
