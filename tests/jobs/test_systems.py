"""The contract of every system, against a schema and rows like its production's."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.model.contract import contracts, load
from jobs.sanitize.dialect import Dialect
from jobs.sanitize.preview import planned
from jobs.sanitize.refresh import refresh
from tests.jobs.postgres import Pair, Postgres

pytestmark = pytest.mark.servers
SCHEMAS = Path(__file__).parent / "schemas"
PGCRYPTO = """
CREATE EXTENSION pgcrypto;
CREATE FUNCTION pg_catalog.hmac(bytea, bytea, text) RETURNS bytea LANGUAGE sql IMMUTABLE AS 'SELECT public.hmac($1, $2, $3)'
"""
"""``hmac`` is found without a schema, as CockroachDB's own is."""
SYSTEMS = sorted(path.name.split(".")[0] for path in contracts())
RAW = (
    "@web.de",
    "@gmx.at",
    "@firm.com",
    "@lab.edu",
    "@orbit.net",
    "@acme.com",
    "Reader",
    "Donor ",
    "Speaker",
    "Family",
    "Ringstrasse",
    "81.2.69",
)


def made(name: str, production: Postgres, staging: Postgres, monkeypatch: pytest.MonkeyPatch, **changes: str) -> Pair:
    text = (Path("config/systems") / f"{name}.data.yaml").read_text(encoding="utf-8")
    for old, new in {"source: replica": "source: primary", **changes}.items():  # one server cannot be its own standby
        text = text.replace(old, new)
    monkeypatch.setenv("FLASK_ENV", "staging")
    chosen = {"quikapp": "postgres"}.get(name)
    return Pair(production, staging, text, (SCHEMAS / f"{name}.sql").read_text(encoding="utf-8"), chosen=chosen)


def test_every_system_has_a_contract_and_a_schema() -> None:
    assert sorted(path.stem for path in SCHEMAS.glob("*.sql")) == SYSTEMS
    assert SYSTEMS == ["carla", "mina", "quikapp", "spacetime", "stories"]


def test_spacetime_and_quikapp_name_their_own_components() -> None:
    from config.loader import load as load_system

    for name in ("spacetime", "quikapp"):
        components = load_system(name).components
        contract = load(name)
        assert {*contract.databases, *contract.stores} <= components.keys()


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_refresh_of_every_system(
    name: str, production: Postgres, staging: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "spacetime":  # there is no CockroachDB here: all of its dialect but the time to read at, on PostgreSQL
        begin = Dialect.begin
        monkeypatch.setattr(Dialect, "moment", property(lambda _: "SELECT pg_export_snapshot()"))
        monkeypatch.setattr(Dialect, "begin", lambda _, moment: begin(Dialect("postgresql"), moment))
    pair = made(name, production, staging, monkeypatch)
    if name == "spacetime":
        staging.run(PGCRYPTO, database=pair.to)
    receipt = refresh(pair.request())
    assert all(check["found"] == 0 for check in receipt["checks"])
    for table in receipt["tables"]:
        for (row,) in pair.target(f'SELECT t::text FROM "{table}" t'):
            assert not [word for word in RAW if word in row], table
    pair.drop()


def test_stories_copies_ten_users_and_what_is_theirs(
    production: Postgres, staging: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = made("stories", production, staging, monkeypatch)
    receipt = refresh(pair.request())
    assert receipt["tables"]["User"] == {"before": 200, "after": 10}
    assert pair.target("SELECT count(*) FROM \"User\" WHERE email ~ '^user_[0-9a-f]{20}@staging\\.local$'") == [(10,)]
    assert pair.target('SELECT count(*) FROM "User" WHERE "referredById" IS NOT NULL') == [(9,)], (
        "the tenth's was not copied"
    )
    newest = pair.source('SELECT id FROM "User" ORDER BY "createdAt" DESC LIMIT 10')
    assert set(pair.target('SELECT id FROM "User"')) == set(newest)
    assert pair.target(
        'SELECT count(*) FROM "UserStory" u LEFT JOIN "Story" s ON s.id = u."storyId" WHERE s.id IS NULL'
    ) == [(0,)]
    assert 0 < receipt["tables"]["Story"]["after"] < 400
    assert receipt["tables"]["Donation"]["after"] > 150, "those of nobody stay"
    assert pair.target("SELECT to_regclass('staging_migrations.role_migration_log')") == [(None,)], (
        "staging's own are left alone"
    )
    pair.drop()


def test_mina_has_the_seeds_forms_and_no_id_of_production(
    production: Postgres, staging: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = made("mina", production, staging, monkeypatch)
    refresh(pair.request())
    rows = pair.target("SELECT id, email, username FROM users")
    assert len(rows) == 120
    for number, email, username in rows:
        assert (email, username) == (f"user{number}+staging@example.com", f"staging_user_{number}")
        assert number >= 1 << 30
    assert pair.target("SELECT DISTINCT url, enabled FROM webhooks") == [("https://hooks.staging.invalid/", False)]
    monkeypatch.setenv("FLASK_ENV", "development")
    with pytest.raises(ConfigError, match=r"FLASK_ENV: found 'development', expected 'staging'"):
        refresh(pair.request())
    pair.drop()


def test_quikapp_replies_lose_what_was_not_copied(
    production: Postgres, staging: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = made("quikapp", production, staging, monkeypatch)
    with planned(pair.request()) as (plan, _, _):
        assert plan.tables["messages"].after == 719 or plan.tables["messages"].after == 720
        assert plan.stores["kafka"] == "topics start empty"
    refresh(pair.request())
    dangling = "SELECT count(*) FROM messages m WHERE reply_to IS NOT NULL AND NOT EXISTS (SELECT FROM messages r WHERE r.id = m.reply_to)"
    assert pair.target(dangling) == [(0,)]
    assert pair.target("SELECT count(*) FROM messages WHERE reply_to IS NULL") == [(3,)]
    pair.drop()


@pytest.mark.parametrize("name", ["mysql", "mongodb"])
def test_other_engines_are_declared_and_refused(name: str) -> None:
    from jobs.sanitize.contract.compare import unsupported

    (problem,) = unsupported(load("quikapp"), name)
    assert "not copied by this version" in problem.message
    assert problem.line
