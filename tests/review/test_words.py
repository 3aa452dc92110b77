"""What explains that two texts differ."""

from __future__ import annotations

import time

import pytest

from review.words import Entry, explained


def entries(*pairs: tuple[str, str], rule: str = "identity") -> list[Entry]:
    return [Entry(f"environment.{n}", old, new, rule, because="each has its own") for n, (old, new) in enumerate(pairs)]


NAMES = entries(("production", "staging"), ("parcels-prod", "parcels-staging"), ("a.example", "staging.a.example"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("parcels-production", "parcels-staging"),
        ("db.parcels-prod.svc", "db.parcels-staging.svc"),
        ("https://api.a.example/production", "https://api.staging.a.example/staging"),
        ("the database of production, of parcels-prod", "the database of staging, of parcels-staging"),
        ("production_production", "staging_staging"),
    ],
)
def test_names_inside_words_are_explained(old: str, new: str) -> None:
    assert explained(old, new, NAMES)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("reproduction", "restaging"),
        ("productions", "stagings"),
        ("production-1", "staging-2"),
        ("db.production", "db.other"),
        ("parcels-production", "parcels-staging-staging"),
    ],
)
def test_a_part_of_a_word_or_another_name_is_not(old: str, new: str) -> None:
    assert not explained(old, new, NAMES)


def test_what_one_name_put_in_is_not_replaced_by_another() -> None:
    pairs = entries(("production", "parcels-staging"), ("parcels", "orders"))
    assert explained("db.production.svc", "db.parcels-staging.svc", pairs)
    assert not explained("db.production.svc", "db.orders-staging.svc", pairs)


def test_a_declared_value_of_several_words_is_one() -> None:
    changed = entries(("we are open", "closed for the night, come back later"), rule="changed")
    assert explained("say: we are open!", "say: closed for the night, come back later!", changed)
    assert not explained("say: we are open!", "say: closed!", changed)


def test_a_long_word_takes_no_time() -> None:
    start = time.process_time()
    assert explained("production-" * 50_000 + "x", "staging-" * 50_000 + "x", NAMES)
    assert not explained("production-" * 50_000 + "x", "staging-" * 50_000 + "y", NAMES)
    assert time.process_time() - start < 5
