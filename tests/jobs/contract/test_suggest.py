"""Suggestions: never public for want of a name, and to be pasted as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from config.model.contract import Class, parse
from jobs.sanitize.catalog import Category, Column
from jobs.sanitize.contract.suggest import key, line, suggest

TEXT = Column(
    name="x", type="text", base="text", category="text", array=False, length=None, not_null=False, default=None, identity="",
    generated=False, collation=None, portable=True,
)  # fmt: skip


def column(name: str, category: Category = "integer", type_: str = "bigint") -> Column:
    return replace(TEXT, name=name, category=category, type=type_, base="int8" if category == "integer" else category)


@pytest.mark.parametrize(
    "name",
    [
        "ssn",
        "salary",
        "hiv_status",
        "taxId",
        "passport_number",
        "weight",
        "age",
        "net_worth",
        "religion",
        "gender",
        "credit_limit",
        "unknown_thing",
        "num",
    ],
)
def test_numbers_of_a_person_are_not_public(name: str) -> None:
    assert suggest(column(name)) is Class.DROP


@pytest.mark.parametrize("name", ["id", "user_id", "quantity", "total", "version", "retry_count", "position"])
def test_numbers_of_nobody_are(name: str) -> None:
    assert suggest(column(name)) is Class.PUBLIC


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("email", Class.EMAIL),
        ("lastIP", Class.IP),
        ("ip", Class.IP),
        ("whatever", Class.FREE_TEXT),
        ("apiKey", Class.CREDENTIAL),
    ],
)
def test_texts(name: str, cls: Class) -> None:
    assert suggest(replace(TEXT, name=name)) is cls


def test_what_would_not_fit_is_not_suggested() -> None:
    assert suggest(replace(TEXT, name="email", length=5)) is not Class.EMAIL


@pytest.mark.parametrize(
    "name", ["yes", "no", "on", "null", "Größe", "a b", "it's", 'say "x"', "a: b", "#x", "1", "- x", "{x}"]
)
def test_a_suggestion_can_be_pasted(name: str) -> None:
    written = line(replace(TEXT, name=name, type='"Mood"[]', category="enum"))
    assert yaml.safe_load(written) == {name: 'public ("Mood"[])'}
    base = "system: s\ndatabases:\n  db:\n    engine: postgresql\n    production: {hosts: [p]}\n    tables:\n      "
    contract = parse(f"{base}{key(name)}:\n        columns:\n          {written}\n", "x")
    assert contract.databases["db"].tables[name].columns[name].type == '"Mood"[]'
