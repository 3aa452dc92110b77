"""Masks are deterministic, injective where a value is unique, never the input, and depend on the key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise, product
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.model.contract import Class
from jobs.sanitize import catalog
from jobs.sanitize.dialect import Dialect, Keys
from jobs.sanitize.masks.expressions import _MAKERS, MaskRequest, Unmaskable, mask, message
from tests.jobs.postgres import Postgres

pytestmark = pytest.mark.servers
POSTGRES = Dialect("postgresql")
TYPES = {
    "text": ["text", "varchar(60)", "char(60)", "citext"],
    "integer": ["integer", "bigint"],
    "number": ["numeric", "double precision"],
    "uuid": ["uuid"],
    "date": ["date"],
    "timestamp": ["timestamp", "timestamptz"],
    "inet": ["inet"],
    "json": ["json", "jsonb"],
    "bytes": ["bytea"],
    "tsvector": ["tsvector"],
}
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=50)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXT,
    "integer": st.integers(0, 2**30 - 1),
    "number": st.integers(1, 10**9),
    "uuid": st.uuids(version=4).map(str),
    "date": st.dates(date(1900, 1, 1), date(2020, 1, 1)),
    "timestamp": st.datetimes(),
    "inet": st.ip_addresses().map(str),
    "json": st.fixed_dictionaries({"a": st.integers()}).map(lambda value: __import__("json").dumps(value)),
    "bytes": st.binary(min_size=1, max_size=40),
    "tsvector": st.from_regex(r"[a-z]{3,9}", fullmatch=True),
}
CASES = sorted(
    {
        (cls.value, type_, distinct)
        for (cls, category), distinct in product(_MAKERS, (False, True))
        for type_ in TYPES[category]
    }
)


IMPOSSIBLE = {
    ("birth date", "date"), ("birth date", "timestamp"), ("phone", "integer"), ("address", "number"), ("address", "json"),
    ("free text", "json"), ("free text", "tsvector"), ("credential", "bytes"), ("credential", "json"), ("payment", "integer"),
    ("payment", "number"), ("payment", "json"), ("blob", "bytes"), ("blob", "number"),
}  # fmt: skip
"""Constants, and days: not where a unique index looks."""


@pytest.fixture(scope="module")
def database(production: Postgres) -> Iterator[psycopg.Connection]:
    name = production.database("CREATE EXTENSION citext")
    with psycopg.connect(production.url(name), autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        yield connection


def column(connection: psycopg.Connection, type_: str) -> catalog.Column:
    connection.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t (v {type_})".encode())
    return catalog.read(connection, "public").tables["t"].columns["v"]


def masked(
    connection: psycopg.Connection, request: MaskRequest, values: list[Any], keys: Keys
) -> list[tuple[Any, Any, bool]]:
    """Each value as text, its mask as text, and whether that is of the form, quickly and slowly said."""
    made = mask(request)
    assert made is not None
    for name, value in keys.settings().items():
        connection.execute("SELECT set_config(%s, %s, false)", [name, value])
    digest = POSTGRES.digest(message(request.cls, "v", request.column))
    connection.execute("TRUNCATE t")
    connection.execute(f"INSERT INTO t SELECT unnest(%s::{request.column.type}[])".encode(), [values])
    inner = f"SELECT v, d, encode(substr(d, 1, 10), 'hex') AS t FROM (SELECT v, {digest} AS d FROM t) x"
    one = f"SELECT v::text AS v, {made.sql('v', 'd', 't')} AS m FROM ({inner}) y"
    query = f"SELECT v, m::text, ({made.condition('m')}) AND ({made.condition('m', quick=True)}) FROM ({one}) z"
    return connection.execute(query.encode()).fetchall()


@pytest.mark.parametrize(("cls", "type_", "distinct"), CASES)
def test_properties(database: psycopg.Connection, cls: str, type_: str, distinct: bool) -> None:
    request = MaskRequest(Class(cls), column(database, type_), POSTGRES, distinct)
    if distinct and (cls, request.column.category) in IMPOSSIBLE:
        with pytest.raises(Unmaskable):
            mask(request)
        return
    made = mask(request)
    assert made is not None
    keys, others = Keys(), Keys()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(VALUES[request.column.category], min_size=2, max_size=20, unique_by=str))
    def holds(values: list[Any]) -> None:
        found = masked(database, request, values, keys)
        assert all(of_form for _, _, of_form in found)
        assert found == masked(database, request, values, keys), "deterministic"
        inputs = {str(value) for value, _, _ in found}
        if made.proof == "unique":
            equal = {value.lower() for value in inputs} if request.column.base == "citext" else inputs
            assert len({output for _, output, _ in found}) == len(equal), "injective"
            assert not inputs & {output for _, output, _ in found}, "never another's"
        if made.proof != "shape":
            assert all(value != output for value, output, _ in found), "never the input"
            if len(inputs) > 12:
                again = masked(database, request, values, others)
                assert [row[1] for row in again] != [row[1] for row in found], "depends on the key"

    holds()


def test_unique_masks_have_eighty_bits(database: psycopg.Connection) -> None:
    """Every unique mask of a text carries the whole token, or as many digits; whole numbers are a permutation."""
    for cls, category in _MAKERS:
        if category == "text":
            made = mask(MaskRequest(cls, column(database, "text"), POSTGRES, distinct=True))
            assert made is not None
            bytes_ = made.expression.count("get_byte({digest}")
            assert "{token}" in made.expression or bytes_ >= 10 or "substr({digest}" in made.expression, (
                cls,
                made.expression,
            )


def test_whole_numbers_are_permuted(database: psycopg.Connection) -> None:
    request = MaskRequest(Class.IDENTIFIER, column(database, "integer"), POSTGRES, distinct=True)
    found = masked(database, request, list(range(5000)), Keys())
    numbers = [int(output) for _, output, _ in found]
    assert len(set(numbers)) == 5000
    assert min(numbers) >= 2**30
    assert max(numbers) < 2**31
    ordered = sum(a < b for a, b in pairwise(numbers))
    assert 2300 < ordered < 2700, "the order says nothing"
    with pytest.raises(psycopg.errors.DivisionByZero):
        masked(database, request, [2**30], Keys())


@pytest.mark.parametrize(("type_", "cls", "said"), [
    ("varchar(20)", Class.USERNAME, "needs 25 characters, character varying(20) has 20"),
    ("varchar(11)", Class.PHONE, "needs 12 characters"),
    ("smallint", Class.IDENTIFIER, "smallint has no room"),
    ("interval", Class.FREE_TEXT, "classes that can: public, drop"),
])  # fmt: skip
def test_what_does_not_fit_is_said(database: psycopg.Connection, type_: str, cls: Class, said: str) -> None:
    with pytest.raises(Unmaskable) as error:
        mask(MaskRequest(cls, column(database, type_), POSTGRES))
    assert said in str(error.value)


def test_hmac_is_hmac(database: psycopg.Connection) -> None:
    import hashlib
    import hmac

    keys = Keys()
    for name, value in keys.settings().items():
        database.execute("SELECT set_config(%s, %s, false)", [name, value])
    row = database.execute(f"SELECT {POSTGRES.digest('convert_to(%s, %s)')}".encode(), ["Ünïcode", "UTF8"]).fetchone()
    assert row == (hmac.new(keys.mask, "Ünïcode".encode(), hashlib.sha256).digest(),)


def test_cockroachdbs_digest_is_the_same(database: psycopg.Connection) -> None:
    """By pgcrypto's ``hmac``, which has its signature."""
    database.execute("CREATE EXTENSION IF NOT EXISTS pgcrypto")
    for name, value in Keys().settings().items():
        database.execute("SELECT set_config(%s, %s, false)", [name, value])
    value = "convert_to('x', 'UTF8')"
    row = database.execute(
        f"SELECT {POSTGRES.digest(value)} = {Dialect('cockroachdb').digest(value)}".encode()
    ).fetchone()
    assert row == (True,)


def test_keys_are_not_printed() -> None:
    keys = Keys()
    assert keys.mask.hex() not in repr(keys)
    assert repr(keys) == "Keys()"
    assert Keys().mask != keys.mask
