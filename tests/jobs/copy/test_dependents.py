"""What leans on the schema from outside stops a refresh: nothing beside the schema is ever touched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.errors import ConfigError
from jobs.sanitize.connection import connect
from jobs.sanitize.copy.dependents import outside
from jobs.sanitize.preview import check_target
from jobs.sanitize.refresh import refresh
from tests.jobs.postgres import Pair, Postgres

pytestmark = pytest.mark.servers
SCHEMA = """
CREATE TYPE status AS ENUM ('a', 'b'); CREATE DOMAIN d AS text; CREATE SEQUENCE s;
CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'select $1';
CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE users (id integer PRIMARY KEY, email text, s status); INSERT INTO users VALUES (1, 'a@bigbank.com', 'a')
"""
CONTRACT = """
system: leaning
databases:
  db:
    engine: postgresql
    source: primary
    production: {hosts: [production]}
    tables: {users: {columns: {id: public (integer), email: email (text), s: public (status)}}}
"""
LEANING = {
    "a column of a type": "CREATE TABLE other.x (s public.status)",
    "a column of an array of it": "CREATE TABLE other.x (s public.status[])",
    "a column of a domain": "CREATE TABLE other.x (s public.d)",
    "a column of a row type": "CREATE TABLE other.x (s public.users)",
    "a default": "CREATE TABLE other.x (n integer DEFAULT nextval('public.s'))",
    "a reference": "CREATE TABLE other.x (u integer REFERENCES public.users)",
    "a view": "CREATE VIEW other.v AS SELECT id FROM public.users",
    "a materialised view": "CREATE MATERIALIZED VIEW other.v AS SELECT id FROM public.users",
    "an index": "CREATE TABLE other.x (n integer); CREATE INDEX i ON other.x (public.f(n))",
    "a check": "CREATE TABLE other.x (n integer CHECK (public.f(n) > 0))",
    "a generated column": "CREATE TABLE other.x (n integer, g integer GENERATED ALWAYS AS (public.f(n)) STORED)",
    "a trigger": "CREATE TABLE other.x (n integer); CREATE TRIGGER t BEFORE INSERT ON other.x FOR EACH ROW EXECUTE FUNCTION public.tr()",
    "a policy": "CREATE TABLE other.x (n integer); CREATE POLICY p ON other.x USING (EXISTS (SELECT FROM public.users))",
    "a function": "CREATE FUNCTION other.g(public.status) RETURNS integer LANGUAGE sql AS 'select 1'",
    "a function of SQL's standard": "CREATE FUNCTION other.g() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM public.users; END",
    "a domain": "CREATE DOMAIN other.e AS public.status",
    "a publication": "CREATE PUBLICATION p FOR TABLE public.users",
}  # fmt: skip


@pytest.fixture(scope="module")
def pair(production: Postgres, staging: Postgres) -> Iterator[Pair]:
    made = Pair(production, staging, CONTRACT, SCHEMA)
    refresh(made.request())
    yield made
    made.drop()


@pytest.mark.parametrize("what", LEANING)
def test_what_leans_on_the_schema_stops(pair: Pair, what: str) -> None:
    pair.target(f"CREATE SCHEMA other; {LEANING[what]}")
    try:
        with pytest.raises(ConfigError, match="leans on the schema 'public'"):
            check_target(pair.request())
    finally:
        pair.target("DROP SCHEMA other CASCADE; DROP PUBLICATION IF EXISTS p")


def test_what_stands_in_the_schema_or_in_an_extension_does_not(pair: Pair) -> None:
    pair.target(
        "CREATE EXTENSION ltree; CREATE EXTENSION citext; CREATE SCHEMA other; CREATE TABLE other.x (c public.citext UNIQUE, l public.ltree[])"
    )
    try:
        with connect(pair.request().target, "target") as target:
            assert outside(target, "public") == []
        check_target(pair.request())
    finally:
        pair.target("DROP SCHEMA other CASCADE; DROP EXTENSION ltree; DROP EXTENSION citext")
