"""Database connections: for psycopg, and for the programs of PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from config.errors import ConfigError, ExternalError, Problem

from .errors import SnapshotGone

Connection = psycopg.Connection[tuple[Any, ...]]
APPLICATION = "understudy-sanitize"
"""``application_name`` of connections outside a refresh; a refresh's connections have its schema's (``names.application``)."""

OPTIONS = (
    "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c timezone=UTC -c DateStyle=ISO "
    "-c IntervalStyle=postgres -c client_encoding=UTF8 -c search_path="
)
"""Settings of every session:

no time limit, fixed formats of dates and texts, and an empty ``search_path``, so that a name without a schema is found
only in ``pg_catalog`` and never in another schema.
"""


def connect(
    conninfo: str, side: str, settings: Mapping[str, str] | None = None, *, application: str = APPLICATION
) -> Connection:
    """Opens a connection; raises ``ExternalError`` with the ``side`` (source or target) and without a password.

    ``settings`` are parameters of the session. They are sent in the start-up packet, which no server logs; a statement
    that sets a key would be in the log of a server with ``log_statement = all``.
    """
    try:
        connection = psycopg.connect(
            conninfo,
            autocommit=True,
            application_name=application,
            connect_timeout=10,
            options=_options(conninfo, settings),
        )
    except psycopg.ProgrammingError as error:
        raise ConfigError(Problem(variable(side), None, "", f"no connection string: {_first(error)}")) from None
    except psycopg.Error as error:
        raise ExternalError(f"{side} {shown(conninfo)}: {_first(error)}") from None
    # the work of a dead client ends within seconds, not with its statement (PostgreSQL 14 and later)
    if connection.info.server_version >= 140000 and connection.info.parameter_status("crdb_version") is None:
        connection.execute("SET client_connection_check_interval = '1s'")
        connection.execute("SET jit = off")
        connection.execute("SET row_security = off")  # an error where a policy would hide rows
    return connection


def variable(side: str) -> str:
    """Returns the name of the environment variable with the connection string of a ``side``."""
    return f"SANITIZE_{side.upper()}"


def shown(conninfo: str) -> str:
    """Returns host, port and database of a connection string, which may be printed."""
    parameters = conninfo_to_dict(conninfo)
    port = parameters.get("port") or os.environ.get("PGPORT", "5432")
    return f"{host(conninfo)}:{port}/{parameters.get('dbname') or os.environ.get('PGDATABASE', '')}"


def host(conninfo: str) -> str:
    """Returns the host of a connection string."""
    parameters = conninfo_to_dict(conninfo)
    return str(parameters.get("host") or parameters.get("hostaddr") or os.environ.get("PGHOST", "localhost"))


def program(
    conninfo: str, settings: Mapping[str, str] | None = None, *, application: str = APPLICATION
) -> tuple[str, dict[str, str]]:
    """Returns a connection string for psql and pg_dump without the password, and the environment that contains it.

    ``settings`` are parameters of the session. They are passed in the environment as well: other users can read arguments
    and, in ``pg_stat_activity``, statements, but not an environment or a start-up packet.
    """
    parameters = {key: str(value) for key, value in conninfo_to_dict(conninfo).items() if value is not None}
    environment = dict(os.environ)
    if "password" in parameters:
        environment["PGPASSWORD"] = parameters.pop("password")
    environment["PGOPTIONS"] = _options(conninfo, settings)
    parameters.pop("options", None)
    environment.setdefault("PGCONNECT_TIMEOUT", "10")
    return make_conninfo("", **parameters, application_name=application), environment


def _options(conninfo: str, settings: Mapping[str, str] | None) -> str:
    """Returns the session's parameters; those of the connection string come first, so that ours take precedence."""
    options = str(conninfo_to_dict(conninfo).get("options") or "")
    more = [f"-c {name}={value}" for name, value in (settings or {}).items()]
    return " ".join([*([options] if options else []), OPTIONS, *more])


@contextmanager
def translated_errors(doing: str) -> Iterator[None]:
    """Turns a database error into one message without values."""
    try:
        yield
    except psycopg.Error as error:
        raise trouble(doing, error) from None


def trouble(doing: str, error: psycopg.Error) -> ExternalError:
    """Returns the message: PostgreSQL's first line and the object; without DETAIL or CONTEXT, which quote rows."""
    if "snapshot" in _first(error) and "does not exist" in _first(error):
        return SnapshotGone(f"{doing}: the snapshot is gone")
    about = [
        f"{what} {name!r}"
        for what, name in (
            ("table", error.diag.table_name),
            ("column", error.diag.column_name),
            ("constraint", error.diag.constraint_name),
        )
        if name
    ]
    where = f" ({', '.join(about)})" if about else ""
    return ExternalError(f"{doing}: {_safe(error)}{where}; the old data are as they were")


def _first(error: psycopg.Error) -> str:
    text = (error.diag.message_primary or str(error)).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _safe(error: psycopg.Error) -> str:
    """Removes values: data exceptions (class 22) quote the value in their first line; other errors do not."""
    state = error.sqlstate or ""
    if state.startswith("22"):
        return f"{type(error).__name__} ({state})"
    return _first(error)
