"""What the living values have against the plan is known before anything is copied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.errors import ConfigError
from config.model.contract import parse
from jobs.sanitize.errors import Leak
from jobs.sanitize.preview import planned, previewed
from tests.jobs.postgres import Pair, Postgres

pytestmark = pytest.mark.servers
BASE = """
system: values
databases:
  db:
    engine: postgresql
    source: primary
    production: {hosts: [production]}
    tables:
"""
CASES = {
    "an empty source": (
        "CREATE TABLE t (id integer)",
        "t: {columns: {id: public (integer)}}",
        "staging would be empty",
    ),
    "the newest of a tree": (
        "CREATE TABLE t (id integer PRIMARY KEY, boss integer REFERENCES t, at date); INSERT INTO t SELECT n, nullif(n - 1, 0), date '2026-01-01' + n FROM generate_series(1, 50) n",
        "t: {rows: {limit: 10, newest: at}, columns: {id: public (integer), boss: public (integer), at: public (date)}}",
        r"none of its 50 rows is copied.*\n.*detach: \[boss\]",
    ),
    "a reference of a partition": (
        "CREATE TABLE u (id integer PRIMARY KEY); CREATE TABLE t (id integer, u integer) PARTITION BY RANGE (id); CREATE TABLE t0 PARTITION OF t DEFAULT; ALTER TABLE t0 ADD FOREIGN KEY (u) REFERENCES u",
        "t: {partitions: [t0], columns: {id: public (integer), u: public (integer)}}\n      u: {columns: {id: public (integer)}}",
        "the partition 't0' has a reference of its own",
    ),
    "a reference to a partition": (
        "CREATE TABLE t (id integer PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE t0 PARTITION OF t DEFAULT; CREATE TABLE c (t integer REFERENCES t0)",
        "t: {partitions: [t0], columns: {id: public (integer)}}\n      c: {columns: {t: public (integer)}}",
        "refers to 't0', a partition of 't'",
    ),
    "a partition elsewhere": (
        "CREATE SCHEMA archive; CREATE TABLE t (id integer) PARTITION BY RANGE (id); CREATE TABLE archive.t0 PARTITION OF t DEFAULT",
        "t: {partitions: ['*'], columns: {id: public (integer)}}",
        "its partition archive.t0 stands in another schema",
    ),
    "a form from a column that may be NULL": (
        "CREATE TABLE t (id integer UNIQUE, u text NOT NULL); INSERT INTO t VALUES (1, 'x')",
        "t: {columns: {id: public (integer), u: {class: username, type: text, form: 'staging_{id}'}}}",
        "which may be NULL",
    ),
    "a form from a text": (
        "CREATE TABLE t (id text PRIMARY KEY, u text); INSERT INTO t VALUES ('a b', 'x')",
        "t: {columns: {id: public (text), u: {class: username, type: text, form: 'staging_{id}'}}}",
        "whose values may have any characters",
    ),
    "a form that is too long": (
        "CREATE TABLE t (id integer PRIMARY KEY, u varchar(20)); INSERT INTO t VALUES (1, 'x')",
        "t: {columns: {id: public (integer), u: {class: username, type: character varying(20), form: 'staging_{token}'}}}",
        "its form may take 28 characters",
    ),
    "a reference of another length": (
        "CREATE TABLE t (id varchar(60) PRIMARY KEY); CREATE TABLE c (t varchar(24) REFERENCES t); INSERT INTO t VALUES ('a'); ",
        "t: {columns: {id: identifier (character varying(60))}}\n      c: {columns: {t: identifier (character varying(24))}}",
        "too short for the mask of t.id",
    ),
    "numbers without room": (
        "CREATE TABLE t (id bigint); INSERT INTO t VALUES (1073741824), (-1)",
        "t: {columns: {id: identifier (bigint)}}",
        "2 of its values cannot be masked",
    ),
}


@pytest.fixture
def pair(production: Postgres, staging: Postgres) -> Iterator[Pair]:
    made = Pair(production, staging, f"{BASE}      t: {{columns: {{id: public (integer)}}}}\n")
    yield made
    made.drop()


@pytest.mark.parametrize("case", CASES)
def test_the_plan_fails_where_the_refresh_would(pair: Pair, case: str) -> None:
    schema, tables, said = CASES[case]
    pair.source(schema)
    pair.source("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    with pytest.raises(ConfigError, match=said), planned(pair.request(contract=parse(f"{BASE}      {tables}\n", "x"))):
        pass


def test_the_preview_finds_what_the_proof_would(pair: Pair) -> None:
    pair.source("CREATE TABLE t (id bigint, note text, d jsonb); GRANT SELECT ON t TO reader")
    pair.source(
        "INSERT INTO t VALUES (1, 'write to ada@corp.com', '{\"k\": \"+49 170 1234567\"}'), (4111111111111111, 'x', NULL)"
    )
    tables = "t: {columns: {id: public (bigint), note: public (text), d: {class: free text, type: jsonb, paths: {$.k: public}}}}"
    with pytest.raises(Leak) as leak, previewed(pair.request(contract=parse(f"{BASE}      {tables}\n", "x"))):
        pass
    for said in ("t.id: no card: 1 rows", "t.note: no email: 1 rows", "t.d: no phone: 1 rows"):
        assert said in str(leak.value)


def test_the_preview_finds_what_staging_would_refuse(pair: Pair) -> None:
    from config.errors import ExternalError

    pair.source("CREATE TABLE t (id integer); INSERT INTO t VALUES (1); GRANT SELECT ON t TO reader")
    pair.production.run("CREATE ROLE elsewhere", database="postgres")
    pair.source("CREATE POLICY p ON t TO elsewhere USING (true)")
    try:
        with pytest.raises(ExternalError, match="elsewhere"), previewed(pair.request()):
            pass
    finally:
        pair.source("DROP POLICY p ON t")
        pair.production.run("DROP ROLE elsewhere", database="postgres")
    with previewed(pair.request()):
        pass
    assert pair.target("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'understudy%'") == [("understudy",)]
