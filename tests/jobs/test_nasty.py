"""Quoted names, reserved words, enums, domains, arrays, generated columns, partitions, cycles: all of it comes through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jobs.sanitize.refresh import refresh
from tests.jobs.nasty import CONTRACT, ROWS, SCHEMA
from tests.jobs.postgres import Pair, Postgres

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def nasty(production: Postgres, staging: Postgres) -> Iterator[Pair]:
    pair = Pair(production, staging, CONTRACT, SCHEMA, ROWS)
    pair.target("SET ROLE sanitizer; CREATE EXTENSION citext SCHEMA public")
    refresh(pair.request())
    refresh(pair.request())  # over what is there
    yield pair
    pair.drop()


def test_every_object_is_there(nasty: Pair) -> None:
    query = """
        SELECT c.relkind::text, c.relname, coalesce(pg_get_indexdef(i.indexrelid, 0, true), ''), c.relispartition FROM pg_class c
        LEFT JOIN pg_index i ON i.indexrelid = c.oid WHERE c.relnamespace = 'public'::regnamespace
        AND c.relname <> 'select_from_seq' ORDER BY 1, 2"""
    assert nasty.source(query) == nasty.target(query)
    constraints = """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"""
    assert nasty.source(constraints) == nasty.target(constraints)
    columns = """
        SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity, identity_generation, is_generated,
          generation_expression, domain_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"""
    assert nasty.source(columns) == nasty.target(columns)
    for query in (
        "SELECT tgrelid::regclass::text, tgname, tgenabled::text, pg_get_triggerdef(oid, true) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2",
        "SELECT tablename, policyname, roles::text, cmd, qual FROM pg_policies ORDER BY 1, 2",
        "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname IN ('shout', 'append_only') ORDER BY 1",
        "SELECT stxname FROM pg_statistic_ext",
        "SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
        "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = 'ledger'",
    ):
        found = nasty.source(query)
        assert found
        assert found == nasty.target(query), query


def test_the_planner_knows_the_copy(nasty: Pair) -> None:
    """Also what an indexed expression's values are like."""
    known = {name for (name,) in nasty.target("SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public'")}
    assert {"select", "Parts", "uses", "events", "no_key", "lower mail"} <= known


def test_nothing_of_the_old_schema_is_left(nasty: Pair) -> None:
    assert nasty.target("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'understudy%' ORDER BY 1") == [
        ("understudy",)
    ]


def test_public_values_are_what_they_were(nasty: Pair) -> None:
    query = 'SELECT "order"::text, moods::text, number_, "Größe"::text, exact::text FROM "select" ORDER BY number_'
    assert nasty.source(query) == nasty.target(query)
    partitions = "SELECT tableoid::regclass::text, id, at FROM events ORDER BY id"
    assert nasty.source(partitions) == nasty.target(partitions)
    for table in ("uses", "egg", "hen", "counts"):
        assert nasty.source(f"SELECT * FROM {table} ORDER BY 1") == nasty.target(f"SELECT * FROM {table} ORDER BY 1")


def test_nothing_personal_is_left(nasty: Pair) -> None:
    for table in ('"select"', "events", "ledger", "no_key"):
        found = nasty.target(f"SELECT t::text FROM {table} t")
        assert found
        for (row,) in found:
            for word in ("mail.com", "81.2.69", "2a02", "Ada", "I am", "Née", "secret", "Elm", "🦄", "00ff27"):
                assert word not in row


def test_computed_columns_are_computed_from_masked_values(nasty: Pair) -> None:
    rows = nasty.target('SELECT story, search::text, loud FROM "select"')
    assert all(loud == story.upper() + "!" and "ada" not in search for story, search, loud in rows)


def test_null_and_empty_stay(nasty: Pair) -> None:
    counts = "SELECT count(boss), count(mails), count(*) FILTER (WHERE mails = '{}'), sum(array_length(mails, 1)) FROM \"select\""
    assert nasty.source(counts) == nasty.target(counts)
    assert nasty.target("SELECT count(*) FROM no_key WHERE mail IS NULL AND phone IS NULL") == [(1,)]


def test_references_lead_to_the_same_rows(nasty: Pair) -> None:
    query = """SELECT s.number_, b.number_ FROM "select" s JOIN "select" b ON b."from" = s.boss ORDER BY 1"""
    assert nasty.source(query) == nasty.target(query)
    query = 'SELECT e.id, s.number_ FROM events e JOIN "select" s ON s."from" = e.who ORDER BY 1'
    assert nasty.source(query) == nasty.target(query)


def test_documents_keep_their_paths_and_lose_the_rest(nasty: Pair) -> None:
    for (what,) in nasty.target("SELECT what FROM events"):
        assert what.keys() == {"kind", "from", "tags"}
        assert what["kind"] == "click"
        assert what["from"].startswith(("192.0.2.", "198.51.100.", "203.0.113."))
        assert what["tags"][0]["mail"].endswith("@staging.invalid")


def test_sequences_go_on(nasty: Pair) -> None:
    nasty.target("INSERT INTO egg VALUES (100, NULL)")
    nasty.target('INSERT INTO "select" ("Weird ""Name""", "user") VALUES (\'new@staging.invalid\', \'new\')')
    (top,) = nasty.target('SELECT max("from"), count(*) FROM "select"')
    assert top[1] == 61
    assert nasty.target("SELECT nextval('ticket')") == [(1000 + 5 * 61,)]
    nasty.target('DELETE FROM "select" WHERE "user" = \'new\'')


def test_append_only_is_append_only(nasty: Pair) -> None:
    import psycopg

    with pytest.raises(psycopg.errors.RaiseException, match="append only"):
        nasty.target("DELETE FROM ledger")
