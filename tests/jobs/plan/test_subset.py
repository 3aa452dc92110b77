"""Subsets along references: no dangling row, whatever the references are; property-tested against a plain computation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.errors import ConfigError
from config.model.contract import parse
from jobs.sanitize.refresh import refresh
from tests.jobs.postgres import Pair, Postgres

pytestmark = pytest.mark.servers

SCHEMA = """
CREATE TABLE people (id integer PRIMARY KEY, boss integer REFERENCES people, joined date NOT NULL);
CREATE TABLE teams (a integer, b integer, lead integer REFERENCES people, PRIMARY KEY (a, b));
CREATE TABLE tasks (id integer PRIMARY KEY, a integer, b integer, owner integer NOT NULL REFERENCES people,
  FOREIGN KEY (a, b) REFERENCES teams);
CREATE TABLE left_ (id integer PRIMARY KEY, other integer);
CREATE TABLE right_ (id integer PRIMARY KEY, other integer REFERENCES left_, task integer REFERENCES tasks);
ALTER TABLE left_ ADD FOREIGN KEY (other) REFERENCES right_;
"""
CONTRACT = """
system: subset
databases:
  db:
    engine: postgresql
    source: primary
    production: {hosts: [production]}
    tables:
      people: {rows: %(people)s, detach: %(detach)s, columns: {id: public (integer), boss: public (integer), joined: public (date)}}
      teams: {rows: %(teams)s, columns: {a: public (integer), b: public (integer), lead: public (integer)}}
      tasks: {columns: {id: public (integer), a: public (integer), b: public (integer), owner: public (integer)}}
      left_: {columns: {id: public (integer), other: public (integer)}}
      right_: {rows: %(right)s, columns: {id: public (integer), other: public (integer), task: public (integer)}}
"""
TABLES = {"people": 12, "teams": 6, "tasks": 12, "left_": 8, "right_": 8}


def reference(limit: int) -> st.SearchStrategy[int | None]:
    return st.one_of(st.none(), st.integers(0, limit - 1))


ROWS = st.fixed_dictionaries({
    "people": st.lists(reference(12), min_size=12, max_size=12),
    "teams": st.lists(reference(12), min_size=6, max_size=6),
    "tasks": st.lists(st.tuples(reference(6), st.integers(0, 11)), min_size=12, max_size=12),
    "left_": st.lists(reference(8), min_size=8, max_size=8),
    "right_": st.lists(st.tuples(reference(8), reference(12)), min_size=8, max_size=8),
})  # fmt: skip
RULES = st.fixed_dictionaries({
    "people": st.sampled_from(["all", "none", 0, 1, 5, 11]),
    "detach": st.booleans(),
    "teams": st.sampled_from(["all", "none", 2]),
    "right": st.sampled_from(["all", "all", 3]),
})  # fmt: skip


def expected(rows: dict[str, Any], rules: dict[str, Any]) -> dict[str, set[int]]:
    """Rows are taken away until nothing leads nowhere."""

    def first(rule: Any, count: int) -> set[int]:
        return set(range(count)) if rule == "all" else set() if rule == "none" else set(range(count - rule, count))

    kept = {
        "people": first(rules["people"], 12),
        "teams": first(rules["teams"], 6),
        "tasks": set(range(12)),
        "left_": set(range(8)),
        "right_": first(rules["right"], 8),
    }
    while True:
        before = {name: set(ids) for name, ids in kept.items()}
        if not rules["detach"]:
            kept["people"] = {
                i for i in kept["people"] if rows["people"][i] is None or rows["people"][i] in kept["people"]
            }
        kept["teams"] = {i for i in kept["teams"] if rows["teams"][i] is None or rows["teams"][i] in kept["people"]}
        kept["tasks"] = {
            i for i in kept["tasks"]
            if (rows["tasks"][i][0] is None or rows["tasks"][i][0] in kept["teams"]) and rows["tasks"][i][1] in kept["people"]
        }  # fmt: skip
        kept["left_"] = {i for i in kept["left_"] if rows["left_"][i] is None or rows["left_"][i] in kept["right_"]}
        kept["right_"] = {
            i for i in kept["right_"]
            if (rows["right_"][i][0] is None or rows["right_"][i][0] in kept["left_"])
            and (rows["right_"][i][1] is None or rows["right_"][i][1] in kept["tasks"])
        }  # fmt: skip
        if kept == before:
            return kept


def written(value: int | None) -> str:
    return "NULL" if value is None else str(value)


def fill(pair: Pair, rows: dict[str, Any]) -> None:
    pair.source("SET session_replication_role = replica; TRUNCATE people, teams, tasks, left_, right_;" + "".join(
        [f"INSERT INTO people VALUES ({i}, {written(b)}, date '2026-01-01' + {i});" for i, b in enumerate(rows["people"])]
        + [f"INSERT INTO teams VALUES ({i}, {-i}, {written(b)});" for i, b in enumerate(rows["teams"])]
        + [f"INSERT INTO tasks VALUES ({i}, {written(t)}, {'NULL' if t is None else -t}, {o});" for i, (t, o) in enumerate(rows["tasks"])]
        + [f"INSERT INTO left_ VALUES ({i}, {written(b)});" for i, b in enumerate(rows["left_"])]
        + [f"INSERT INTO right_ VALUES ({i}, {written(o)}, {written(t)});" for i, (o, t) in enumerate(rows["right_"])]
    ))  # fmt: skip


def rule(value: Any, column: str) -> str:
    return value if isinstance(value, str) else f"{{limit: {value}, newest: {column}}}"


def test_no_row_dangles_and_none_is_missing(production: Postgres, staging: Postgres) -> None:
    """References to itself, composite keys, a cycle of two tables, limits anywhere: as the plain computation has it."""
    base = {"people": "all", "detach": "[]", "teams": "all", "right": "all"}
    pair = Pair(production, staging, CONTRACT % base, SCHEMA)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(ROWS, RULES)
    def holds(rows: dict[str, Any], rules: dict[str, Any]) -> None:
        fill(pair, rows)
        text = CONTRACT % {
            "people": rule(rules["people"], "joined"),
            "detach": "[boss]" if rules["detach"] else "[]",
            "teams": rule(rules["teams"], "a"),
            "right": rule(rules["right"], "id"),
        }
        wanted = expected(rows, rules)
        request = pair.request(contract=parse(text, "subset.data.yaml"))
        limited = not isinstance(rules["people"], str) and rules["people"] > 0 and not rules["detach"]
        if not any(wanted.values()) or (limited and not wanted["people"]):
            with pytest.raises(ConfigError, match=r"staging would be empty|none of its 12 rows is copied"):
                refresh(request)
            return
        receipt = refresh(request)
        key = {"teams": "a"}
        for name in TABLES:
            assert {i for (i,) in pair.target(f"SELECT {key.get(name, 'id')} FROM {name}")} == wanted[name], name
            assert receipt["tables"][name]["after"] == len(wanted[name])
        bosses = pair.target("SELECT id, boss FROM people")
        for person, boss in bosses:
            assert boss == (rows["people"][person] if rows["people"][person] in wanted["people"] else None)

    holds()
    pair.drop()


def test_a_window_counts_back_from_the_snapshot(production: Postgres, staging: Postgres) -> None:
    from datetime import UTC, datetime

    base = {"people": "{window: 7d, on: joined}", "detach": "[]", "teams": "all", "right": "all"}
    pair = Pair(production, staging, CONTRACT % base, SCHEMA)
    pair.source("INSERT INTO people SELECT n, NULL, date '2026-01-01' + n FROM generate_series(0, 30) n")
    refresh(pair.request(as_of=datetime(2026, 1, 20, tzinfo=UTC)))
    assert pair.target("SELECT min(joined)::text, count(*) FROM people") == [("2026-01-13", 19)]
    pair.drop()
