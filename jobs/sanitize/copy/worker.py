"""``python -m jobs.sanitize.copy.worker`` copies ranges until none is left; many may run, here and on other machines.

Reads ``SANITIZE_SOURCE``, ``SANITIZE_TARGET``, ``SANITIZE_SCHEMA`` and ``SANITIZE_SETTINGS`` (the keys, JSON). Rows pass
from psql's pipe into psycopg's COPY in blocks and are not parsed: psycopg would read a COPY row by row (measured: 1.2
million rows a second on two cores, against 0.8).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import psycopg
from psycopg.abc import Buffer
from psycopg.copy import LibpqWriter
from psycopg.generators import copy_to

from config.errors import ExternalError
from jobs.sanitize.connection import Connection, connect, program, trouble, variable
from jobs.sanitize.dialect import quoted
from jobs.sanitize.names import application, shadow, work

from . import ranges

BLOCK = 65536
"""Bytes of one read, the size of a pipe's buffer. Larger ones were slower."""
BUFFERED = ["stdbuf", f"--output={BLOCK}"] if shutil.which("stdbuf") else []
"""A program between psql and the pipe, because psql writes 4 KiB at a time (measured:

a third more of its and the worker's processor time).
"""


def main() -> int:
    """Copies ranges; a failure is one line on standard error, with exit code 1."""
    source, target = os.environ[variable("source")], os.environ[variable("target")]
    settings: dict[str, str] = json.loads(os.environ["SANITIZE_SETTINGS"])
    if os.environ.get("SANITIZE_WATCH"):
        threading.Thread(target=_watch, daemon=True).start()
    name = os.environ.get("JOB_COMPLETION_INDEX", str(os.getpid()))
    schema = os.environ["SANITIZE_SCHEMA"]
    place = quoted(work(schema))
    try:
        with connect(target, "target", application=application(schema)) as connection:
            # computed columns and domains may call functions of the copy, which use names without a schema
            connection.execute(f"SET search_path = {quoted(shadow(schema))}, {quoted(schema)}")
            opening = connection.execute(f"SELECT opening FROM {place}.run").fetchone()
            assert opening is not None, "ranges.create wrote it"
            while _one(connection, Source(source, opening[0], settings, application(schema)), place, name):
                pass
    except psycopg.Error as error:
        print(trouble("copying", error), file=sys.stderr)
        return 1
    except ExternalError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _watch() -> None:
    """Ends the worker when its parent ends, in whatever way, because the parent's end of the pipe closes."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


@dataclass(frozen=True)
class Source:
    """Settings with which a range is read."""

    conninfo: str
    opening: list[str]
    """Statements that open the snapshot."""
    settings: dict[str, str]
    application: str


def _one(target: Connection, source: Source, place: str, name: str) -> bool:
    """Copies one range; returns whether more may be left."""
    try:
        with target.transaction():
            row = target.execute(
                f"SELECT id, source, target FROM {place}.ranges WHERE rows IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
            ).fetchone()
            if row is not None:
                rows = _copy(target, source, row[1], row[2])
                target.execute(f"UPDATE {place}.ranges SET rows = %s, worker = %s WHERE id = %s", [rows, name, row[0]])
                return True
    except psycopg.errors.SerializationFailure:  # CockroachDB requires clients to retry
        return True
    if ranges.left(target, place) == 0:
        return False
    time.sleep(0.05)  # other workers hold them, and when one dies, its range is free
    return True


class _Flushing(LibpqWriter):
    """Sends each block before the next is passed on.

    libpq otherwise keeps unsent data and moves all of it at every send (measured: five million rows took 2.1 s of the
    worker's time, and take 0.2 s).
    """

    def write(self, data: Buffer) -> None:
        self.connection.wait(copy_to(self.connection.pgconn, data, flush=True))


def _copy(target: Connection, source: Source, read: str, statement: str) -> int:
    conninfo, environment = program(source.conninfo, source.settings, application=source.application)
    script = [*source.opening, read, "COMMIT"]
    # for a data exception only the SQLSTATE, because the message quotes the value
    options = ["-XqAt", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=sqlstate", "-f", "-"]
    command = [*BUFFERED, "psql", *options, conninfo]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, bufsize=0
    ) as psql:
        assert psql.stdin is not None, "asked for"
        assert psql.stdout is not None, "asked for"
        try:
            psql.stdin.write((";\n".join(script) + ";\n").encode())
            psql.stdin.close()
        except BrokenPipeError:
            pass  # the reason is on standard error
        with target.cursor() as cursor:
            try:
                with cursor.copy(statement.encode(), writer=_Flushing(cursor)) as copy:
                    while block := os.read(psql.stdout.fileno(), BLOCK):
                        copy.write(block)
                    _whole(psql)
            except BaseException:
                psql.kill()
                raise
            return cursor.rowcount


def _whole(psql: subprocess.Popen[bytes]) -> None:
    """Raises ``ExternalError`` when psql ended early, so that nothing is committed: the pipe's end is not the rows' end."""
    assert psql.stderr is not None, "asked for"
    if psql.wait() != 0:
        raise ExternalError(_said(psql.stderr.read().decode(errors="replace")))


def _said(text: str) -> str:
    line = next((line for line in text.splitlines() if line.strip()), "psql ended without a word")
    state = line.rpartition(" ")[2]
    try:
        name = psycopg.errors.lookup(state).__name__
        if name == "SerializationFailure":  # in a read-only transaction: the recovery of a standby cancelled it
            return "reading the source: the snapshot does not exist any more: recovery of a standby cancelled it"
        return f"reading the source: {name} ({state}); the old data are as they were"
    except KeyError:
        return f"reading the source: {line.removeprefix('psql: error: ')}; the old data are as they were"


if __name__ == "__main__":
    sys.exit(main())
