"""``python -m jobs.sanitize.worker``: takes ranges until none is left. Many may run, here and on other machines.

Reads ``SANITIZE_SOURCE``, ``SANITIZE_TARGET`` and ``SANITIZE_SETTINGS`` (the keys, JSON). Rows go from psql's pipe into
psycopg's COPY without being looked at: psycopg hands over a COPY row by row, psql's pipe in blocks (measured: 1.2 million rows
a second on two cores, against 0.8).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time

import psycopg
from psycopg.abc import Buffer
from psycopg.copy import LibpqWriter
from psycopg.generators import copy_to

from . import ranges
from .connection import Connection, connect, program, trouble, variable
from .errors import Trouble
from .names import WORK

BLOCK = 65536
"""Bytes read at once: a pipe's. Larger ones were slower."""
BUFFERED = ["stdbuf", f"--output={BLOCK}"] if shutil.which("stdbuf") else []
"""Before psql, which writes 4 KiB at a time otherwise (measured: a third more of its and the worker's processor time)."""


def main() -> int:
    """Works; what goes wrong is said in one line of standard error, exit code 1."""
    source, target = os.environ[variable("source")], os.environ[variable("target")]
    settings: dict[str, str] = json.loads(os.environ["SANITIZE_SETTINGS"])
    if os.environ.get("SANITIZE_WATCH"):
        threading.Thread(target=_watch, daemon=True).start()
    name = os.environ.get("JOB_COMPLETION_INDEX", str(os.getpid()))
    try:
        with connect(target, "target") as connection:
            for item, value in settings.items():
                if item == "understudy.proof":
                    connection.execute("SELECT set_config(%s, %s, false)", [item, value])
            opening = connection.execute(f"SELECT opening FROM {WORK}.run").fetchone()
            assert opening is not None, "ranges.create wrote it"
            while _one(connection, source, opening[0], settings, name):
                pass
    except psycopg.Error as error:
        print(trouble("copying", error), file=sys.stderr)
        return 1
    except Trouble as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _watch() -> None:
    """Ends with who started it: its end of the pipe closes, however it dies."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def _one(target: Connection, source: str, opening: list[str], settings: dict[str, str], name: str) -> bool:
    """Copies one range; whether there may be more."""
    try:
        with target.transaction():
            row = target.execute(
                f"SELECT id, source, target FROM {WORK}.ranges WHERE rows IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
            ).fetchone()
            if row is not None:
                rows = _copy(target, source, [*opening, row[1], "COMMIT"], row[2], settings)
                target.execute(f"UPDATE {WORK}.ranges SET rows = %s, worker = %s WHERE id = %s", [rows, name, row[0]])
                return True
    except psycopg.errors.SerializationFailure:  # CockroachDB asks the client to try again
        return True
    if ranges.left(target) == 0:
        return False
    time.sleep(0.05)  # others hold them, and when one dies, its range is free
    return True


class _Flushing(LibpqWriter):
    """Sends each block before the next is handed over.

    libpq otherwise keeps what the socket did not take, and moves all of it at every send (measured: five million rows took
    2.1 s of the worker's time, and take 0.2 s).
    """

    def write(self, data: Buffer) -> None:
        self.connection.wait(copy_to(self.connection.pgconn, data, flush=True))


def _copy(target: Connection, source: str, script: list[str], statement: str, settings: dict[str, str]) -> int:
    conninfo, environment = program(source, settings)
    # of a data exception only the SQLSTATE: the message quotes the value
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
            pass  # it says why on standard error
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
    """An end of the pipe is not the end of the rows: raises ``Trouble`` when it ended early, so that nothing is committed."""
    assert psql.stderr is not None, "asked for"
    if psql.wait() != 0:
        raise Trouble(_said(psql.stderr.read().decode(errors="replace")))


def _said(text: str) -> str:
    line = next((line for line in text.splitlines() if line.strip()), "psql ended without a word")
    state = line.rpartition(" ")[2]
    try:
        return f"reading the source: {psycopg.errors.lookup(state).__name__} ({state}); the old data are as they were"
    except KeyError:
        return f"reading the source: {line.removeprefix('psql: error: ')}; the old data are as they were"


if __name__ == "__main__":
    sys.exit(main())
