"""Data contracts: what is written, and what is answered to mistakes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from config.errors import ConfigError
from config.loader import shipped
from config.model.contract import RESERVED, Class, contracts, load, parse
from review.graph import ROOT

BASE = """system: shop
databases:
  db:
    engine: postgresql
    production: {hosts: [production]}
    tables:
      users:
        columns:
          id: identifier (integer)
          email: email (character varying(255))
"""


def test_the_short_form_is_a_class_and_a_type() -> None:
    columns = parse(BASE, "x").databases["db"].tables["users"].columns
    assert (columns["email"].cls, columns["email"].type) == (Class.EMAIL, "character varying(255)")


def test_contracts_stand_beside_systems_and_are_none() -> None:
    assert {path.name for path in contracts()}.isdisjoint(path.name for path in shipped())
    for path in contracts():
        assert load(str(path)).system == path.name.split(".")[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("email (character varying(255))", "e-mail (text)", "x:10: databases.db.tables.users.columns.email"),
        ("email (character varying(255))", "email", "write '<class> (<type>)', such as 'email (text)'"),
        ("email (character varying(255))", "{class: mail, type: text}", "found 'mail', expected 'public'"),
        ("email (character varying(255))", "{class: email, type: text, form: '{id}@gmail.com'}", "ends in a domain that cannot be registered"),
        ("email (character varying(255))", "{class: email, type: text, form: 'all@example.com'}", "a part that differs from row to row"),
        ("email (character varying(255))", "{class: username, type: text, form: 'user_{id}'}", "its form has 'staging' in it"),
        ("email (character varying(255))", "{class: email, type: text, form: '{name}@example.com'}", "'name', which is not among the columns"),
        ("email (character varying(255))", "{class: phone, type: text, form: 'x{id}'}", "only an email or a username has a form"),
        ("email (character varying(255))", "{class: email, type: jsonb, paths: {$.a: email}}", "of class 'free text'"),
        ("email (character varying(255))", "{class: free text, type: jsonb, paths: {a.b: email}}", "does not match"),
        ("email (character varying(255))", "{class: email, type: text, unchecked: {email: because I say so}}", "only a public column may go unchecked"),
        ("email (character varying(255))", "{class: email, type: text, mask: x}", "unknown key"),
        ("      users:\n", "      users:\n        rows: {limit: 10, newest: created}\n", "newest names the column 'created'"),
        ("      users:\n", "      users:\n        rows: {window: 30d, on: at}\n", "on names the column 'at'"),
        ("      users:\n", "      users:\n        rows: some\n", "rows"),
        ("      users:\n", "      users:\n        identity: name\n", "identity names the column 'name'"),
        ("    production:", "    domain: gmail.com\n    production:", "'gmail.com' could belong to a person"),
        ("engine: postgresql", "engine: oracle", "found 'oracle', expected 'postgresql'"),
        ("engine: postgresql", "engine: cockroachdb\n    source: snapshot", "CockroachDB has no snapshot to restore"),
        ("    production: {hosts: [production]}\n", "", "missing\n    fix: add 'production:'"),
        ("    production:", "    canaries: [short]\n    production:", "at least 8"),
    ],
)  # fmt: skip
def test_mistakes(old: str, new: str, said: str) -> None:
    assert old in BASE
    with pytest.raises(ConfigError) as error:
        parse(BASE.replace(old, new, 1), "x")
    assert said in str(error.value), str(error.value)


@pytest.mark.parametrize(
    "domain", ["example.com", "a.example.org", "staging.invalid", "staging.local", "mail.test", "test"]
)
def test_domains_that_nobody_owns(domain: str) -> None:
    assert RESERVED.fullmatch(domain)


@pytest.mark.parametrize("domain", ["gmail.com", "example.com.evil.org", "myexample.com", "invalid.com", "staging.dev"])
def test_domains_that_somebody_may_own(domain: str) -> None:
    assert not RESERVED.fullmatch(domain)


def test_check_knows_contracts() -> None:
    command = [sys.executable, "-m", "cli", "check"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    for path in contracts():
        assert f"{path.name}: " in found.stdout
    assert "stories.data.yaml: 5 tables, 36 columns" in found.stdout
