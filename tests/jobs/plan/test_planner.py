"""The contract against the living schema: what differs stops, named, with a line and a suggestion."""

from __future__ import annotations

import pytest

from config.errors import ConfigError
from config.model.contract import parse
from jobs.sanitize.preview import planned
from tests.jobs.postgres import Pair
from tests.jobs.shop import CONTRACT

pytestmark = pytest.mark.servers


def stopped(shop: Pair, contract: str = CONTRACT) -> str:
    with pytest.raises(ConfigError) as error, planned(shop.request(contract=parse(contract, "shop.data.yaml"))):
        pass
    return str(error.value)


def line_of(text: str) -> int:
    return CONTRACT[: CONTRACT.index(text)].count("\n") + 1


def test_what_it_says_of_a_contract_that_fits(shop: Pair) -> None:
    with planned(shop.request()) as (plan, _, _):
        assert list(plan.tables) == ["customers", "newsletter", "outbox", "orders"], "who is referred to comes first"
        assert (plan.tables["outbox"].before, plan.tables["outbox"].after) == (1, 0)
        assert plan.tables["customers"].form == "binary"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "ALTER TABLE orders ADD iban text",
            r"shop.data.yaml:\d+: databases.db.tables.orders.columns: the column 'iban' \(text\) is not classified\n    fix: add  iban: payment \(text\)  or",
        ),
        ("ALTER TABLE orders ADD delivery_phone text", "add  delivery_phone: phone \\(text\\)  or"),
        ('ALTER TABLE orders ADD "contact eMail" text', "add  'contact eMail': email \\(text\\)  or"),
        ("ALTER TABLE orders ADD quantity integer", "add  quantity: public \\(integer\\)  or"),
        ("ALTER TABLE orders ADD whatever text", "add  whatever: free text \\(text\\)  or"),
        ("ALTER TABLE orders DROP gift_note", "gift_note: the source has no such column any more\n    fix: remove it"),
        (
            "ALTER TABLE orders ALTER total TYPE double precision",
            "total: its type is double precision now, and was numeric",
        ),
        (
            "CREATE TABLE visits (id integer, ip inet)",
            "the table 'visits' is not classified\n    fix: add\n      visits:\n        columns:\n          id: public \\(integer\\)\n          ip: IP \\(inet\\)",
        ),
        ("DROP TABLE newsletter", "newsletter: the source has no such table"),
        (
            'UPDATE customers SET settings = settings || \'{"nick": {"name": "x"}}\' WHERE id = 1',
            r"the path \$.nick.name is not classified",
        ),
        (
            "INSERT INTO customers (id, email, username, password, created_at) VALUES (1073741824, 'a', 'b', 'c', now())",
            r"2\^30 - 1",
        ),
        ("CREATE TABLE child () INHERITS (newsletter)", "'child' is a table of the old inheritance"),
        (
            "CREATE SCHEMA other; CREATE TABLE other.t (id integer PRIMARY KEY); ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES other.t NOT VALID",
            "outside the schema",
        ),
        ("CREATE UNIQUE INDEX ON customers (born)", "fewer days than people"),
        ("CREATE UNIQUE INDEX ON customers (password, about)", None),
        ("ALTER TABLE customers ALTER username TYPE varchar(20)", "its type is character varying\\(20\\) now"),
    ],
)
def test_what_changed_stops(shop: Pair, statement: str, said: str | None) -> None:
    shop.source(statement)
    shop.source("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    if said is None:
        with planned(shop.request()) as (plan, _, _):
            mask = next(item.mask for item in plan.tables["customers"].fields if item.name == "password")
            assert mask is not None
            assert mask.proof == "unique", "a unique index looks at it, so it is no constant any more"
        return
    import re

    assert re.search(said, stopped(shop)), stopped(shop)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "          customer: identifier (integer)",
            "          customer: public (integer)",
            "refers to customers.id, which is 'identifier': both must become the same",
        ),
        (
            "          born: birth date (date)",
            "          born: email (date)",
            "class 'email' cannot mask the type date; classes that can: public, drop, birth date",
        ),
        (
            "      newsletter: {columns",
            "      newsletter: {identity: opened, columns",
            "'opened' is not unique, or may be NULL",
        ),
        (
            "          about: free text (text)",
            "          about: {class: username, type: text, form: 'staging_{tags}'}",
            "'tags', which is not unique",
        ),
        (
            "      newsletter: {columns",
            "      newsletter: {detach: [opened], columns",
            "'opened' is no reference that may be NULL",
        ),
        (
            "[canary.customer@understudy-canary.com]",
            "[canary.nobody@understudy-canary.com]",
            "'canary.nobody@understudy-canary.com' is not in production",
        ),
        (
            "          email: email (text)\n          username",
            "          email: {class: email, type: text, value: same@example.com}\n          username",
            "its rows cannot all have one value",
        ),
    ],
)
def test_a_contract_that_does_not_fit(shop: Pair, old: str, new: str, said: str) -> None:
    assert old in CONTRACT
    assert said in stopped(shop, CONTRACT.replace(old, new, 1))


def test_every_mistake_at_once_each_with_its_line(shop: Pair) -> None:
    shop.source(
        "ALTER TABLE orders ADD iban text; ALTER TABLE orders DROP gift_note; ALTER TABLE customers ADD fax text"
    )
    said = stopped(shop)
    assert said.count("fix:") == 3
    assert f"shop.data.yaml:{line_of('gift_note')}" in said


def test_a_new_partition_stops(shop: Pair) -> None:
    shop.source(
        "CREATE TABLE clicks (at date) PARTITION BY RANGE (at); CREATE TABLE clicks_1 PARTITION OF clicks DEFAULT"
    )
    more = "      clicks: {partitions: [old_*], columns: {at: public (date)}}\n"
    assert "the partition 'clicks_1' is new" in stopped(shop, CONTRACT + more)


def test_a_public_column_that_looks_personal_is_a_warning(shop: Pair) -> None:
    shop.source("ALTER TABLE orders ADD contact_email text; GRANT SELECT ON orders TO reader")
    contract = CONTRACT.replace("          gift_note:", "          contact_email: public (text)\n          gift_note:")
    with planned(shop.request(contract=parse(contract, "shop.data.yaml"))) as (plan, _, _):
        assert plan.warnings == ("orders.contact_email is declared public, and looks like 'email'",)


def test_planning_writes_nothing(shop: Pair) -> None:
    with planned(shop.request()):
        pass
    assert shop.target("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'understudy%'") == [("understudy",)]
