"""Coarser values: moved and cut times, steps of numbers, rare values, lengths; and what cannot be made coarser."""

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
CREATE TABLE t (id integer PRIMARY KEY, name text, at timestamptz, day date, n integer, city text, note text, exact numeric NOT NULL);
INSERT INTO t SELECT n, 'x', timestamptz '2026-01-01' + n * interval '1 hour', date '2026-01-01' + n, n, CASE WHEN n = 7 THEN 'Hamlet' ELSE 'Metropolis' END,
  repeat('x', n), n FROM generate_series(1, 200) n
"""
CONTRACT = """
system: coarse
databases:
  db:
    engine: postgresql
    source: primary
    production: {hosts: [production]}
    tables:
      t:
        columns:
          id: public (integer)
          name: person name (text)
          at: {class: public, type: timestamp with time zone, jitter: 3h}
          day: {class: public, type: date, bucket: 30d}
          n: {class: public, type: integer, bucket: 50}
          city: {class: public, type: text, k: 5}
          note: {class: free text, type: text, bucket: 100}
          exact: public (numeric)
"""


@pytest.fixture(scope="module")
def pair(production: Postgres, staging: Postgres) -> Iterator[Pair]:
    made = Pair(production, staging, CONTRACT, SCHEMA)
    yield made
    made.drop()


def test_values_are_coarser(pair: Pair) -> None:
    receipt = refresh(pair.request())
    moved = "SELECT max(abs(extract(epoch FROM at - (timestamptz '2026-01-01' + id * interval '1 hour')))) FROM t"
    assert 1000 < pair.target(moved)[0][0] <= 3 * 3600
    assert pair.target("SELECT count(DISTINCT day) FROM t")[0][0] in (7, 8)
    assert pair.target("SELECT DISTINCT n FROM t ORDER BY 1") == [(0,), (50,), (100,), (150,), (200,)]
    assert pair.target("SELECT city, count(*) FROM t GROUP BY 1 ORDER BY 1") == [("Metropolis", 199), (None, 1)]
    assert pair.target("SELECT count(DISTINCT length(note)) FROM t") == [(2,)]
    assert any("exact" in text and "'k'" in text for text in receipt["doesNotProve"])
    assert not any("times stay" in text for text in receipt["doesNotProve"])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("exact: public (numeric)", "exact: {class: public, type: numeric, k: 5}", "may not be NULL"),
        (
            "exact: public (numeric)",
            "exact: {class: public, type: numeric, jitter: 3d}",
            "only dates and times have a jitter",
        ),
        (
            "id: public (integer)",
            "id: {class: public, type: integer, bucket: 5}",
            "a unique index looks at this column",
        ),
        ("bucket: 30d", "bucket: 30", "a bucket of times is a duration"),
    ],
)
def test_what_cannot_be(pair: Pair, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said), planned(pair.request(contract=parse(CONTRACT.replace(old, new), "x"))):
        pass


def test_only_public_values_are(pair: Pair) -> None:
    with pytest.raises(ConfigError, match="only a public column is made coarser"):
        parse(CONTRACT.replace("name: person name (text)", "name: {class: person name, type: text, k: 5}"), "x")
