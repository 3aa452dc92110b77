"""The schema as statements: read from the source's catalog, run in the shadow schema of the target.

Names of the schema are printed without it, because ``search_path`` is that schema during the reading; run with the shadow
schema as ``search_path``, the statements create the same objects there. Comments, grants and publications are not copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from jobs.sanitize.catalog import Catalog, Column, own_names
from jobs.sanitize.connection import Connection
from jobs.sanitize.dialect import literal, quoted
from jobs.sanitize.names import QUIET, shadow


@dataclass
class Definitions:
    """Statements in five steps. Within a step, one that needs another is retried after it."""

    before: list[str] = field(default_factory=list)
    """Types, sequences, functions, tables without indexes."""
    indexes: list[tuple[str, str]] = field(default_factory=list)
    """Table and statement; independent of each other."""
    keys: list[str] = field(default_factory=list)
    """Constraints on these indexes, or with indexes of their own."""
    references: list[str] = field(default_factory=list)
    """Checks and foreign keys, sequences' values and statistics, which only read the tables."""
    last: list[str] = field(default_factory=list)
    """Views, triggers and policies, which are created last so that the copy does not run them."""
    left: list[str] = field(default_factory=list)
    """Objects of the schema that no statement can create, as text."""

    def statements(self) -> Iterator[str]:
        """Yields all statements, whose texts are examined before any is run."""
        yield from self.before
        yield from (statement for _, statement in self.indexes)
        yield from self.keys
        yield from self.references
        yield from self.last


def read(connection: Connection, catalog: Catalog) -> Definitions:
    """Reads the definitions of the schema, in the connection's snapshot."""
    with own_names(connection, catalog.schema):
        return _read(connection, catalog)


def _read(connection: Connection, catalog: Catalog) -> Definitions:
    result = Definitions()
    schema = catalog.schema
    result.before += _types(connection, schema)
    result.before += _sequences(connection, schema)
    result.before += _functions(connection, schema, result.left)
    result.before += _tables(connection, catalog, result.last)
    result.indexes += [(table, statement) for table, statement in connection.execute(_INDEXES, [schema])]
    for query, into in (
        (_KEYS, result.keys),
        (_CONSTRAINTS, result.references),
        (_STATISTICS, result.references),
        (_VIEWS, result.last),
        (_VIEW_INDEXES, result.last),
        (_TRIGGERS, result.last),
        (_TRIGGER_STATES, result.last),
        (_SECURITY, result.last),
        (_POLICIES, result.last),
        (_RULES, result.last),
        (_TAKEN, result.last),
        (_STORAGE, result.before),
        (_LEFT, result.left),
    ):
        into.extend(statement for (statement,) in connection.execute(query, [schema] * query.count("%s")))
    result.references += _values(connection, schema)
    return result


_MEMBER = "EXISTS (SELECT FROM pg_depend e WHERE e.objid = {}.oid AND e.deptype = 'e')"
_ENUMS = f"""
SELECT 'CREATE TYPE ' || quote_ident(t.typname) || ' AS ENUM (' ||
  (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid) || ')'
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = %s AND t.typtype = 'e' AND NOT {_MEMBER.format("t")} ORDER BY t.typname
"""
_COMPOSITES = f"""
SELECT 'CREATE TYPE ' || quote_ident(t.typname) || ' AS (' || (
  SELECT string_agg(quote_ident(attname) || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
  FROM pg_attribute WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped) || ')'
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
WHERE n.nspname = %s AND NOT {_MEMBER.format("t")} ORDER BY t.oid
"""
_RANGES = f"""
SELECT 'CREATE TYPE ' || quote_ident(t.typname) || ' AS RANGE (SUBTYPE = ' || format_type(r.rngsubtype, -1) || ')'
FROM pg_range r JOIN pg_type t ON t.oid = r.rngtypid JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = %s AND NOT {_MEMBER.format("t")} ORDER BY t.oid
"""
_DOMAINS = f"""
SELECT 'CREATE DOMAIN ' || quote_ident(t.typname) || ' AS ' || format_type(t.typbasetype, t.typtypmod)
  || coalesce(' DEFAULT ' || t.typdefault, '') || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END
  || coalesce((SELECT string_agg(' CONSTRAINT ' || quote_ident(conname) || ' ' || pg_get_constraintdef(oid), '')
     FROM pg_constraint WHERE contypid = t.oid AND contype = 'c'), '')
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = %s AND t.typtype = 'd' AND NOT {_MEMBER.format("t")} ORDER BY t.oid
"""
_OPTIONS = (
    "'AS ' || format_type(s.seqtypid, NULL) || ' INCREMENT BY ' || s.seqincrement || ' MINVALUE ' || s.seqmin || ' MAXVALUE ' || "
    "s.seqmax || ' START WITH ' || s.seqstart || ' CACHE ' || s.seqcache || CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END"
)
_SEQUENCES = f"""
SELECT 'CREATE SEQUENCE ' || quote_ident(c.relname) || ' ' || {_OPTIONS}
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND NOT {_MEMBER.format("c")}
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i') ORDER BY c.relname
"""
_IDENTITIES = f"""
SELECT d.refobjid::regclass::oid, a.attname, '(' || regexp_replace({_OPTIONS}, '^AS \\S+( \\S+)?? INCREMENT', 'INCREMENT') || ')'
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_depend d ON d.objid = c.oid AND d.deptype = 'i'
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s
"""
_OWNED = """
SELECT c.relname, t.relname, a.attname, d.deptype, s.seqstart FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend d ON d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
LEFT JOIN pg_class t ON t.oid = d.refobjid LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE n.nspname = %s ORDER BY c.relname
"""
_FUNCTIONS = f"""
SELECT p.prokind, p.oid::regprocedure::text, CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) END,
  quote_ident(n.nspname)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = %s AND NOT {_MEMBER.format("p")}
  AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.objid = p.oid AND i.deptype = 'i')  -- a range type brings its own
ORDER BY p.oid
"""
_RELATIONS = """
SELECT c.relname, c.relkind, c.relpersistence, pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid), p.relname, c.oid,
  coalesce(c.reloptions, '{}')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
WHERE n.nspname = %s AND c.relkind IN ('r', 'p')
"""
_GENERATED = """
SELECT c.relname, a.attname, pg_get_expr(f.adbin, f.adrelid) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
WHERE n.nspname = %s AND a.attgenerated <> ''
"""
_OWN = "SELECT FROM pg_constraint f WHERE f.conindid = i.indexrelid AND f.conrelid = i.indrelid"
_INDEXES = f"""
SELECT t.relname, CASE t.relkind WHEN 'p' THEN regexp_replace(pg_get_indexdef(i.indexrelid, 0, true), ' ON ONLY ', ' ON ')
  ELSE pg_get_indexdef(i.indexrelid, 0, true) END  -- of a partitioned table: on the partitions too
FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname = %s AND t.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)
  AND NOT EXISTS ({_OWN} AND (f.contype = 'x' OR t.relkind = 'p')) ORDER BY t.relname, i.indexrelid
"""
_KEYS = """
SELECT 'ALTER TABLE ' || quote_ident(t.relname) || ' ADD CONSTRAINT ' || quote_ident(f.conname) || ' ' ||
  CASE WHEN f.contype = 'x' OR t.relkind = 'p' THEN pg_get_constraintdef(f.oid) ELSE
    CASE f.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END || ' USING INDEX ' || quote_ident(x.relname)
    || CASE WHEN f.condeferrable THEN ' DEFERRABLE' ELSE '' END || CASE WHEN f.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END
  END
FROM pg_constraint f JOIN pg_class t ON t.oid = f.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_class x ON x.oid = f.conindid
WHERE n.nspname = %s AND f.contype IN ('p', 'u', 'x') AND f.coninhcount = 0 ORDER BY t.relname, f.conname
"""
_CONSTRAINTS = """
SELECT 'ALTER TABLE ' || quote_ident(t.relname) || ' ADD CONSTRAINT ' || quote_ident(f.conname) || ' ' || pg_get_constraintdef(f.oid)
FROM pg_constraint f JOIN pg_class t ON t.oid = f.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname = %s AND f.contype IN ('c', 'f') AND f.coninhcount = 0 ORDER BY f.contype, t.relname, f.conname
"""
_STATISTICS = """
SELECT replace(pg_get_statisticsobjdef(s.oid), 'STATISTICS ' || quote_ident(n.nspname) || '.', 'STATISTICS ')
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE n.nspname = %s ORDER BY s.stxname
"""
_VIEWS = f"""
SELECT 'CREATE ' || CASE c.relkind WHEN 'm' THEN 'MATERIALIZED ' ELSE '' END || 'VIEW ' || quote_ident(c.relname)
  || coalesce(' WITH (' || array_to_string(c.reloptions, ', ') || ')', '') || ' AS ' || rtrim(pg_get_viewdef(c.oid), ';')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('v', 'm') AND NOT {_MEMBER.format("c")} ORDER BY c.oid
"""
_VIEW_INDEXES = """
SELECT pg_get_indexdef(i.indexrelid, 0, true) FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = %s AND t.relkind = 'm'
"""
_TRIGGERS = """
SELECT pg_get_triggerdef(g.oid, true) FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = %s AND NOT g.tgisinternal AND g.tgparentid = 0 ORDER BY g.oid
"""
_TRIGGER_STATES = """
SELECT 'ALTER TABLE ' || quote_ident(t.relname) || CASE g.tgenabled WHEN 'D' THEN ' DISABLE' WHEN 'A' THEN ' ENABLE ALWAYS'
  ELSE ' ENABLE REPLICA' END || ' TRIGGER ' || quote_ident(g.tgname)
FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname = %s AND NOT g.tgisinternal AND g.tgparentid = 0 AND g.tgenabled <> 'O' ORDER BY g.oid
"""
_SECURITY = """
SELECT 'ALTER TABLE ' || quote_ident(c.relname) || s.words FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (VALUES (c.relrowsecurity, ' ENABLE ROW LEVEL SECURITY'), (c.relforcerowsecurity, ' FORCE ROW LEVEL SECURITY'))
  s(wanted, words)
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND s.wanted ORDER BY c.relname
"""
_POLICIES = """
SELECT 'CREATE POLICY ' || quote_ident(policyname) || ' ON ' || quote_ident(tablename) || ' AS ' || permissive || ' FOR ' || cmd
  || ' TO ' || (SELECT string_agg(CASE r WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(r) END, ', ') FROM unnest(roles) r)
  || coalesce(' USING (' || qual || ')', '') || coalesce(' WITH CHECK (' || with_check || ')', '')
FROM pg_policies WHERE schemaname = %s ORDER BY tablename, policyname
"""
_STORAGE = """
SELECT 'ALTER TABLE ' || quote_ident(c.relname) || ' ALTER ' || quote_ident(a.attname) || ' SET STORAGE ' ||
  CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND a.attstorage <> t.typstorage
ORDER BY c.relname, a.attnum
"""
_RULES = """
SELECT pg_get_ruledef(w.oid, true) FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND w.rulename <> '_RETURN' ORDER BY c.relname, w.rulename
"""
_LEFT = f"""
WITH s AS (SELECT oid FROM pg_namespace WHERE nspname = %s)
SELECT 'the operator ' || o.oid::regoperator FROM pg_operator o, s WHERE o.oprnamespace = s.oid AND NOT {_MEMBER.format("o")}
UNION ALL SELECT 'the collation ' || quote_ident(c.collname) FROM pg_collation c, s WHERE c.collnamespace = s.oid AND NOT {_MEMBER.format("c")}
UNION ALL SELECT 'the text search configuration ' || quote_ident(c.cfgname) FROM pg_ts_config c, s WHERE c.cfgnamespace = s.oid
  AND NOT {_MEMBER.format("c")}
UNION ALL SELECT 'the text search dictionary ' || quote_ident(c.dictname) FROM pg_ts_dict c, s WHERE c.dictnamespace = s.oid
  AND NOT {_MEMBER.format("c")}
UNION ALL SELECT 'comments on ' || quote_ident(c.relname) FROM pg_class c, s WHERE c.relnamespace = s.oid
  AND EXISTS (SELECT FROM pg_description d WHERE d.classoid = 'pg_class'::regclass AND d.objoid = c.oid)
UNION ALL SELECT 'the publication ' || quote_ident(p.pubname) || ' of ' || quote_ident(c.relname) FROM pg_publication p
  JOIN pg_publication_rel r ON r.prpubid = p.oid JOIN pg_class c ON c.oid = r.prrelid, s WHERE c.relnamespace = s.oid
UNION ALL SELECT 'the security label of ' || quote_ident(c.relname) FROM pg_seclabel l JOIN pg_class c ON c.oid = l.objoid, s
  WHERE c.relnamespace = s.oid AND l.classoid = 'pg_class'::regclass
ORDER BY 1
"""
_TAKEN = f"""
SELECT 'REVOKE ALL ON ROUTINE ' || p.oid::regprocedure::text || ' FROM PUBLIC' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = %s AND p.prokind IN ('f', 'p') AND NOT {_MEMBER.format("p")} AND p.proacl IS NOT NULL
  AND NOT EXISTS (SELECT FROM aclexplode(p.proacl) x WHERE x.grantee = 0)
UNION ALL
SELECT 'REVOKE ALL ON TYPE ' || t.oid::regtype::text || ' FROM PUBLIC' FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = %s AND t.typtype IN ('e', 'd', 'r') AND NOT {_MEMBER.format("t")} AND t.typacl IS NOT NULL
  AND NOT EXISTS (SELECT FROM aclexplode(t.typacl) x WHERE x.grantee = 0)
"""


def _types(connection: Connection, schema: str) -> Iterator[str]:
    for query in (_ENUMS, _COMPOSITES, _RANGES, _DOMAINS):
        for (statement,) in connection.execute(query, [schema]):
            yield statement


def _sequences(connection: Connection, schema: str) -> Iterator[str]:
    for (statement,) in connection.execute(_SEQUENCES, [schema]):
        yield statement


def _functions(connection: Connection, schema: str, left: list[str]) -> Iterator[str]:
    for kind, name, statement, owner in connection.execute(_FUNCTIONS, [schema]):
        if statement is None:
            left.append(f"the {'aggregate' if kind == 'a' else 'window function'} {name}")
            continue
        for word in ("FUNCTION", "PROCEDURE"):
            begin = f"CREATE OR REPLACE {word} {owner}."
            if statement.startswith(begin):
                yield f"CREATE OR REPLACE {word} {statement[len(begin) :]}"


def _tables(connection: Connection, catalog: Catalog, last: list[str]) -> Iterator[str]:
    schema = catalog.schema
    sequences = {(oid, name): options for oid, name, options in connection.execute(_IDENTITIES, [schema])}
    computed = {(table, name): text for table, name, text in connection.execute(_GENERATED, [schema])}
    for name, kind, persistence, key, bound, parent, oid, options in connection.execute(
        _RELATIONS, [schema]
    ).fetchall():
        if name not in catalog.tables:
            continue
        unlogged = "UNLOGGED " if persistence == "u" else ""
        by = f" PARTITION BY {key}" if key else ""
        has_option = any(QUIET in option for option in options)
        if kind == "r" and not has_option:  # a partitioned table has no such parameter
            options.append(f"{QUIET} = off")
            last.append(f"ALTER TABLE {quoted(name)} RESET ({QUIET})")
        settings = f" WITH ({', '.join(options)})" if options else ""
        if bound is not None:
            of = f"{quoted(shadow(schema))}.{quoted(parent)}"  # never a partition of the table in use
            yield f"CREATE {unlogged}TABLE {quoted(name)} PARTITION OF {of} {bound}{by}{settings}"
            continue
        columns = [
            _column(column, computed.get((name, column.name)), sequences.get((oid, column.name)))
            for column in catalog.tables[name].columns.values()
        ]
        yield f"CREATE {unlogged}TABLE {quoted(name)} ({', '.join(columns)}){by}{settings}"


def _column(column: Column, generated: str | None, identity: str | None) -> str:
    words = [quoted(column.name), column.type]
    if column.collation:
        words.append(f"COLLATE {column.collation}")
    if generated is not None:
        words.append(f"GENERATED ALWAYS AS ({generated}) STORED")
    elif column.identity:
        words.append(f"GENERATED {'ALWAYS' if column.identity == 'a' else 'BY DEFAULT'} AS IDENTITY {identity or ''}")
    elif column.default is not None:
        words.append(f"DEFAULT {column.default}")
    if column.not_null:
        words.append("NOT NULL")
    return " ".join(words)


def _values(connection: Connection, schema: str) -> Iterator[str]:
    """Yields statements that continue sequences after the highest copied value.

    Sequences without a column continue at production's value.
    """
    for sequence, table, column, owned, start in connection.execute(_OWNED, [schema]).fetchall():
        if table is None:
            row = connection.execute(
                "SELECT last_value FROM pg_sequences WHERE schemaname = %s AND sequencename = %s", [schema, sequence]
            ).fetchone()
            if row and row[0] is not None:
                yield f"SELECT setval({literal(quoted(sequence))}, {row[0]})"
            continue
        name = literal(quoted(sequence))
        if owned == "a":
            yield f"ALTER SEQUENCE {quoted(sequence)} OWNED BY {quoted(table)}.{quoted(column)}"
        else:  # an identity's sequence has the name that the target chose
            name = f"pg_get_serial_sequence({literal(quoted(table))}, {literal(column)})"
        most = f"(SELECT max({quoted(column)}) FROM {quoted(table)})"
        yield f"SELECT setval({name}, coalesce({most}, {start}), {most} IS NOT NULL)"
