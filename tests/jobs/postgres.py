"""Two real PostgreSQL servers: production's, with its rows, and staging's."""

from __future__ import annotations

import os
import socket
import subprocess
import uuid
from pathlib import Path
from typing import Any

import psycopg

from config.model.contract import Contract, parse
from jobs.sanitize.connection import connect
from jobs.sanitize.guards import mark
from jobs.sanitize.request import RefreshRequest
from tests.servers import Server, find, until

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "autovacuum": "off",
    "dynamic_shared_memory_type": "mmap",  # goes with the folder when the server is killed
}


class Postgres:
    """A server on a free port of loopback; the superuser needs no password, others do (SCRAM)."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.settings = folder, {**SETTINGS, **settings}
        self.data = folder / "data"
        self.port = _free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self.drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
        if self.drop:
            subprocess.run(["chown", "postgres", str(folder)], check=True)
        initdb = find("initdb")
        assert initdb is not None
        command = [
            *self.drop,
            initdb,
            "-D",
            str(self.data),
            "-U",
            "postgres",
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]
        subprocess.run([*command, "--auth=trust"], check=True, capture_output=True)
        (self.data / "pg_hba.conf").write_text(
            "local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        )
        self.server = self._server()

    def _server(self) -> Server:
        postgres = find("postgres")
        assert postgres is not None
        given = [f"-c{name}={value}" for name, value in self.settings.items()]
        command = [
            *self.drop,
            postgres,
            "-D",
            str(self.data),
            "-p",
            str(self.port),
            "-h",
            "127.0.0.1",
            f"-k{self.folder}",
            *given,
        ]
        return Server(command, {}, self.folder / "log")

    def start(self) -> Postgres:
        self.server.start()
        until(lambda: self.run("SELECT 1", database="postgres") == [(1,)], 30, self.server.text)
        if not self.run("SELECT 1 FROM pg_roles WHERE rolname = 'reader'", database="postgres"):
            self.run(ROLES, database="postgres")
        return self

    def stop(self) -> None:
        self.server.kill()

    def url(self, database: str, user: str = "postgres") -> str:
        password = f" password={user}-secret" if user != "postgres" else ""
        return f"host=127.0.0.1 port={self.port} dbname={database} user={user}{password}"

    def run(self, sql: str, *given: Any, database: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(sql.encode(), given or None)
            return cursor.fetchall() if cursor.description else []

    def database(self, *statements: str, name: str = "") -> str:
        """A new database with these statements run; its name."""
        name = name or f"db_{uuid.uuid4().hex[:12]}"
        self.run(f"CREATE DATABASE {name}", database="postgres")
        for statement in statements:
            self.run(statement, database=name)
        return name


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Pair:
    """A production and its staging, each a database of a server of its own."""

    def __init__(
        self, production: Postgres, staging: Postgres, contract: str, *statements: str, chosen: str | None = None
    ) -> None:
        self.production, self.staging = production, staging
        self.contract: Contract = parse(contract, "shop.data.yaml")
        self.name = chosen or next(iter(self.contract.databases))
        self.schema = self.contract.databases[self.name].schema_
        self.from_ = production.database(*statements, READER.format(schema=self.schema))
        self.to = staging.database("ALTER SCHEMA public OWNER TO sanitizer")
        staging.run(f"ALTER DATABASE {self.to} OWNER TO sanitizer", database=self.to)
        url = staging.url(self.to, "sanitizer")
        with connect(url, "target") as target:
            mark(url, target, self.contract, self.name, "staging")

    def request(self, **more: Any) -> RefreshRequest:
        given = {
            "contract": self.contract,
            "database": self.name,
            "source": self.production.url(self.from_, "reader"),
            "target": self.staging.url(self.to, "sanitizer"),
        }
        return RefreshRequest(**{**given, **more})

    def source(self, sql: str, *given: Any) -> list[tuple[Any, ...]]:
        return self.production.run(sql, *given, database=self.from_)

    def target(self, sql: str, *given: Any) -> list[tuple[Any, ...]]:
        return self.staging.run(sql, *given, database=self.to)

    def drop(self) -> None:
        for server, name in ((self.production, self.from_), (self.staging, self.to)):
            server.run(f"DROP DATABASE {name} WITH (FORCE)", database="postgres")


ROLES = """
CREATE ROLE reader LOGIN BYPASSRLS PASSWORD 'reader-secret';
CREATE ROLE sanitizer LOGIN BYPASSRLS PASSWORD 'sanitizer-secret';
CREATE ROLE app NOLOGIN
"""
READER = """
GRANT USAGE ON SCHEMA "{schema}" TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA "{schema}" TO reader;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA "{schema}" TO reader
"""
