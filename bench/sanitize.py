"""The refresh against its peers, on two real servers of this machine: ``python -m bench.sanitize``."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs.sanitize.refresh import refresh
from tests.jobs.postgres import Pair, Postgres

USERS = 1_000_000
EACH = 5
"""Orders a user."""
RUNS = 5

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
    """Statements that fill the schema."""
    return f"""
INSERT INTO users SELECT i, 'u' || i || '@mail' || i % 1000 || '.com', 'user' || i, 'Name ' || i, '+1' || 2000000000 + i * 37,
  i || ' Main St', date '1950-01-01' + i % 20000, now() FROM generate_series(1, {users}) i;
INSERT INTO orders SELECT i, 1 + i % {users}, i % 5000, 1 + i % 7, i % 1000 / 10.0, i % 1000 / 50.0, 'delivered',
  now() - i * interval '1 second', now() - i * interval '0.9 second', now() - i * interval '0.8 second'
FROM generate_series(1, {users * EACH}) i;
"""


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    begin = time.monotonic()
    work()
    return time.monotonic() - begin


def unmasked(pair: Pair) -> None:
    """Two-worker binary COPY of both tables as they are, psql to psql."""
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
"""Masks of the same forms, in place, in one statement."""


def main() -> None:
    """Prints the table: each way in turn, so many times; medians."""
    settings = {"shared_buffers": "1GB", "max_wal_size": "16GB"}
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        production, staging = (Postgres(folder / side, **settings).start() for side in ("production", "staging"))
        try:
            pair = Pair(production, staging, CONTRACT, SCHEMA, rows(USERS))
            production.run("VACUUM ANALYZE", database=pair.from_)
            for _ in range(RUNS):
                receipt: dict[str, Any] = {}
                whole = timed(lambda into=receipt: into.update(refresh(pair.asked())))  # type: ignore[misc]
                pair.target(
                    "CREATE SCHEMA bare; CREATE TABLE bare.users (LIKE users); CREATE TABLE bare.orders (LIKE orders)"
                )
                other = staging.database()
                found = {
                    "refresh": whole,
                    "masking copy": receipt["seconds"]["copy"],
                    "unmasked copy": timed(lambda: unmasked(pair)),
                    "pg_dump | psql": timed(lambda name=other: dumped(pair, name)),  # type: ignore[misc]
                }
                found["pg_dump | psql, then one UPDATE"] = found["pg_dump | psql"] + timed(
                    lambda name=other: staging.run(UPDATE, database=name)  # type: ignore[misc]
                )
                pair.target("DROP SCHEMA bare CASCADE")
                staging.run(f"DROP DATABASE {other}", database="postgres")
                for what, took in found.items():
                    seconds.setdefault(what, []).append(took)
                print({what: round(took, 2) for what, took in found.items()}, receipt["seconds"], flush=True)
        finally:
            production.stop()
            staging.stop()
    print(f"\n{USERS} users of 8 columns, {USERS * EACH} orders of 10; medians of {RUNS}\n")
    for what, took in seconds.items():
        print(f"| {what} | {statistics.median(took):.2f} s |")


if __name__ == "__main__":
    main()
