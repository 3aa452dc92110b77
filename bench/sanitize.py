"""Compares the refresh with other tools, on two real servers of this machine: ``python -m bench.sanitize``."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from jobs.sanitize.refresh import refresh
from tests.jobs.postgres import Pair, Postgres
from tests.servers import find

USERS = 1_000_000
EACH = 5
"""Orders per user."""
RUNS = 5
MEMORY = Path("/dev/shm")
"""Folder of the servers' files, in memory, so that the processors are measured and not this machine's disk."""

SCHEMA = """
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, username text NOT NULL UNIQUE, full_name text, phone text,
  address text, birth_date date, created_at timestamptz);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, product_id integer, quantity integer,
  price numeric(10,2), tax numeric(10,2), status text, placed_at timestamptz, updated_at timestamptz,
  delivered_at timestamptz);
CREATE INDEX orders_user_id ON orders (user_id);
"""
CONTRACT = """
system: bench
databases:
  db:
    engine: postgresql
    source: primary
    production: {hosts: [production.example.com]}
    tables:
      users:
        identity: email
        columns:
          id: public (bigint)
          email: email (text)
          username: username (text)
          full_name: person name (text)
          phone: phone (text)
          address: address (text)
          birth_date: birth date (date)
          created_at: public (timestamp with time zone)
      orders:
        columns:
          id: public (bigint)
          user_id: public (bigint)
          product_id: public (integer)
          quantity: public (integer)
          price: public (numeric(10,2))
          tax: public (numeric(10,2))
          status: public (text)
          placed_at: public (timestamp with time zone)
          updated_at: public (timestamp with time zone)
          delivered_at: public (timestamp with time zone)
"""


def rows(users: int) -> str:
    """Returns statements that fill the schema."""
    return f"""
INSERT INTO users SELECT i, 'u' || i || '@mail' || i % 1000 || '.com', 'user' || i, 'Name ' || i, '+1' || 2000000000 + i * 37,
  i || ' Main St', date '1950-01-01' + i % 20000, now() FROM generate_series(1, {users}) i;
INSERT INTO orders SELECT i, 1 + i % {users}, i % 5000, 1 + i % 7, i % 1000 / 10.0, i % 1000 / 50.0, 'delivered',
  now() - i * interval '1 second', now() - i * interval '0.9 second', now() - i * interval '0.8 second'
FROM generate_series(1, {users * EACH}) i;
"""


def timed(work: Callable[[], object]) -> float:
    """Returns the seconds that it takes."""
    begin = time.monotonic()
    work()
    return time.monotonic() - begin


def unmasked(pair: Pair) -> None:
    """Copies both tables unmasked by two workers with binary COPY, psql to psql."""
    for table in ("users", "orders"):
        ((pages,),) = pair.source(f"SELECT relpages FROM pg_class WHERE relname = '{table}'")
        pipes = []
        for begin, end in ((0, pages // 2), (pages // 2, pages + 1)):
            where = f"WHERE ctid >= '({begin},0)' AND ctid < '({end},0)'"
            read = ["psql", "-Xqc", f"COPY (SELECT * FROM {table} {where}) TO STDOUT (FORMAT binary)"]
            write = ["psql", "-Xqc", f"COPY bare.{table} FROM STDIN (FORMAT binary)"]
            reader = subprocess.Popen([*read, pair.production.url(pair.from_)], stdout=subprocess.PIPE)
            pipes.append((reader, subprocess.Popen([*write, pair.staging.url(pair.to)], stdin=reader.stdout)))
        assert all(process.wait() == 0 for pipe in pipes for process in pipe)


BARE = {
    "orders": ["ALTER TABLE bare.orders ADD PRIMARY KEY (id)", "CREATE INDEX ON bare.orders (user_id)"],
    "users": [
        "ALTER TABLE bare.users ADD UNIQUE (email)",
        "ALTER TABLE bare.users ADD UNIQUE (username)",
        "ALTER TABLE bare.users ADD PRIMARY KEY (id)",
    ],
    "": ["ALTER TABLE bare.orders ADD FOREIGN KEY (user_id) REFERENCES bare.users"],
}


def indexed(pair: Pair) -> None:
    """Builds the indexes and the reference of the tables of ``unmasked``, which every copy needs."""

    def build(statements: list[str], memory: str = "11MB") -> None:
        settings = f"SET max_parallel_maintenance_workers = 0; SET maintenance_work_mem = '{memory}'; "
        for statement in statements:
            pair.target(settings + statement)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(build, (BARE["orders"], BARE["users"])))
    build(BARE[""], "4MB")  # as in the refresh


def dumped(pair: Pair, name: str) -> None:
    """``pg_dump | psql`` into a new database."""
    with subprocess.Popen(["pg_dump", pair.production.url(pair.from_)], stdout=subprocess.PIPE) as dump:
        subprocess.run(["psql", "-Xq", "-o", "/dev/null", pair.staging.url(name)], stdin=dump.stdout, check=True)


UPDATE = """
UPDATE users SET email = 'user_' || t || '@staging.invalid', username = 'staging_user_' || t, full_name = 'Staging ' || left(t, 6),
  phone = '+120255501' || translate(substr(t, 7, 2), 'abcdef', '123456'), address = '1 Staging Street',
  birth_date = date '1950-01-01' + ('x' || left(t, 4))::bit(16)::integer % 18000
FROM (SELECT id AS i, substr(encode(sha256(convert_to('key' || email, 'UTF8')), 'hex'), 1, 20) AS t FROM users) m WHERE id = i
"""
"""Applies masks of similar forms, in place, in one statement."""


PG_ANON = "pg_anon==1.12.0"
"""The fastest of the compared tools that runs here: 82 thousand rows a second of the users."""
MASKED = "substr(encode(sha256(convert_to('key' || \"email\", 'UTF8')), 'hex'), 1, 20)"
DICTIONARY = {
    "dictionary": [
        {
            "schema": "public",
            "table": "users",
            "fields": {
                "email": f"('user_' || {MASKED} || '@staging.invalid')",
                "username": f"('staging_user_' || {MASKED})",
                "full_name": f"('Staging ' || left({MASKED}, 6))",
                "phone": "('+12025550123')",
                "address": "('1 Staging Street')",
                "birth_date": "(date '1950-01-01' + (\"id\" % 18000)::integer)",
            },
        }
    ]
}
"""Returns masks of similar forms, in that tool's dictionary."""


def peer(folder: Path, pair: Pair) -> Callable[[str], None]:
    """Installs it in a separate environment; returns a function that dumps masked and restores into a new database."""
    venv = folder / "pg_anon"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    subprocess.run(
        [str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", PG_ANON], check=True
    )
    (folder / "sens.py").write_text(repr(DICTIONARY), encoding="utf-8")

    def run(mode: str, server: Postgres, database: str, *more: str) -> None:
        connection = [
            "--db-host=127.0.0.1",
            f"--db-port={server.port}",
            "--db-user=postgres",
            "--db-user-password=x",
            f"--db-name={database}",
        ]
        programs = {"dump": f"--pg-dump={find('pg_dump')}", "restore": f"--pg-restore={find('pg_restore')}"}
        command = [
            str(venv / "bin" / "pg_anon"),
            mode,
            *connection,
            *([programs[mode]] if mode in programs else []),
            *more,
        ]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    run("init", pair.production, pair.from_)

    def both(database: str) -> None:
        run(
            "dump",
            pair.production,
            pair.from_,
            f"--prepared-sens-dict-file={folder / 'sens.py'}",
            f"--output-dir={folder / 'dump'}",
            "--clear-output-dir",
            "--db-connections=2",
        )
        run("restore", pair.staging, database, f"--input-dir={folder / 'dump'}", "--db-connections=2")

    return both


def memory(work: Callable[[], object]) -> float:
    """Returns the largest memory (MiB) of this process and its children while the work runs."""
    peak, stop = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not stop.is_set():
            total = 0
            for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
                try:
                    if process.name() != "postgres":
                        total += process.memory_info().rss
                except psutil.Error:
                    continue
            peak = max(peak, total)
            time.sleep(0.05)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        work()
    finally:
        stop.set()
        thread.join()
    return peak / 2**20


PEER = "(c) pg_anon, dump and restore"
FLOOR = "(a) and its indexes and reference, without masks or proof"


def ours(pair: Pair) -> dict[str, float]:
    """Runs the refresh."""
    receipt: dict[str, Any] = {}
    whole = timed(lambda: receipt.update(refresh(pair.request())))
    return {"whole refresh with proof": whole, "its masking copy, with what is compared": receipt["seconds"]["copy"]}


def bare(pair: Pair) -> dict[str, float]:
    """Runs the copy without masks and proof."""
    pair.target("CREATE SCHEMA bare; CREATE TABLE bare.users (LIKE users); CREATE TABLE bare.orders (LIKE orders)")
    copy = timed(lambda: unmasked(pair))
    seconds = {"(a) binary COPY by two workers, unmasked": copy, FLOOR: copy + timed(lambda: indexed(pair))}
    pair.target("DROP SCHEMA bare CASCADE")
    return seconds


def in_place(pair: Pair) -> dict[str, float]:
    """Runs the dump, and the statement that masks it in place."""
    name = pair.staging.database()
    dump = timed(lambda: dumped(pair, name))
    update = timed(lambda: pair.staging.run(UPDATE, database=name))
    pair.staging.run(f"DROP DATABASE {name}", database="postgres")
    return {"(b) pg_dump to psql": dump, "(d) the same, and one masking UPDATE": dump + update}


def by_peer(pair: Pair, anon: Callable[[str], None]) -> dict[str, float]:
    """Runs the compared tool."""
    name = pair.staging.database()
    seconds = {PEER: timed(lambda: anon(name))}
    pair.staging.run(f"DROP DATABASE {name}", database="postgres")
    return seconds


def growth(production: Postgres, staging: Postgres) -> Iterator[str]:
    """Measures the time per row at one and at ten million rows, and the memory of the larger run."""
    each: list[float] = []
    for users in (170_000, 1_700_000):
        pair = Pair(production, staging, CONTRACT, SCHEMA, rows(users))
        production.run("VACUUM ANALYZE", database=pair.from_)
        seconds = [timed(partial(refresh, pair.request())) for _ in range(3)]
        each.append(statistics.median(seconds) / (users * (1 + EACH)) * 1e6)
        if users > 1_000_000:
            peak = memory(partial(refresh, pair.request()))
        pair.drop()
    yield f"| time a row, 10 million rows (baseline: 1 million) | {each[1]:.2f} µs | {each[0]:.2f} µs | {each[1] / each[0]:.2f} | ≤ 1.10 |"
    yield f"| memory of the coordinator and two workers, 10 million rows | {peak:.0f} MiB | | | ≤ 250 MiB |"


def main() -> None:
    """Prints the table: each way in turn, starting with another one each time; medians."""
    seconds: dict[str, list[float]] = {}
    if folders := sorted(
        Path("/usr/lib/postgresql").glob("*/bin")
    ):  # psql itself, not Debian's wrapper, in every measurement
        os.environ["PATH"] = f"{folders[-1]}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder = Path(name)
        folder.chmod(0o755)
        settings = {"shared_buffers": "1GB", "min_wal_size": "2GB", "max_wal_size": "4GB"}
        production, staging = (Postgres(folder / side, **settings).start() for side in ("production", "staging"))
        try:
            pair = Pair(production, staging, CONTRACT, SCHEMA, rows(USERS))
            production.run("VACUUM ANALYZE", database=pair.from_)
            anon = peer(folder, pair)
            refresh(pair.request())  # the tables that ``bare`` copies
            ways: deque[Callable[[Pair], dict[str, float]]] = deque([ours, bare, in_place, partial(by_peer, anon=anon)])
            for turn in range(RUNS):
                for way in ways:
                    for what, took in way(pair).items():
                        seconds.setdefault(what, []).append(took)
                        print(f"{turn + 1}/{RUNS} {what}: {took:.2f} s", file=sys.stderr, flush=True)
                ways.rotate()  # touching memory that a dropped database freed is slow for the next measurement
            pair.drop()
            grown = list(growth(production, staging))
        finally:
            production.stop()
            staging.stop()
    medians = {what: statistics.median(took) for what, took in seconds.items()}
    whole, copy = medians["whole refresh with proof"], medians["its masking copy, with what is compared"]
    print(
        f"{USERS} users of 8 columns and {USERS * EACH} orders of 10; medians of {RUNS}; both servers and the workers on {os.cpu_count()} cores\n"
    )
    print("| What | Measured | Baseline | Ratio | Aim |\n| --- | --- | --- | --- | --- |")
    for what, took in medians.items():
        if what == FLOOR:
            print(f"| {what} (baseline: (c)) | {took:.2f} s | {medians[PEER]:.2f} s | {took / medians[PEER]:.2f} | |")
        elif what.startswith("("):
            label, measured, aim = "whole refresh with proof", whole, "≤ 0.50" if what == PEER else "< 1.00"
            if what.startswith("(a)"):
                label, measured, aim = "masking copy", copy, "≤ 2.00"
            print(f"| {label} (baseline: {what}) | {measured:.2f} s | {took:.2f} s | {measured / took:.2f} | {aim} |")
    print("\n".join(grown))


if __name__ == "__main__":
    main()
