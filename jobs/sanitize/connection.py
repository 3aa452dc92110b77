"""Connections: of psycopg, and the same for the programs of PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from config.errors import ConfigError, Problem

from .errors import SnapshotGone, Trouble
from .names import APPLICATION

Connection = psycopg.Connection[tuple[Any, ...]]

OPTIONS = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c timezone=UTC -c DateStyle=ISO"
"""A refresh takes as long as it takes; dates and times are written the same way everywhere."""


def connect(conninfo: str, side: str) -> Connection:
    """A connection; raises ``Trouble`` that names the ``side`` (source or target) and never a password."""
    try:
        connection = psycopg.connect(
            conninfo, autocommit=True, application_name=APPLICATION, connect_timeout=10, options=OPTIONS
        )
    except psycopg.ProgrammingError as error:
        raise ConfigError(Problem(variable(side), None, "", f"no connection string: {_first(error)}")) from None
    except psycopg.Error as error:
        raise Trouble(f"{side} {shown(conninfo)}: {_first(error)}") from None
    # a dead client's work ends within seconds, not with its statement (PostgreSQL 14 and later)
    if connection.info.server_version >= 140000 and connection.info.parameter_status("crdb_version") is None:
        connection.execute("SET client_connection_check_interval = '1s'")
        connection.execute("SET jit = off")
        connection.execute("SET row_security = off")  # an error where a policy would hide rows
    return connection


def variable(side: str) -> str:
    """The variable of this process' environment that holds the connection string of a ``side``."""
    return f"SANITIZE_{side.upper()}"


def shown(conninfo: str) -> str:
    """Host, port and database of a connection string: what may be printed."""
    given = conninfo_to_dict(conninfo)
    port = given.get("port") or os.environ.get("PGPORT", "5432")
    return f"{host(conninfo)}:{port}/{given.get('dbname') or os.environ.get('PGDATABASE', '')}"


def host(conninfo: str) -> str:
    """The host of a connection string."""
    given = conninfo_to_dict(conninfo)
    return str(given.get("host") or given.get("hostaddr") or os.environ.get("PGHOST", "localhost"))


def program(conninfo: str, settings: Mapping[str, str] | None = None) -> tuple[str, dict[str, str]]:
    """The connection string for psql and pg_dump, without the password, and the environment that has it.

    ``settings`` are parameters of the session. They travel in the environment as well: arguments and statements are read by
    others on the machine and in ``pg_stat_activity``, an environment and a start-up packet are not.
    """
    given = {key: str(value) for key, value in conninfo_to_dict(conninfo).items() if value is not None}
    environment = dict(os.environ)
    if "password" in given:
        environment["PGPASSWORD"] = given.pop("password")
    more = " ".join(f"-c {name}={value}" for name, value in (settings or {}).items())
    environment["PGOPTIONS"] = f"{OPTIONS} {given.pop('options', '')} {more}".strip()
    environment.setdefault("PGCONNECT_TIMEOUT", "10")
    return make_conninfo("", **given, application_name=APPLICATION), environment


@contextmanager
def spoken(doing: str) -> Iterator[None]:
    """Turns what the database says into one message without values."""
    try:
        yield
    except psycopg.Error as error:
        raise trouble(doing, error) from None


def trouble(doing: str, error: psycopg.Error) -> Trouble:
    """The message: PostgreSQL's first line, and what it is about; never DETAIL or CONTEXT, which quote rows."""
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
    return Trouble(f"{doing}: {_safe(error)}{where}; the old data are as they were")


def _first(error: psycopg.Error) -> str:
    text = (error.diag.message_primary or str(error)).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _safe(error: psycopg.Error) -> str:
    """Data exceptions (class 22) quote the value in their first line; the others do not."""
    state = error.sqlstate or ""
    if state.startswith("22"):
        return f"{type(error).__name__} ({state})"
    return _first(error)
