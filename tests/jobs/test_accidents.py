"""Whatever happens: no raw value is ever readable in the target, the old rows or the new are there, and a rerun completes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.errors import ConfigError, ExternalError
from jobs.sanitize import names
from jobs.sanitize import refresh as module
from jobs.sanitize.connection import connect
from jobs.sanitize.copy import ranges, shadow
from jobs.sanitize.copy.local_workers import LocalWorkers
from jobs.sanitize.dialect import Keys
from jobs.sanitize.preview import planned
from jobs.sanitize.refresh import refresh
from tests.jobs.postgres import Pair, Postgres
from tests.jobs.shop import CONTRACT, ROWS, SCHEMA
from tests.servers import open_folder, until

pytestmark = pytest.mark.servers
KILLS = 60
RAW = ("mail.com", "Person Number", "person.", "+4930", "High Street", "81.2.", "$2b$", "canary", "Dear")


def readable(pair: Pair) -> str:
    """Every row of every table that anybody could read."""
    found = []
    tables = pair.target(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)' AND tablename <> 'receipts'"
    )
    for (table,) in tables:
        try:
            found += [row for (row,) in pair.target(f"SELECT t::text FROM {table} t")]
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            continue
    return "\n".join(found)


def process(pair: Pair, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    contract = folder / "shop.data.yaml"
    contract.write_text(CONTRACT, encoding="utf-8")
    environment = {
        **os.environ,
        "SANITIZE_SOURCE": pair.production.url(pair.from_, "reader"),
        "SANITIZE_TARGET": pair.staging.url(pair.to, "sanitizer"),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    command = [sys.executable, "-m", "jobs.sanitize", "run", "--system", str(contract), "--no-backup", *more]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_killed_at_sixty_instants(shop: Pair, tmp_path: Path) -> None:
    refresh(shop.request())
    begin = time.monotonic()
    with process(shop, tmp_path) as whole:
        assert whole.wait() == 0
    length = time.monotonic() - begin
    chance = random.Random(9)
    for _ in range(KILLS):
        with process(shop, tmp_path) as running:
            time.sleep(chance.uniform(0.3, length))
            running.send_signal(signal.SIGKILL)
            running.wait()
        found = readable(shop)
        assert not [word for word in RAW if word in found]
        assert shop.target(
            "SELECT count(*), count(*) FILTER (WHERE email LIKE 'user\\_%@staging.invalid') FROM customers"
        ) == [(300, 300)]
    with process(shop, tmp_path) as last:
        _, said = last.communicate()
        assert last.returncode == 0, said
    assert shop.target("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'understudy%'") == [("understudy",)]


def test_workers_of_several_machines_share_the_ranges_and_two_die(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pods of an Indexed Job do: processes that have the keys and both connections, and nothing else in common."""
    monkeypatch.setattr(ranges, "PAGES", 1)
    request, keys = shop.request(), Keys()
    with planned(request) as (made, source, moment), connect(request.target, "target") as target:
        shadow.clear(target, made.schema)
        from jobs.sanitize.plan import definitions

        shadow.prepare(target, made, definitions.read(source, made.catalog))
        ranges.create(target, names.work("public"), made.dialect, moment)
        ranges.add(target, names.work("public"), module._copies(made))
        crew = LocalWorkers(4, request.source, request.target, "public", {**keys.settings(), **made.dialect.settings})
        crew.spare = 0
        with crew:
            until(lambda: ranges.progress(target, names.work("public"))[2] > 0, 20)
            for worker in crew.running[:2]:
                worker.kill()
            until(lambda: ranges.left(target, names.work("public")) == 0, 60)
        for name, table in made.tables.items():
            assert target.execute(f"SELECT count(*) FROM understudy_new_public.{name}".encode()).fetchone() == (
                table.after,
            )
        workers = target.execute(
            "SELECT count(DISTINCT worker), count(*) FROM understudy_work_public.ranges"
        ).fetchone()
        assert workers is not None
        assert workers[0] >= 2
        shadow.clear(target, made.schema)


def test_a_killed_worker_is_replaced(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    real = LocalWorkers._start

    def start(self: LocalWorkers) -> subprocess.Popen[bytes]:
        worker = real(self)
        if len(started) < 2:
            worker.kill()
        started.append(worker)
        return worker

    monkeypatch.setattr(LocalWorkers, "_start", start)
    receipt = refresh(shop.request())
    assert len(started) >= 3
    assert receipt["tables"]["orders"]["after"] == 2000


def test_workers_that_are_killed_again_and_again_are_given_up(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    real = LocalWorkers._start

    def start(self: LocalWorkers) -> subprocess.Popen[bytes]:
        worker = real(self)
        worker.kill()
        return worker

    monkeypatch.setattr(LocalWorkers, "_start", start)
    with pytest.raises(ExternalError, match="the workers were killed; the old data are as they were"):
        refresh(shop.request())


def unchanged(pair: Pair, before: list[tuple[object, ...]]) -> None:
    assert pair.target("SELECT id, email FROM customers ORDER BY 1") == before
    found = readable(pair)
    assert not [word for word in RAW if word in found]


@pytest.fixture
def filled(shop: Pair) -> tuple[Pair, list[tuple[object, ...]]]:
    refresh(shop.request())
    return shop, shop.target("SELECT id, email FROM customers ORDER BY 1")


def test_wrong_password(filled: tuple[Pair, list[tuple[object, ...]]]) -> None:
    pair, before = filled
    for side in ("source", "target"):
        url = getattr(pair.request(), side).replace("-secret", "-wrong")
        with pytest.raises(
            ExternalError, match=rf"^{side} 127.0.0.1:\d+/\w+: .*password authentication failed"
        ) as error:
            refresh(pair.request(**{side: url}))
        assert "wrong" not in str(error.value)
        assert "\n" not in str(error.value)
    unchanged(pair, before)


def test_nobody_answers(filled: tuple[Pair, list[tuple[object, ...]]]) -> None:
    pair, before = filled
    with pytest.raises(ExternalError, match=r"^source 127.0.0.1:1/x: .*refused"):
        refresh(pair.request(source="host=127.0.0.1 port=1 dbname=x"))
    with pytest.raises(ConfigError, match="SANITIZE_SOURCE: no connection string"):
        refresh(pair.request(source="hots=nowhere"))
    unchanged(pair, before)


def test_a_connection_that_is_cut(
    filled: tuple[Pair, list[tuple[object, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair, before = filled
    real = module._work

    def cut(crew: LocalWorkers, target: psycopg.Connection, *rest: object) -> None:
        pair.staging.run(f"SELECT pg_terminate_backend({target.info.backend_pid})", database="postgres")
        real(crew, target, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_work", cut)
    with pytest.raises(ExternalError, match=r"^copying: terminating connection.*the old data are as they were$"):
        refresh(pair.request())
    unchanged(pair, before)
    monkeypatch.undo()
    refresh(pair.request())


def test_a_schema_that_changes_meanwhile(
    filled: tuple[Pair, list[tuple[object, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock is waited for by nobody: the column is dropped before the snapshot's readers have locked the table."""
    pair, before = filled
    real = module._work

    def change(*given: object) -> None:
        with psycopg.connect(pair.production.url(pair.from_), autocommit=True) as other:
            other.execute("SET lock_timeout = '5s'")
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader' AND state = 'idle in transaction'"
            )
            other.execute("ALTER TABLE newsletter RENAME COLUMN opened TO opens")
        real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_work", change)
    with pytest.raises(ConfigError) as error:
        refresh(pair.request())
    assert "the column 'opens' (integer) is not classified" in str(error.value)
    assert "the source has no such column any more" in str(error.value)
    unchanged(pair, before)


@pytest.fixture
def server_folder() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


def test_the_targets_server_restarts(
    production: Postgres, server_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Postgres(server_folder, fsync="on").start()
    try:
        pair = Pair(production, own, CONTRACT, SCHEMA, ROWS)
        refresh(pair.request())
        before = pair.target("SELECT id, email FROM customers ORDER BY 1")
        real = shadow.index

        def restart(*given: object) -> None:
            own.stop()
            real(*given)  # type: ignore[arg-type]

        monkeypatch.setattr(shadow, "index", restart)
        with pytest.raises(ExternalError, match=r"^target 127.0.0.1:\d+/\w+: .*"):
            refresh(pair.request())
        monkeypatch.undo()
        own.start()
        unchanged(pair, before)
        refresh(pair.request())
    finally:
        own.stop()


def test_the_disk_is_full(production: Postgres, server_folder: Path) -> None:
    """On a file system of its own, of 100 MiB."""
    if os.geteuid() != 0:
        if os.environ.get("CI"):
            pytest.fail("mounting a small file system needs root")
        pytest.skip("mounting a small file system needs root")
    folder = server_folder / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m,mode=755", "tmpfs", str(folder)], check=True)
    try:
        own = Postgres(folder / "server")
        own.start()
        pair = Pair(production, own, CONTRACT, SCHEMA, ROWS)
        refresh(pair.request())
        before = pair.target("SELECT id, email FROM customers ORDER BY 1")
        (folder / "ballast").write_bytes(b"x" * (free(folder) - 3_000_000))
        pair.source("INSERT INTO newsletter SELECT 'more' || n || '@mail.com', n FROM generate_series(1000, 90000) n")
        with pytest.raises(
            ExternalError,
            match=r"[Nn]o space left on device|DiskFull|could not extend|terminating connection|closed the connection|refused",
        ):
            refresh(pair.request())
        (folder / "ballast").unlink()
        if own.server.process is not None and own.server.process.poll() is not None:
            own.start()
        until(lambda: own.run("SELECT 1", database="postgres") == [(1,)], 30)
        unchanged(pair, before)
        refresh(pair.request())
        own.stop()
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


@pytest.fixture(autouse=True)
def _nobody_is_left(shop: Pair) -> Iterator[None]:
    yield
    until(
        lambda: shop.staging.run(
            f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{shop.to}' AND pid <> pg_backend_pid()",
            database="postgres",
        )
        == [(0,)],
        15,
    )
