"""The command line: exit codes, one clear message, nothing secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from review.graph import ROOT
from tests.jobs.postgres import Pair
from tests.jobs.shop import CONTRACT

pytestmark = pytest.mark.servers


def run(pair: Pair | None, folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "shop.data.yaml").write_text(CONTRACT, encoding="utf-8")
    given = {name: value for name, value in os.environ.items() if not name.startswith("SANITIZE_")} | {"COLUMNS": "160"}
    if pair is not None:
        given |= {"SANITIZE_SOURCE": pair.request().source, "SANITIZE_TARGET": pair.request().target}
    command = [str(ROOT / "understudy"), "sanitize", *words]
    return subprocess.run(
        command, cwd=folder, env={**given, **environment}, capture_output=True, text=True, check=False
    )


def test_plan_run_verify(shop: Pair, tmp_path: Path) -> None:
    planned = run(shop, tmp_path, "plan", "--system", "shop.data.yaml")
    assert planned.returncode == 0, planned.stderr
    assert "customers" in planned.stdout
    done = run(shop, tmp_path, "run", "--system", "shop.data.yaml", "--metrics", "sanitize.prom")
    assert done.returncode == 0, done.stderr
    assert "2601 rows in 4 tables" in done.stdout
    assert "not proved: anonymity" in done.stdout
    assert "✓ copy" in done.stderr
    receipt = json.loads((tmp_path / "sanitize-receipt.json").read_text())
    assert receipt["system"] == "shop"
    metrics = (tmp_path / "sanitize.prom").read_text()
    assert 'understudy_sanitize_rows{database="db",system="shop"} 2601.0' in metrics
    again = run(shop, tmp_path, "run", "--system", "shop.data.yaml")
    assert again.returncode == 0
    assert len(list((tmp_path / "staging-backups").glob("staging-backup-*.sql.gz"))) == 1
    verified = run(shop, tmp_path, "verify", "--system", "shop.data.yaml")
    assert verified.returncode == 0
    assert "checks held" in verified.stdout
    shop.target("UPDATE orders SET state = 'ada@gmail.com' WHERE id = 3")
    broken = run(shop, tmp_path, "verify", "--system", "shop.data.yaml")
    assert broken.returncode == 1
    assert "orders.state: no email: 1 rows" in broken.stderr
    assert "ada" not in broken.stdout + broken.stderr


def test_a_dry_run_writes_nothing(shop: Pair, tmp_path: Path) -> None:
    found = run(shop, tmp_path, "run", "--system", "shop.data.yaml", "--dry-run")
    assert found.returncode == 0, found.stderr
    assert found.stdout.endswith("nothing was written\n")
    assert shop.target("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop.data.yaml"]


def test_secrets_come_from_files_and_go_nowhere(shop: Pair, tmp_path: Path) -> None:
    (tmp_path / "source").write_text(shop.request().source + "\n")
    found = run(
        None,
        tmp_path,
        "plan",
        "--system",
        "shop.data.yaml",
        "--format",
        "json",
        SANITIZE_SOURCE_FILE=str(tmp_path / "source"),
    )
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["tables"]["orders"]["after"] == 2000
    wrong = run(
        shop,
        tmp_path,
        "run",
        "--system",
        "shop.data.yaml",
        SANITIZE_TARGET=shop.request().target.replace("-secret", "-wrong"),
    )
    assert wrong.returncode == 1
    assert "wrong" not in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert len(wrong.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["plan", "--system", "shop.data.yaml"],
            "SANITIZE_SOURCE: is not set\n    fix: export SANITIZE_SOURCE='host=…",
        ),
        (["plan", "--system", "nowhere"], "nowhere: no such contract\n    fix: known: carla, mina"),
        (
            ["plan", "--system", "quikapp"],
            "--database: the contract has several\n    fix: one of mongodb, mysql, postgres",
        ),
        (["plan", "--system", "shop.data.yaml", "--database", "x"], "--database: found 'x'\n    fix: one of db"),
        (["run", "--system", "shop.data.yaml", "--overrides", "no.sql"], "no.sql: cannot be read"),
        (["mark", "--system", "shop.data.yaml"], "SANITIZE_TARGET: is not set"),
        (
            ["plan", "--system", "shop.data.yaml", "--as-of", "2999-01-01"],
            "--as-of: found 2999-01-01T00:00:00, which is in the future",
        ),
    ],
)
def test_mistakes_are_answered_in_words(tmp_path: Path, words: list[str], said: str) -> None:
    found = run(None, tmp_path, *words)
    assert found.returncode == 2
    assert said in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize("command", ["plan", "run", "verify", "mark", "snapshot", "restore"])
@pytest.mark.parametrize("database", ["mysql", "mongodb"])
def test_engines_that_are_not_copied_are_refused_before_anything_connects(
    tmp_path: Path, command: str, database: str
) -> None:
    nowhere = {"SANITIZE_SOURCE": "host=127.0.0.1 port=1", "SANITIZE_TARGET": "host=127.0.0.1 port=1"}
    found = run(None, tmp_path, command, "--system", "quikapp", "--database", database, **nowhere)
    assert found.returncode == 2
    assert f"{database} is declared here and not copied by this version" in found.stderr
    assert "127.0.0.1" not in found.stderr


def test_mark(shop: Pair, tmp_path: Path) -> None:
    shop.target("DROP SCHEMA understudy CASCADE")
    refused = run(shop, tmp_path, "run", "--system", "shop.data.yaml")
    assert refused.returncode == 2
    assert "sanitize mark --system shop --database db" in refused.stderr
    assert run(shop, tmp_path, "mark", "--system", "shop.data.yaml").stdout == "marked as staging of shop\n"
    assert run(shop, tmp_path, "run", "--system", "shop.data.yaml").returncode == 0


def test_as_a_module(shop: Pair, tmp_path: Path) -> None:
    """What the container runs."""
    (tmp_path / "shop.data.yaml").write_text(CONTRACT, encoding="utf-8")
    given = {
        **os.environ,
        "SANITIZE_SOURCE": shop.request().source,
        "PYTHONPATH": str(ROOT),
        "SANITIZE_SYSTEM": "shop.data.yaml",
    }
    command = [sys.executable, "-m", "jobs.sanitize", "plan"]
    found = subprocess.run([*command], cwd=tmp_path, env=given, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    missing = subprocess.run(
        [*command, "--system", "none"], cwd=tmp_path, env=given, capture_output=True, text=True, check=False
    )
    assert missing.returncode == 2
    assert "no such contract" in missing.stderr


def test_the_script_of_the_data_sync_cronjob(tmp_path: Path) -> None:
    """With what ``components/kinds/jobs.py`` gives it; ``python`` here only says what it was asked."""
    stub = tmp_path / "python"
    stub.write_text('#!/bin/sh\necho "$@"\ncat "$SANITIZE_TARGET_FILE"\n')
    stub.chmod(0o755)
    (tmp_path / "username").write_text("master")
    (tmp_path / "password").write_text("it's")
    given = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "SANITIZE_SYSTEM": "shop",
        "SANITIZE_DATABASE": "main-db",
        "DATABASE_NAME": "shop",
        "MAIN_DB_USERNAME_FILE": str(tmp_path / "username"),
        "MAIN_DB_PASSWORD_FILE": str(tmp_path / "password"),
        "DB_HOST": "db.example.com",
        "DB_PORT": "5432",
        "SNAPSHOT_PREFIX": "prod-sanitized-",
        "TMPDIR": str(tmp_path),
    }
    script = str(ROOT / "jobs" / "bin" / "restore-from-snapshot.sh")
    found = subprocess.run([script, "prod-sanitized-latest"], env=given, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    request, target = found.stdout.split("\n", 1)
    assert request == f"-m jobs.sanitize restore --receipt {tmp_path}/receipt.json"
    from psycopg.conninfo import conninfo_to_dict

    assert conninfo_to_dict(target) == {
        "host": "db.example.com", "port": "5432", "dbname": "shop", "user": "master", "password": "it's", "sslmode": "require",
    }  # fmt: skip
    assert (tmp_path / "target").stat().st_mode & 0o077 == 0
    for name, said in (
        ("prod-sanitized-7", "a name that ends in -latest"),
        ("other-latest", "expected prod-sanitized-latest"),
    ):
        wrong = subprocess.run([script, name], env=given, capture_output=True, text=True, check=False)
        assert wrong.returncode == 2
        assert said in wrong.stderr


def test_the_images_packages_are_those_of_the_project() -> None:
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for line in (ROOT / "jobs" / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            assert f"{line} " in pins or f"{line}\n" in pins, line
    dockerfile = (ROOT / "jobs" / "Dockerfile").read_text(encoding="utf-8")
    assert "USER 10001:10001" in dockerfile
