"""Documents: what a mask keeps, what its condition lets pass, and which paths are not classified."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from config.model.contract import Class
from jobs.sanitize import catalog
from jobs.sanitize.dialect import Dialect, Keys, literal
from jobs.sanitize.masks.documents import document, steps, unnamed
from jobs.sanitize.masks.expressions import MaskRequest, Unmaskable
from tests.jobs.postgres import Postgres

pytestmark = pytest.mark.servers
PATHS = {
    "$.theme": Class.PUBLIC, "$.mail": Class.EMAIL, '$."first name"': Class.PERSON_NAME, "$.to[*].ip": Class.IP, "$.tags": Class.PUBLIC,
    "$.gone": Class.DROP, "$.{raw}": Class.USERNAME,
}  # fmt: skip
DOCUMENT = {
    "theme": "dark", "mail": "jane@corp.com", "first name": "Jane Roe", "to": [{"ip": "81.2.69.160"}, {"ip": None}, {}], "tags": ["a", 1],
    "gone": "secret", "{raw}": "jane",
}  # fmt: skip


@pytest.fixture(scope="module")
def database(production: Postgres) -> Iterator[psycopg.Connection]:
    with psycopg.connect(production.url(production.database()), autocommit=True) as connection:
        yield connection


def request(database: psycopg.Connection, type_: str = "jsonb") -> MaskRequest:
    database.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t (d {type_})".encode())
    return MaskRequest(
        Class.FREE_TEXT, catalog.read(database, "public").tables["t"].columns["d"], Dialect("postgresql")
    )


def one(database: psycopg.Connection, query: str) -> Any:
    row = database.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("type_", ["json", "jsonb"])
def test_what_is_kept(database: psycopg.Connection, type_: str) -> None:
    made = document(PATHS, request(database, type_))
    for name, value in Keys().settings().items():
        database.execute("SELECT set_config(%s, %s, false)", [name, value])
    raw = f"{literal(json.dumps(DOCUMENT))}::{type_}"
    masked = one(database, f"SELECT {made.sql('d', 'NULL', 'NULL')} FROM (SELECT {raw} AS d) t")
    assert masked.keys() == {"theme", "mail", "first name", "to", "tags", "{raw}"}
    assert (masked["theme"], masked["tags"]) == ("dark", ["a", 1])
    assert masked["mail"].endswith("@staging.invalid")
    assert "Staging" in masked["first name"]
    assert [set(item) for item in masked["to"]] == [{"ip"}, set(), set()]
    for quick in (False, True):
        assert one(
            database,
            f"SELECT {made.condition('d', quick=quick)} FROM (SELECT {literal(json.dumps(masked))}::{type_} AS d) t",
        )


@pytest.mark.parametrize(
    "change",
    [
        {"mail": "jane@corp.com"}, {"mail": 7}, {"mail": {"a": 1}}, {"other": 1}, {"to": [{"ip": "81.2.69.160"}]}, {"to": {"ip": "x"}},
        {"to": [{"ip": "192.0.2.1", "more": 1}]}, {"gone": "x"}, {"first name": "Jane"},
    ],
)  # fmt: skip
def test_what_its_condition_does_not_let_pass(database: psycopg.Connection, change: dict[str, Any]) -> None:
    made = document(PATHS, request(database))
    masked = {"theme": "x", "mail": "user_0123456789abcdef0123@staging.invalid"}
    assert (
        one(database, f"SELECT {made.condition('d')} FROM (SELECT {literal(json.dumps(masked))}::jsonb AS d) t") is True
    )
    broken = f"(SELECT {literal(json.dumps({**masked, **change}))}::jsonb AS d) t"
    assert one(database, f"SELECT ({made.condition('d')}) IS TRUE FROM {broken}") is False


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"theme": "dark"}, []),
        ({"theme": {"name": "x"}}, ["$.theme.name"]),
        ({"tags": ["a", {"who": "x"}]}, ["$.tags[*].who"]),
        ({"tags": [["a"]]}, ["$.tags[*][*]"]),
        ({"first name": "x"}, []),
        ({"last name": "x"}, ['$."last name"']),
        ({"a.b": 1}, ['$."a.b"']),
        ({'q"x': 1}, [r'$."q\"x"']),
        ({"gone": {"any": {"thing": 1}}}, []),
        ({"550e8400-e29b": 1}, ['$."550e8400-e29b"']),
    ],
)
def test_what_is_not_classified(database: psycopg.Connection, found: dict[str, Any], said: list[str]) -> None:
    """A public path leads to a value or to a list of them; a key below it is as new as any other."""
    request(database)
    database.execute("INSERT INTO t VALUES (%s)", [json.dumps(found)])
    assert [path for (path,) in database.execute(unnamed(PATHS, "d", "public.t").encode())] == said


def test_keys_of_any_name_can_only_be_dropped(database: psycopg.Connection) -> None:
    one_asked = request(database)
    database.execute('INSERT INTO t VALUES (\'{"a": 1, "jane@corp.com": {"x": 1}}\')')
    paths = {"$.a": Class.PUBLIC, "$.*": Class.DROP}
    assert database.execute(unnamed(paths, "d", "public.t").encode()).fetchall() == []
    made = document(paths, one_asked)
    assert one(database, f"SELECT {made.sql('d', 'NULL', 'NULL')} FROM t") == {"a": 1}
    with pytest.raises(Unmaskable, match="it can only be 'drop'"):
        document({"$.*": Class.EMAIL}, one_asked)


def test_steps() -> None:
    assert list(steps('$.a."b c"[*].d')) == ["a", "b c", "[*]", "d"]
    assert list(steps(r'$."a\"b"')) == ['a"b']
