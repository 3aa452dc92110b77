"""Every mask, detector and kind of column is broken in turn; every leak must stop the refresh, and staging stays as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from config.errors import ExternalError
from config.model.contract import Class
from jobs.sanitize import refresh as module
from jobs.sanitize.connection import connect
from jobs.sanitize.dialect import Keys
from jobs.sanitize.errors import Leak
from jobs.sanitize.masks import documents, expressions
from jobs.sanitize.plan import planner as plan
from jobs.sanitize.plan.model import CopiedTable
from jobs.sanitize.proof.detectors import DETECTORS
from jobs.sanitize.proof.fingerprints import comparisons
from jobs.sanitize.refresh import refresh
from tests.jobs.postgres import Pair, Postgres
from tests.jobs.proof.test_detectors import KNOWN
from tests.jobs.shop import CONTRACT, ROWS, SCHEMA

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def shop(production: Postgres, staging: Postgres) -> Iterator[Pair]:
    pair = Pair(production, staging, CONTRACT, SCHEMA, ROWS)
    refresh(pair.request())
    yield pair
    pair.drop()


MASKED = {
    "customers": [
        "id",
        "email",
        "username",
        "full_name",
        "phone",
        "address",
        "born",
        "last_ip",
        "password",
        "about",
        "avatar",
    ],
    "newsletter": ["email"],
    "orders": ["gift_note"],
}


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in MASKED.items() for column in columns]
)
def test_a_mask_that_masks_nothing_is_found(
    shop: Pair, monkeypatch: pytest.MonkeyPatch, table: str, column: str
) -> None:
    real = plan._copied

    def broken(*given: object) -> CopiedTable:
        copied = real(*given)  # type: ignore[arg-type]
        if copied.name != table:
            return copied
        fields = [
            replace(item, mask=replace(item.mask, expression="{raw}")) if item.name == column and item.mask else item
            for item in copied.fields
        ]
        return replace(copied, fields=tuple(fields))

    monkeypatch.setattr(plan, "_copied", broken)
    before = shop.target("SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM customers t")
    with pytest.raises(ExternalError, match=rf"{table}\.{column}|customers_referrer_fkey") as leak:
        refresh(shop.request())
    assert "mail.com" not in str(leak.value)
    assert shop.target("SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM customers t") == before
    assert shop.target("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'understudy_%'") == [(0,)]


@pytest.mark.parametrize("column", ["email", "username", "full_name", "phone", "address", "about", "password"])
def test_a_single_raw_row_is_found(shop: Pair, column: str) -> None:
    raw = shop.source(f"SELECT {column} FROM customers WHERE id = 7")[0][0]
    override = f"UPDATE customers SET {column} = '{raw}' WHERE ctid = (SELECT max(ctid) FROM customers)"
    with pytest.raises(Leak, match=rf"customers\.{column}"):
        refresh(shop.request(overrides=override))


def test_a_mask_whose_form_admits_everything_is_found_by_fingerprint(
    shop: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wide form is not believed: production's values have it too."""
    real = expressions._marked

    def wide(prefix: str, suffix: str = "") -> expressions.Maker:
        return lambda request: replace(
            real(prefix, suffix)(request), expression="{raw}", holds="true", quick="true", wide="true"
        )

    monkeypatch.setitem(
        expressions._MAKERS, (Class.EMAIL, "text"), lambda request: wide("user_", f"@{request.domain}")(request)
    )
    with pytest.raises(Leak, match=r"customers\.email: no value is one of production's: 300 rows"):
        refresh(shop.request())


def test_what_only_the_quick_form_admits_is_compared_too(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """``decode`` takes capital digits, the regular expression does not: such a value of production's is fingerprinted all the same."""
    real = expressions._email
    kept = "CASE WHEN {raw} LIKE 'user_ABCD%' THEN {raw} ELSE "

    def leaking(request: expressions.MaskRequest) -> expressions.Mask:
        made = real(request)
        return replace(made, expression=f"{kept}{made.expression} END") if request.column.name == "email" else made

    monkeypatch.setitem(expressions._MAKERS, (Class.EMAIL, "text"), leaking)
    shop.source("INSERT INTO newsletter VALUES ('user_ABCDEF0123456789ABCD@staging.invalid')")
    try:
        with pytest.raises(Leak, match=r"newsletter\.email: no value is one of production's: 1 rows"):
            refresh(shop.request())
    finally:
        shop.source("DELETE FROM newsletter WHERE email LIKE 'user_ABCD%'")


def test_a_low_cardinality_mask_that_is_the_identity_is_found(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its form, and by row where production's own value is of that form: whoever was born on the first of a month."""
    real = expressions._birth
    monkeypatch.setitem(
        expressions._MAKERS, (Class.BIRTH_DATE, "date"), lambda request: replace(real(request), expression="{raw}")
    )
    ((firsts,),) = shop.source("SELECT count(*) FROM customers WHERE date_part('day', born) = 1")
    assert firsts
    with pytest.raises(Leak) as leak:
        refresh(shop.request())
    assert f"customers.born: of the mask's form: {300 - firsts} rows" in str(leak.value)
    assert f"customers.born: no row has its own value: {firsts} rows" in str(leak.value)


@pytest.mark.parametrize("every", [False, True])
def test_fingerprints_are_of_values_that_have_the_masks_form_or_of_all(shop: Pair, *, every: bool) -> None:
    brought = {}
    request = shop.request(fingerprints=every)
    try:
        with connect(request.target, "target") as target:
            made, _ = module._copy(request, target, Keys(), module._Phases(lambda *_: None))
            for number, (name, table) in enumerate(made.tables.items()):
                for n, item in enumerate(comparisons(table) if table.rules.rows != "none" else ()):
                    ((brought[name, item.field.name],),) = shop.target(
                        f"SELECT count(f{n}) FROM understudy_work_public.f{number}"
                    )
    finally:
        module._tidy(request)
    ((firsts,),) = shop.source("SELECT count(*) FROM customers WHERE date_part('day', born) = 1")
    assert brought["customers", "born"] == (300 if every else firsts)
    assert brought["customers", "email"] == (300 if every else 0)


def test_a_document_that_keeps_a_masked_path_is_found(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_leaf", lambda cls, value, request: value)
    with pytest.raises(Leak, match=r"customers\.settings: of the mask's form: 300 rows"):
        refresh(shop.request())


FOUND = {name: values[0] for name, values in KNOWN.items()}
PLACES = {
    "text": "UPDATE orders SET state = state || ' ' || {value} WHERE id = (SELECT max(id) FROM orders)",
    "array": "UPDATE customers SET tags = tags || ARRAY[{value}] WHERE id = (SELECT max(id) FROM customers)",
    "JSON": "UPDATE customers SET settings = settings || jsonb_build_object('theme', {value}) WHERE id = (SELECT max(id) FROM customers)",
}


def test_every_detector_has_a_case() -> None:
    assert FOUND.keys() == {detector.name for detector in DETECTORS}


@pytest.mark.parametrize("name", FOUND)
def test_what_a_detector_knows_is_found_in_every_kind_of_column(shop: Pair, name: str) -> None:
    value = "'" + FOUND[name].replace("'", "''") + "'"
    for place in PLACES.values():
        with pytest.raises(Leak, match=rf"no {name}: 1 rows"):
            refresh(shop.request(overrides=place.format(value=value)))


def test_rows_are_counted_where_each_value_is_looked_at_once(shop: Pair) -> None:
    override = (
        "UPDATE orders SET state = 'write to ada@gmail.com' WHERE id IN (SELECT id FROM orders ORDER BY id LIMIT 3)"
    )
    with pytest.raises(Leak, match=r"orders\.state: no email: 3 rows"):
        refresh(shop.request(overrides=override))


@pytest.mark.parametrize("name", FOUND)
def test_without_its_detector_nothing_else_finds_it(shop: Pair, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each detector is needed: with a dead pattern the planted value goes through, so the test above tests that detector."""
    from jobs.sanitize.proof import prover as proof

    dead = tuple(replace(detector, pattern="(?=a)b") if detector.name == name else detector for detector in DETECTORS)
    monkeypatch.setattr(proof, "DETECTORS", dead)
    override = PLACES["text"].format(value="'" + FOUND[name] + "'")
    found: set[str] = set()
    try:
        refresh(shop.request(overrides=override))
    except Leak as leak:
        found = {line.split(": ")[1] for line in str(leak).splitlines()[1:]}
    assert f"no {name}" not in found


def test_harmless_values_are_let_through(shop: Pair) -> None:
    for value in (
        "tester@example.com",
        "+1 202 555 0143",
        "203.0.113.9",
        "10.0.0.1",
        "1234 5678 9012 3456",
        "AB12CDEFGHIJKLM",
        "v1.2.3",
    ):
        refresh(shop.request(overrides=PLACES["text"].format(value=f"' {value}'")))


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "UPDATE newsletter SET email = 'canary.customer@understudy-canary.com' WHERE ctid = '(0,1)'",
            "newsletter.*no canary: 1 rows",
        ),
        ("SELECT lo_from_bytea(0, 'mail to ada@gmail.com')", "pg_largeobject.*no personal data: 1 rows"),
    ],
)
def test_other_places(shop: Pair, override: str, said: str) -> None:
    with pytest.raises(Leak, match=said):
        refresh(shop.request(overrides=override))
    shop.target("SELECT lo_unlink(oid) FROM pg_largeobject_metadata")


def test_lost_rows_are_found(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs.sanitize import refresh as module

    real = module._copies
    monkeypatch.setattr(
        module, "_copies", lambda made: [item for item in real(made) if '"newsletter"' not in item.target]
    )
    with pytest.raises(Leak, match=r"newsletter\.\*: rows as planned: 301 rows"):
        refresh(shop.request())


def test_a_reference_that_is_not_there_is_found(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs.sanitize.copy import shadow

    real = shadow.refer

    def without(connection: object, made: object, definitions: object) -> None:
        definitions.references = [text for text in definitions.references if "FOREIGN KEY" not in text]  # type: ignore[attr-defined]
        real(connection, made, definitions)  # type: ignore[arg-type]

    monkeypatch.setattr(shadow, "refer", without)
    with pytest.raises(Leak, match=r"orders\.customer: references are there"):
        refresh(shop.request())


def test_a_column_that_nobody_looked_at_is_found(shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs.sanitize.proof.prover import Proof

    monkeypatch.setattr(Proof, "_look", lambda self, target, table: None)
    with pytest.raises(Leak, match="looked at"):
        refresh(shop.request())


def test_a_password_of_another_server_is_found(shop: Pair) -> None:
    shop.target(
        "CREATE EXTENSION IF NOT EXISTS postgres_fdw SCHEMA pg_catalog; CREATE SERVER prod FOREIGN DATA WRAPPER postgres_fdw"
    )
    shop.target("CREATE USER MAPPING FOR sanitizer SERVER prod OPTIONS (user 'app', password 'production')")
    try:
        shop.target("GRANT USAGE ON FOREIGN SERVER prod TO sanitizer")
        with pytest.raises(Leak, match="no password of another server") as leak:
            refresh(shop.request())
        assert "production'" not in str(leak.value).replace("production's", "")
    finally:
        shop.target("DROP SERVER prod CASCADE; DROP EXTENSION postgres_fdw")
