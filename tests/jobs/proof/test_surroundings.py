"""Every place where a definition can carry a value: a canary in it stops the refresh before anything is copied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.model.contract import parse
from jobs.sanitize.errors import Leak
from jobs.sanitize.preview import planned
from jobs.sanitize.proof import surroundings
from jobs.sanitize.refresh import refresh
from tests.jobs.postgres import Pair, Postgres

pytestmark = pytest.mark.servers
CANARY = "jo.canary@understudy-canary.net"
SCHEMA = f"""
CREATE TABLE t (id integer PRIMARY KEY, mail text, at timestamptz, d jsonb);
CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
INSERT INTO t VALUES (1, '{CANARY}', now(), '{{}}'), (2, 'b@corp.com', now(), NULL);
"""
CONTRACT = f"""
system: places
databases:
  db:
    engine: postgresql
    source: primary
    production: {{hosts: [production]}}
    canaries: [{CANARY}]
    tables:
      t: {{columns: {{id: public (integer), mail: email (text), at: public (timestamp with time zone), d: {{class: free text, type: jsonb}}}}}}
"""
C = CANARY
TABLE = "CREATE TABLE x ({}); GRANT SELECT ON x TO reader"
PLACES = {
    "default": (f"ALTER TABLE t ALTER mail SET DEFAULT '{C}'", "ALTER TABLE t ALTER mail DROP DEFAULT"),
    "default of json": (f"ALTER TABLE t ALTER d SET DEFAULT '{{\"m\": \"{C}\"}}'", "ALTER TABLE t ALTER d DROP DEFAULT"),
    "generated column": (f"ALTER TABLE t ADD g text GENERATED ALWAYS AS (coalesce(mail, '{C}')) STORED", "ALTER TABLE t DROP g"),
    "check": (f"ALTER TABLE t ADD CONSTRAINT c CHECK (mail <> '{C}x')", "ALTER TABLE t DROP CONSTRAINT c"),
    "check that is not valid": (f"ALTER TABLE t ADD CONSTRAINT c CHECK (mail <> '{C}x') NOT VALID", "ALTER TABLE t DROP CONSTRAINT c"),
    "name of a constraint": (f'ALTER TABLE t ADD CONSTRAINT "{C}" CHECK (id > 0)', f'ALTER TABLE t DROP CONSTRAINT "{C}"'),
    "index predicate": (f"CREATE INDEX i ON t (id) WHERE mail = '{C}'", "DROP INDEX i"),
    "index expression": (f"CREATE INDEX i ON t ((mail = '{C}'))", "DROP INDEX i"),
    "unique index predicate": (f"CREATE UNIQUE INDEX i ON t (id) WHERE mail = '{C}'", "DROP INDEX i"),
    "name of an index": (f'CREATE INDEX "{C}" ON t (id)', f'DROP INDEX "{C}"'),
    "exclusion": (f"ALTER TABLE t ADD CONSTRAINT c EXCLUDE (id WITH =) WHERE (mail = '{C}')", "ALTER TABLE t DROP CONSTRAINT c"),
    "policy using": (f"CREATE POLICY p ON t USING (mail = '{C}')", "DROP POLICY p ON t"),
    "policy with check": (f"CREATE POLICY p ON t FOR INSERT WITH CHECK (mail = '{C}')", "DROP POLICY p ON t"),
    "name of a policy": (f'CREATE POLICY "{C}" ON t USING (true)', f'DROP POLICY "{C}" ON t'),
    "trigger argument": (f"CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tr('{C}')", "DROP TRIGGER g ON t"),
    "trigger condition": (f"CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW WHEN (NEW.mail = '{C}') EXECUTE FUNCTION tr()", "DROP TRIGGER g ON t"),
    "name of a trigger": (f'CREATE TRIGGER "{C}" BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tr()', f'DROP TRIGGER "{C}" ON t'),
    "enum label": (f"CREATE TYPE e AS ENUM ('a', '{C}')", "DROP TYPE e"),
    "name of a type": (f"CREATE TYPE \"{C}\" AS ENUM ('a')", f'DROP TYPE "{C}"'),
    "name of an attribute": (f'CREATE TYPE e AS ("{C}" text)', "DROP TYPE e"),
    "domain default": (f"CREATE DOMAIN e AS text DEFAULT '{C}'", "DROP DOMAIN e"),
    "domain check": (f"CREATE DOMAIN e AS text CHECK (VALUE <> '{C}')", "DROP DOMAIN e"),
    "function in SQL": (f"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT '{C}' $$", "DROP FUNCTION f()"),
    "function in PL/pgSQL": (f"CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN '{C}'; END $$", "DROP FUNCTION f()"),
    "function of SQL's standard": (f"CREATE FUNCTION f() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT '{C}'; END", "DROP FUNCTION f()"),
    "comment in a function": (f"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'x' -- ask {C}\n $$", "DROP FUNCTION f()"),
    "default of an argument": (f"CREATE FUNCTION f(a text DEFAULT '{C}') RETURNS text LANGUAGE sql AS 'SELECT a'", "DROP FUNCTION f(text)"),
    "setting of a function": (f"CREATE FUNCTION f() RETURNS text LANGUAGE sql SET app.person = '{C}' AS $$ SELECT 'x' $$", "DROP FUNCTION f()"),
    "procedure": (f"CREATE PROCEDURE f() LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '{C}'; END $$", "DROP PROCEDURE f()"),
    "view": (f"CREATE VIEW v AS SELECT '{C}'::text AS m", "DROP VIEW v"),
    "view's condition": (f"CREATE VIEW v AS SELECT id FROM t WHERE mail = '{C}'", "DROP VIEW v"),
    "name of a view's column": (f'CREATE VIEW v AS SELECT 1 AS "{C}"', "DROP VIEW v"),
    "materialised view": (f"CREATE MATERIALIZED VIEW v AS SELECT '{C}'::text AS m", "DROP MATERIALIZED VIEW v"),
    "sequence's name": (f'CREATE SEQUENCE "{C}"', f'DROP SEQUENCE "{C}"'),
    "statistics": (f"CREATE STATISTICS s ON id, (mail = '{C}') FROM t", "DROP STATISTICS s"),
}  # fmt: skip
HIDDEN = {
    "put together": "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'jo.canary' || '@' || 'understudy-canary.net' $$",
    "by concat": "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT concat('jo.canary', '@', 'understudy-canary.net') $$",
    "by number": "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'jo.canary' || chr(64) || 'understudy-canary.net' $$",
    "escaped": r"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT E'jo.canary\x40understudy-canary.net' $$",
    "escaped in octal": r"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT E'jo.canary\100understudy-canary.net' $$",
    "escaped by U&": r"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT U&'jo.canary\0040understudy-canary.net' $$",
    "escaped in JSON": r"""CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT '{"m": "jo.canary\u0040understudy-canary.net"}' $$""",
    "in capitals": f"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT '{CANARY.upper()}' $$",
}


@pytest.fixture(scope="module")
def pair(production: Postgres, staging: Postgres) -> Iterator[Pair]:
    made = Pair(production, staging, CONTRACT, SCHEMA)
    yield made
    made.drop()


def stopped(pair: Pair, make: str, unmake: str, contract: str = CONTRACT) -> str:
    pair.source(make)
    try:
        with pytest.raises(Leak) as leak, planned(pair.request(target="", contract=parse(contract, "shop.data.yaml"))):
            pass
    finally:
        pair.source(unmake)
    return str(leak.value)


@pytest.mark.parametrize("place", PLACES)
def test_a_canary_in_a_definition(pair: Pair, place: str) -> None:
    make, unmake = PLACES[place]
    column = "g: free text (text), " if place == "generated column" else ""
    said = stopped(pair, make, unmake, CONTRACT.replace("columns: {id:", f"columns: {{{column}id:"))
    assert "canary" in said.replace(CANARY, "?")
    assert CANARY not in said, "never the value"


@pytest.mark.parametrize("way", HIDDEN)
def test_a_canary_that_is_spelled_otherwise(pair: Pair, way: str) -> None:
    assert "function f: canary" in stopped(pair, HIDDEN[way], "DROP FUNCTION f()")


def test_a_partitions_bound(pair: Pair) -> None:
    make = f"CREATE TABLE x (m text) PARTITION BY LIST (m); CREATE TABLE x1 PARTITION OF x FOR VALUES IN ('{C}'); GRANT SELECT ON x, x1 TO reader"
    contract = CONTRACT + "      x: {partitions: [x1], columns: {m: email (text)}}\n"
    assert "table x1: canary" in stopped(pair, make, "DROP TABLE x", contract)


def test_the_address_of_another_database(pair: Pair) -> None:
    make = "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'host=prod.corp port=5432 user=app' $$"
    assert "function f: connection to another database" in stopped(pair, make, "DROP FUNCTION f()")


def test_what_a_person_has_judged_passes(pair: Pair) -> None:
    contract = CONTRACT.replace("    tables:", "    unchecked: {function f: it greets the test person}\n    tables:")
    pair.source(f"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT '{C}' $$")
    try:
        with planned(pair.request(target="", contract=parse(contract, "shop.data.yaml"))) as (made, _, _):
            assert any("FUNCTION f()" in statement for statement in made.definitions.statements())
    finally:
        pair.source("DROP FUNCTION f()")


def test_the_rows_of_views_are_looked_at(pair: Pair) -> None:
    """No definition says the value: it is put together when the view is read."""
    pair.source(f"CREATE VIEW v AS SELECT replace('{CANARY.replace('@', '#')}', '#', '@') AS m")
    pair.source(
        "CREATE MATERIALIZED VIEW w AS SELECT replace('ad#corp.com', '#', '@') AS m; CREATE VIEW broken AS SELECT 1 / (id - id) AS n, mail FROM t"
    )
    try:
        with pytest.raises(Leak) as leak:
            refresh(pair.request())
        assert "view v.*: no canary: 1 rows" in str(leak.value)
        assert "view w.*: no email: 1 rows" in str(leak.value)
        assert pair.target("SELECT to_regclass('public.t')") == [(None,)]
    finally:
        pair.source("DROP VIEW v, broken; DROP MATERIALIZED VIEW w")


def test_titles() -> None:
    for statement, said in {
        "CREATE OR REPLACE FUNCTION f(a text) RETURNS": "function f",
        'CREATE MATERIALIZED VIEW "my view" AS': 'view "my view"',
        'ALTER TABLE "a b" ADD CONSTRAINT c CHECK (true)': 'constraint c of "a b"',
        "CREATE UNIQUE INDEX i ON t (id)": "index i",
        "SELECT setval('s', 1)": "SELECT setval('s', 1)",
    }.items():
        assert surroundings.title(statement) == said
