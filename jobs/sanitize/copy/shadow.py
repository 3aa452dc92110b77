"""The shadow schema: built beside the schema in use, and swapped with it in one transaction."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import psycopg
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from config.errors import ExternalError
from jobs.sanitize.connection import Connection, connect, translated_errors, trouble
from jobs.sanitize.dialect import literal, quoted
from jobs.sanitize.errors import Leak
from jobs.sanitize.names import HOME, application, old, shadow, work
from jobs.sanitize.plan.definitions import Definitions
from jobs.sanitize.plan.model import Plan

from . import dependents, rights

_TAPE = 256 * 1024
"""Bytes that a merge keeps of every sorted run (PostgreSQL's ``TAPE_BUFFER_OVERHEAD`` and ``MERGE_BUFFER_SIZE``)."""
_FILE = 16 * 1024
"""Bytes that a hash join keeps of every batch: a block of each side's file."""
_LEAST, _MOST = 4 * 2**20, 256 * 2**20
"""Bytes of ``maintenance_work_mem``."""
_WAIT = "3s"
"""Time limit of lock requests, after which they are retried: a refresh does not queue readers behind itself."""


def clear(target: Connection, schema: str) -> None:
    """Drops the remains of an earlier refresh, in small transactions with short locks."""
    for name in (shadow(schema), old(schema), work(schema)):
        _patiently(
            target, name, f"DROP SCHEMA IF EXISTS {quoted(name)} CASCADE", "dropping what an earlier refresh left"
        )


def prepare(target: Connection, plan: Plan, definitions: Definitions) -> None:
    """Creates the shadow schema with its tables, without indexes."""
    with translated_errors("making the shadow schema"):
        target.execute(f"CREATE SCHEMA {quoted(shadow(plan.schema))}")
        target.execute("SET check_function_bodies = off")
        for statement in rights.defaults(target, plan.schema, shadow(plan.schema)):
            target.execute(statement.encode())
    run(target, plan.schema, definitions.before)


_MISSING = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedObject,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InvalidForeignKey,
)


def run(target: Connection, schema: str, statements: Iterable[str]) -> None:
    """Runs statements in the order of their dependencies: one that fails because another is missing is retried after it.

    Names are resolved in the shadow schema only. A statement that needs an extension in the schema in use resolves names
    there, too; ``check_cross_schema_dependencies`` makes sure that it uses nothing else from there.
    """
    waiting = sorted(
        statements, key=lambda statement: statement.startswith("CREATE OR REPLACE")
    )  # routines may read tables
    while waiting:
        failed: dict[str, psycopg.Error] = {}
        for statement in waiting:
            error = _tried(target, statement, quoted(shadow(schema)))
            if error is not None:
                failed[statement] = error
        if len(failed) == len(waiting):
            wide = f"{quoted(shadow(schema))}, {quoted(schema)}"
            done = next((statement for statement in failed if _tried(target, statement, wide) is None), None)
            if done is None:
                statement, error = next(iter(failed.items()))
                raise trouble(f"building {_about(statement)}", error)
            failed.pop(done)
        waiting = list(failed)


def _tried(target: Connection, statement: str, path: str) -> psycopg.Error | None:
    """Tries a statement once; returns the missing precondition, or None when it succeeded."""
    try:
        with target.transaction():
            target.execute(f"SET search_path = {path}".encode())
            target.execute(statement.encode())
    except _MISSING as error:
        return error
    except psycopg.Error as error:
        raise trouble(f"building {_about(statement)}", error) from None
    return None


def _about(statement: str) -> str:
    return " ".join(statement.split()[:3])


def index(conninfo: str, plan: Plan, definitions: Definitions, workers: int) -> None:
    """Builds indexes, one for each worker at a time, the largest tables' first.

    Then statistics and constraints on the indexes.

    Each index is built by one process: two builds beside each other took 5.6 s where one after the other, with parallel
    workers, took 7.7 s (five indexes, six million rows, two cores). Statistics come last, also those of indexed
    expressions: ``ANALYZE`` and a build wait for each other's locks (seen: two seconds of a worker), and the largest
    table's build is the last to end.
    """
    size = _sizes(plan)
    steps = sorted(((size[table], statement) for table, statement in definitions.indexes), reverse=True)
    steps += sorted((size[name], f"ANALYZE {quoted(name)}") for name in plan.catalog.roots())

    def one(step: tuple[int, str]) -> None:
        with connect(conninfo, "target", application=application(plan.schema)) as connection:
            settle(connection, step[0])
            run(connection, plan.schema, [step[1]])

    with ThreadPoolExecutor(max_workers=workers) as pool:
        list(pool.map(one, steps))
    with connect(conninfo, "target", application=application(plan.schema)) as connection:
        settle(connection)
        run(connection, plan.schema, definitions.keys)


def _sizes(plan: Plan) -> dict[str, int]:
    return {name: sum(leaf.size for leaf in plan.catalog.leaves(name)) for name in plan.catalog.tables}


def refer(connection: Connection, plan: Plan, definitions: Definitions) -> None:
    """Adds checks, references and sequence values to the shadow schema."""
    settle(connection, max(_sizes(plan).values(), default=0), each=_FILE)
    run(connection, plan.schema, definitions.references)


def finish(connection: Connection, plan: Plan, definitions: Definitions) -> None:
    """Creates views, triggers and policies; after the proof, because a policy could hide rows from it."""
    settle(connection)
    run(connection, plan.schema, definitions.last)


def settle(connection: Connection, size: int = 0, each: int = _TAPE) -> None:
    """Readies a session for building over a table of ``size`` bytes.

    It gets just the memory that sorts it with one merge, or joins it in as many batches as that has files for (``each``): what
    fits the processor's cache is quicker than what fits the memory (measured, two builds at a time: a million emails of 45
    characters took 1.2 s in 8 MB and 1.9 to 3.6 s in 256 MB, five million whole numbers 1.2 s in 16 MB and 1.4 to 2.1 s; their
    foreign key 1.3 s in 4 MB, 1.7 s in 9 MB, and 2.0 s in 256 MB).
    """
    memory = min(max(math.isqrt(size * each), _LEAST), _MOST) // 1024
    connection.execute(f"SET maintenance_work_mem = '{memory}kB'".encode())
    connection.execute("SET max_parallel_maintenance_workers = 0")
    connection.execute("SET check_function_bodies = off")


_STRAYS = """
SELECT pg_describe_object(d.classid, d.objid, d.objsubid), pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
FROM pg_depend d
LEFT JOIN pg_class r ON d.refclassid = 'pg_class'::regclass AND r.oid = d.refobjid
LEFT JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid
LEFT JOIN pg_class o ON d.classid = 'pg_class'::regclass AND o.oid = d.objid
LEFT JOIN pg_constraint f ON d.classid = 'pg_constraint'::regclass AND f.oid = d.objid
LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid LEFT JOIN pg_class ac ON ac.oid = a.adrelid
LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid LEFT JOIN pg_class wc ON wc.oid = w.ev_class
LEFT JOIN pg_proc q ON d.classid = 'pg_proc'::regclass AND q.oid = d.objid
LEFT JOIN pg_type y ON d.classid = 'pg_type'::regclass AND y.oid = d.objid
LEFT JOIN pg_trigger g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid LEFT JOIN pg_class gc ON gc.oid = g.tgrelid
WHERE coalesce(r.relnamespace, p.pronamespace, t.typnamespace) = %(schema)s::regnamespace
  AND coalesce(o.relnamespace, f.connamespace, ac.relnamespace, wc.relnamespace, gc.relnamespace, q.pronamespace,
    y.typnamespace) = %(shadow)s::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.refclassid AND e.objid = d.refobjid AND e.deptype = 'e')
LIMIT 1
"""
_OURS = "NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = {}.oid AND d.deptype IN ({}))"
_MOVES = f"""
SELECT format('ALTER %%s %%I.%%I SET SCHEMA %%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW'
  WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, %(from)s::text, c.relname, %(to)s::text)
FROM pg_class c WHERE c.relnamespace = quote_ident(%(from)s)::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
  AND {_OURS.format("c", "'e'")} AND (c.relkind <> 'S' OR {_OURS.format("c", "'a', 'i'")})
UNION ALL
SELECT format('ALTER %%s %%I.%%I SET SCHEMA %%I', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, %(from)s::text, t.typname, %(to)s::text)
FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.typnamespace = quote_ident(%(from)s)::regnamespace AND {_OURS.format("t", "'e'")}
  AND (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c')
UNION ALL
SELECT format('ALTER ROUTINE %%s SET SCHEMA %%I', p.oid::regprocedure, %(to)s::text)
FROM pg_proc p WHERE p.pronamespace = quote_ident(%(from)s)::regnamespace AND {_OURS.format("p", "'e', 'i'")}
UNION ALL
SELECT format('ALTER STATISTICS %%I.%%I SET SCHEMA %%I', %(from)s::text, x.stxname, %(to)s::text)
FROM pg_statistic_ext x WHERE x.stxnamespace = quote_ident(%(from)s)::regnamespace
"""
"""Moves objects one by one, for a schema that cannot be renamed because it contains an extension of a superuser."""


def check_cross_schema_dependencies(target: Connection, schema: str) -> None:
    """Raises ``Leak`` when an object of the shadow schema depends on the schema in use, and would be dropped with it."""
    row = target.execute(_STRAYS, {"schema": quoted(schema), "shadow": quoted(shadow(schema))}).fetchone()
    if row:
        raise Leak(f"{row[0]} of the copy leans on {row[1]} of the schema in use")


def rehearse(target: Connection, plan: Plan) -> None:
    """Builds everything once without rows, in a transaction that is rolled back.

    Definitions that cannot be created stop the refresh here.
    """
    definitions = plan.definitions
    with translated_errors("rehearsing"), target.transaction(force_rollback=True):
        target.execute(f"SET LOCAL lock_timeout = {literal(_WAIT)}")
        target.execute(f"DROP SCHEMA IF EXISTS {quoted(shadow(plan.schema))} CASCADE")
        prepare(target, plan, definitions)
        run(target, plan.schema, [statement for _, statement in definitions.indexes])
        for statements in (definitions.keys, definitions.references, definitions.last):
            run(target, plan.schema, statements)
        check_cross_schema_dependencies(target, plan.schema)
        target.execute("SET LOCAL search_path = ''")
        for statement in rights.changes(target, plan.schema, shadow(plan.schema)):
            target.execute(statement.encode())


def swap(target: Connection, plan: Plan, receipt: str, wait: float) -> None:
    """Gives the copy the schema's name, owner and rights, and writes the receipt, in one transaction.

    Sessions that hold a lock on a table are waited for ``wait`` seconds.
    """
    schema = plan.schema
    shared = _holds_extensions(target, schema)
    schema_exists = target.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema]).fetchone()

    def once() -> None:
        with target.transaction():
            target.execute(f"SET LOCAL lock_timeout = {literal(_WAIT)}")
            target.execute("SET LOCAL search_path = ''")  # so that the names of routines come with their schema
            if leaning := dependents.outside(target, schema, shadow(schema)):
                raise ExternalError(
                    f"{leaning[0]} leans on the schema since the refresh began; the old data are as they were"
                )
            for statement in rights.changes(target, schema, shadow(schema)):
                target.execute(statement.encode())
            if shared:
                target.execute(f"CREATE SCHEMA {quoted(old(schema))}")
                _move(target, schema, old(schema))
                _move(target, shadow(schema), schema)
                target.execute(f"DROP SCHEMA {quoted(shadow(schema))}")
            else:
                if schema_exists:
                    target.execute(f"ALTER SCHEMA {quoted(schema)} RENAME TO {quoted(old(schema))}")
                target.execute(f"ALTER SCHEMA {quoted(shadow(schema))} RENAME TO {quoted(schema)}")
            target.execute(f"INSERT INTO {HOME}.receipts (receipt) VALUES (%s)", [receipt])

    _retried(target, schema, once, "swapping the schemas", wait)


def tidy(target: Connection, schema: str, wait: float) -> str:
    """Drops the old tables after the swap.

    Returns a sentence about those that could not be dropped, because the swap is done.
    """
    for name in (old(schema), work(schema)):
        try:
            if leaning := dependents.outside(target, name, schema):
                return f"{leaning[0]} leans on the old tables, which stay as {name}"
            _patiently(target, name, f"DROP SCHEMA IF EXISTS {quoted(name)} CASCADE", "dropping the old tables", wait)
        except (ExternalError, psycopg.Error):
            held = holders(target, name)
            return f"the old tables stay as {name} until the next refresh{f': {held}' if held else ''}"
    return ""


_HOLDERS = """
SELECT DISTINCT format('session %%s (%%s, %%s)', a.pid, coalesce(nullif(a.application_name, ''), 'without a name'), a.state)
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_stat_activity a ON a.pid = l.pid
WHERE n.nspname = %s AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.pid <> pg_backend_pid() LIMIT 5
"""


def holders(target: Connection, schema: str) -> str:
    """Returns a sentence about the sessions with locks on the schema's tables; empty when they cannot be read."""
    try:
        texts = [text for (text,) in target.execute(_HOLDERS, [schema])]
    except psycopg.Error:
        return ""
    return f"{', '.join(texts)} {'holds' if len(texts) == 1 else 'hold'} locks on them" if texts else ""


def _move(target: Connection, schema: str, to: str) -> None:
    for (statement,) in target.execute(_MOVES, {"from": schema, "to": to}).fetchall():
        target.execute(statement.encode())


def _holds_extensions(target: Connection, schema: str) -> bool:
    query = "SELECT 1 FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE n.nspname = %s LIMIT 1"
    return target.execute(query, [schema]).fetchone() is not None


def _patiently(target: Connection, schema: str, statement: str, doing: str, wait: float = 60) -> None:
    def once() -> None:
        with target.transaction():
            target.execute(f"SET LOCAL lock_timeout = {literal(_WAIT)}")
            target.execute(statement.encode())

    _retried(target, schema, once, doing, wait)


def _retried(target: Connection, schema: str, once: Callable[[], None], doing: str, wait: float) -> None:
    again = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
    try:
        for attempt in Retrying(
            retry=retry_if_exception_type(again), stop=stop_after_delay(wait), wait=wait_fixed(0.5), reraise=True
        ):
            with attempt:
                once()
    except again:
        held = holders(target, schema) or "others held locks on its tables"
        raise ExternalError(f"{doing}: {held}, for more than {wait:.0f} s; the old data are as they were") from None
    except psycopg.Error as error:
        raise trouble(doing, error) from None
