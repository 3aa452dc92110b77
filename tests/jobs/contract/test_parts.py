"""New labels, attributes, views and functions stop a refresh: by the contract, or by what the last refresh had."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.errors import ConfigError
from config.model.contract import parse
from jobs.sanitize.preview import planned
from jobs.sanitize.refresh import refresh
from tests.jobs.postgres import Pair, Postgres

pytestmark = pytest.mark.servers
SCHEMA = """
CREATE TYPE mood AS ENUM ('calm'); CREATE TYPE pref AS (theme text, lang text);
CREATE TABLE t (id integer PRIMARY KEY, m mood, p pref); INSERT INTO t VALUES (1, 'calm', ROW('dark', 'en'));
CREATE VIEW v AS SELECT id FROM t; CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'
"""
CONTRACT = """
system: parts
databases:
  db:
    engine: postgresql
    source: primary
    production: {hosts: [production]}
    tables: {t: {columns: {id: public (integer), m: public (mood), p: public (pref)}}}
"""
NAMED = CONTRACT.replace(
    "    tables:",
    "    labels: {mood: [calm]}\n    attributes: {pref: {theme: text, lang: text}}\n    views: [v]\n    functions: [f]\n    tables:",
)
NEW = {
    "a label": ("ALTER TYPE mood ADD VALUE 'Jane Roe'", "the label number 2 of 'mood' is not named"),
    "an attribute": ("ALTER TYPE pref ADD ATTRIBUTE note text", "the attribute 'note' of 'pref' is not named"),
    "an attribute's name": (
        "ALTER TYPE pref RENAME ATTRIBUTE lang TO tongue",
        "the attribute 'tongue' of 'pref' is not named",
    ),
    "a view": ("CREATE VIEW w AS SELECT 'Jane Roe' AS x", "the view 'w' is not named"),
    "a materialised view": ("CREATE MATERIALIZED VIEW w AS SELECT 1 AS x", "the view 'w' is not named"),
    "a function": (
        "CREATE FUNCTION g() RETURNS text LANGUAGE sql AS $$ SELECT 'Jane Roe' $$",
        "the function 'g' is not named",
    ),
    "an enum": ("CREATE TYPE e AS ENUM ('Jane Roe')", "the label number 1 of 'e' is not named"),
}


@pytest.fixture
def pair(production: Postgres, staging: Postgres) -> Iterator[Pair]:
    made = Pair(production, staging, CONTRACT, SCHEMA)
    yield made
    made.drop()


def stopped(pair: Pair, contract: str) -> str:
    with pytest.raises(ConfigError) as error, planned(pair.request(contract=parse(contract, "x"))):
        pass
    return str(error.value)


@pytest.mark.parametrize("what", NEW)
def test_what_the_contract_does_not_name_stops(pair: Pair, what: str) -> None:
    with planned(pair.request(contract=parse(NAMED, "x"))):
        pass
    make, said = NEW[what]
    pair.source(make)
    found = stopped(pair, NAMED)
    assert said in found
    assert "Jane" not in found, "a label could be a person's"


def test_where_the_contract_is_silent_the_last_refresh_speaks(pair: Pair) -> None:
    refresh(pair.request())
    refresh(pair.request())
    for make, _ in NEW.values():
        if "tongue" not in make and "MATERIALIZED" not in make:
            pair.source(make)
    found = stopped(pair, CONTRACT)
    for make, said in NEW.values():
        if "tongue" not in make and "MATERIALIZED" not in make:
            assert f"{said}, and was not there at the last refresh" in found
