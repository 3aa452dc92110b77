"""Conditions under which a refresh stops before anything is written."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

import psycopg
from psycopg.conninfo import conninfo_to_dict

from config.errors import ConfigError, Problem
from config.model.contract import Class, Contract, Database, Table
from config.model.contract import Column as Declared
from jobs.sanitize import catalog
from jobs.sanitize.copy import dependents, rights
from jobs.sanitize.masks.expressions import MaskRequest, Unmaskable, mask
from jobs.sanitize.proof.detectors import planted
from jobs.sanitize.proof.receipt import last

from . import names
from .connection import Connection, variable
from .dialect import Dialect, quoted
from .names import HOME

_WRITES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p') AND (pg_has_role(c.relowner, 'USAGE')
  OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') OR has_any_column_privilege(c.oid, 'INSERT, UPDATE'))
ORDER BY 1
"""

_MARKED = f"""
SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '{HOME}' AND c.relname = 'environment'
"""


def target(
    conninfo: str, connection: Connection, contract: Contract, name: str, environment: Mapping[str, str] = os.environ
) -> str:
    """Returns the environment of the target's marker; raises ``ConfigError`` when it is production's, or missing."""
    database = contract.databases[name]
    problems = list(_production(conninfo, connection, database, environment))
    if not problems and last(connection, contract.system, name) is None:
        problems += _canaries(connection, database)
    marker = _marker(connection)
    if marker is None:
        fix = f"when it is the staging of {contract.system}: ./understudy sanitize mark --system {contract.system} --database {name}"
        problems.append(Problem(variable("target"), None, "", f"the target has no marker ({HOME}.environment)", fix))
    elif marker[1] == "production":
        problems.append(
            Problem(variable("target"), None, "", "the target's marker says that it is production", "take staging's")
        )
    elif marker[0] != contract.system:
        actual = f"the target's marker says that it is {marker[1]} of {marker[0]!r}, expected {contract.system!r}"
        problems.append(Problem(variable("target"), None, "", actual, "check the host"))
    if problems:
        raise ConfigError(*problems)
    assert marker is not None, "else refused"
    return marker[1]


def mark(conninfo: str, connection: Connection, contract: Contract, name: str, environment: str) -> None:
    """Marks the target as an environment of the system; refuses production."""
    problems = list(_production(conninfo, connection, contract.databases[name], os.environ))
    marker = _marker(connection)
    if environment == "production":
        problems.append(Problem("--environment", None, "", "found 'production': it is never refreshed", "name another"))
    if marker is not None and marker != (contract.system, environment):
        actual = f"the target is marked as {marker[1]} of {marker[0]!r} already"
        problems.append(Problem(variable("target"), None, "", actual, f"drop the schema {HOME} there if that is wrong"))
    problems += _canaries(connection, contract.databases[name]) if not problems else []
    if problems:
        raise ConfigError(*problems)
    if last(connection, contract.system, name) is None:
        empty(connection, contract, name)
    with connection.transaction():
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {HOME}")
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {HOME}.environment (single boolean PRIMARY KEY DEFAULT true CHECK (single), system text NOT NULL, "
            "name text NOT NULL)"
        )
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {HOME}.receipts (at timestamptz PRIMARY KEY DEFAULT clock_timestamp(), receipt text NOT NULL)"
        )
        connection.execute(
            f"INSERT INTO {HOME}.environment (system, name) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [contract.system, environment],
        )


def source(conninfo: str, connection: Connection, contract: Contract, name: str, *, masked: bool = False) -> None:
    """Raises ``ConfigError`` when the source is writable, or is a live server although the contract does not allow it."""
    database = contract.databases[name]
    problems = list(_writable(connection, database))
    if not masked and _value(connection, _MARKED):
        message = "the source is marked as an environment that is refreshed: source and target look swapped"
        problems.append(
            Problem(variable("source"), None, "", message, "read production; of a sanitised copy say --already-masked")
        )
    recovering = _value(connection, "SELECT pg_is_in_recovery()") if database.engine == "postgresql" else False
    here = ("databases", name, "source")
    if database.source == "replica" and not recovering:
        fix = "read a hot standby, or say 'source: snapshot' or 'primary' and why that is allowed"
        problems.append(contract.problem(here, "the source is a primary, expected a replica", fix))
    if database.source == "snapshot" and not recovering:
        busy = _value(
            connection, "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )  # fmt: skip
        production_host = _matches(database, hosts(conninfo, connection))
        if busy or production_host:
            actual = f"{busy} of its sessions write" if busy else f"its host {production_host} is one of production's"
            problems.append(
                contract.problem(here, f"the source lives, expected a restored snapshot: {actual}", "restore one")
            )
    if problems:
        raise ConfigError(*problems)


def require_distinct_servers(one: Connection, other: Connection) -> None:
    """Raises ``ConfigError`` when both connections lead to the same server, or to copies of one."""
    theirs = _identifier(one), _identifier(other)
    if theirs[0] is not None and theirs[0] == theirs[1]:
        actual = f"source and target are one server, or copies of one: both have the system identifier {theirs[0]}"
        raise ConfigError(
            Problem(variable("target"), None, "", actual, "a target is initialised anew, never cloned from production")
        )


def require_create_privilege(connection: Connection, schema: str) -> None:
    """Raises ``ConfigError`` when the target's user may not create and rename schemas."""
    if not _value(connection, "SELECT has_database_privilege(current_database(), 'CREATE')"):
        fix = f"GRANT CREATE ON DATABASE … TO {connection.info.user}"
        raise ConfigError(Problem(variable("target"), None, "", "the user may not create schemas", fix))
    owner = connection.execute(
        "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = %s AND NOT pg_has_role(nspowner, 'USAGE')",
        [schema],
    ).fetchone()
    if owner:
        fix = f"GRANT {quoted(owner[0])} TO {quoted(connection.info.user)}"
        raise ConfigError(Problem(variable("target"), None, "", f"the schema {schema!r} belongs to {owner[0]}", fix))


def alone(connection: Connection, schema: str) -> None:
    """Raises ``ConfigError`` when an outside object depends on the schema, or rights of other roles could not be granted."""
    where, problems = variable("target"), []
    for leaning in dependents.outside(connection, schema, names.shadow(schema), names.old(schema)):
        fix = "move it into the schema, or drop it and make it again after each refresh"
        problems.append(
            Problem(where, None, "", f"{leaning} leans on the schema {schema!r}, whose tables are replaced", fix)
        )
    for owner in rights.foreign_owners(connection, schema):
        actual = (
            f"{owner} owns objects or default privileges in the schema {schema!r}, and they could not be given back"
        )
        problems.append(Problem(where, None, "", actual, f"GRANT {quoted(owner)} TO {quoted(connection.info.user)}"))
    if problems:
        raise ConfigError(*problems)


def empty(connection: Connection, contract: Contract, name: str) -> None:
    """Raises ``ConfigError`` when a target without a refresh contains unmasked values: it could be production."""
    database = contract.databases[name]
    tables = []
    for table in catalog.read(connection, database.schema_).roots().values():
        rules = database.tables.get(table.name)
        masks = _masks(rules, table) if rules else {}
        raw = [f"({quoted(column)} IS NOT NULL AND NOT ({condition}))" for column, condition in masks.items()]
        if raw and _value(connection, f"SELECT 1 FROM {table.place} WHERE {' OR '.join(raw)} LIMIT 1"):
            tables.append(table.name)
    if tables:
        some = ", ".join(tables[:3]) + (f" and {len(tables) - 3} more" if len(tables) > 3 else "")
        message = f"no refresh was here, and {some} hold values that no mask makes: this looks like production"
        fix = "check the host; where it is staging, empty these tables first"
        raise ConfigError(Problem(variable("target"), None, "", message, fix))


def _masks(rules: Table, table: catalog.Table) -> dict[str, str]:
    """Returns conditions on the masked columns that the table has; columns that cannot be masked are left out."""
    masks = {}
    for name, column in table.columns.items():
        declared = rules.columns.get(name)
        if declared is None or declared.paths or declared.form or column.generated:
            continue
        try:
            own_mask = mask(MaskRequest(declared.cls, column, Dialect("postgresql"), value=declared.value))
        except Unmaskable:
            continue
        if own_mask is not None and declared.cls is not Class.DROP:
            unique = "" if name not in table.distinct else _distinct(declared, column)
            condition = own_mask.condition(quoted(name))
            masks[name] = f"{condition} OR {unique}" if unique else condition
    return masks


def _distinct(declared: Declared, column: catalog.Column) -> str:
    try:
        own_mask = mask(MaskRequest(declared.cls, column, Dialect("postgresql"), distinct=True))
    except Unmaskable:
        return ""
    return own_mask.condition(quoted(column.name)) if own_mask else ""


def _canaries(connection: Connection, database: Database) -> Iterator[Problem]:
    """Raises an error for a target without a refresh that contains a canary: it is production."""
    if not database.canaries:
        return
    for table in catalog.read(connection, database.schema_).roots().values():
        texts = [
            f"{quoted(column.name)}::text"
            for column in table.columns.values()
            if column.category not in ("integer", "number", "boolean")
        ]
        condition = planted(f"concat_ws(chr(31), {', '.join(texts)})", database.canaries) if texts else "false"
        if texts and _value(connection, f"SELECT 1 FROM {table.place} WHERE {condition} LIMIT 1"):
            message = f"the target is production: its table {table.name} holds a canary, which is planted nowhere else"
            yield Problem(variable("target"), None, "", message, "take staging's")


def _production(
    conninfo: str, connection: Connection, database: Database, environment: Mapping[str, str]
) -> Iterator[Problem]:
    marks, where = database.production, variable("target")
    if production_host := _matches(database, hosts(conninfo, connection)):
        yield Problem(where, None, "", f"the host {production_host} is one of production's", "take staging's")
    identifier = _identifier(connection)
    if identifier in marks.system_identifiers:
        yield Problem(
            where, None, "", f"the server is production's: its system identifier is {identifier}", "take staging's"
        )
    for account in marks.accounts:
        if f"::{account}:" in environment.get("AWS_ROLE_ARN", ""):
            yield Problem(
                "AWS_ROLE_ARN", None, "", f"the role is of production's account {account}", "run in staging's"
            )
    for key, value in marks.variables.items():
        if environment.get(key) == value:
            yield Problem(key, None, "", f"found {value!r}, which is production's", "run where staging runs")
    for key, value in database.requires.items():
        if environment.get(key) != value:
            yield Problem(
                key, None, "", f"found {environment.get(key, '')!r}, expected {value!r}", f"export {key}={value}"
            )


def hosts(conninfo: str, connection: Connection) -> list[str]:
    """Returns every name and address of the server in the form in which they are compared: small letters, no final dot."""
    parameters = conninfo_to_dict(conninfo)
    lists = [parameters.get("host"), parameters.get("hostaddr"), os.environ.get("PGHOST"), os.environ.get("PGHOSTADDR")]
    lists += [connection.info.host, connection.info.hostaddr]
    return sorted({_plain(name) for some in lists if some for name in str(some).split(",") if name.strip()})


def _plain(name: str) -> str:
    return name.strip().casefold().rstrip(".")


def _matches(database: Database, names: list[str]) -> str:
    """Returns the first of the hosts that is one of production's, by name or by address; else an empty text."""
    for pattern in map(_plain, database.production.hosts):
        addresses = [] if "*" in pattern or "?" in pattern else _addresses(pattern)
        for name in names:
            if fnmatchcase(name, pattern) or name in addresses:
                return name
    return ""


def _addresses(name: str) -> list[str]:
    """Returns the addresses of a name; none where it does not resolve."""
    try:
        return sorted({str(entry[4][0]) for entry in socket.getaddrinfo(name, None)})
    except (OSError, UnicodeError):
        return []


def _marker(connection: Connection) -> tuple[str, str] | None:
    try:
        row = connection.execute(f"SELECT system, name FROM {HOME}.environment").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.InsufficientPrivilege):
        return None
    return (row[0], row[1]) if row else None


def _identifier(connection: Connection) -> str | None:
    """Returns the identifier from ``initdb``; None where the service does not provide it (CockroachDB)."""
    try:
        return str(_value(connection, "SELECT system_identifier FROM pg_control_system()"))
    except (psycopg.errors.UndefinedFunction, psycopg.errors.InsufficientPrivilege):
        return None


def _writable(connection: Connection, database: Database) -> Iterator[Problem]:
    fix = "read with a role that has SELECT, and nothing more"
    if _value(connection, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        yield Problem(variable("source"), None, "", f"{connection.info.user!r} is a superuser there", fix)
        return
    tables = [name for (name,) in connection.execute(_WRITES, [database.schema_])]
    if tables:
        some = ", ".join(tables[:3]) + (f" and {len(tables) - 3} more" if len(tables) > 3 else "")
        yield Problem(variable("source"), None, "", f"{connection.info.user!r} may write to {some}", fix)


def _value(connection: Connection, query: str) -> object:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None
