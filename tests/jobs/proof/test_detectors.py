"""One table of what detectors know and of what they leave alone, after the published formats."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from jobs.sanitize.dialect import literal
from jobs.sanitize.proof.detectors import DETECTORS, OF_DEFINITIONS, PREFILTER, number
from tests.jobs.postgres import Postgres

pytestmark = pytest.mark.servers
KNOWN: dict[str, list[str]] = {
    "email": [
        "jane@corp.com", "JANE@CORP.COM", "john@test.com", "jane.roe@example.co.uk", "ann@invalid.bigbank.com", "a@localhost.com",
        "ann@mail.test.bigbank.com", "/reset?email=john%40corp.com", "john&#64;corp.com", "josé@exämple-firma.de", "o'brien@corp.ie",
        '"john smith"@corp.com', "用户@例子.公司", r'{"a": "jane\u0040corp.com"}', "<a@b.co>", "x@sub.invalid.io", "jo@xn--bcher-kva.xn--p1ai",
    ],
    "phone": [
        "+4915112345678", "415-555-2671", "(415) 555-2671", "4155552671", "07700 900123", "0151 23456789", "06 12 34 56 78",
        "+49/151/2345678", "0049 151 2345678", "(02) 9876 5432", "(11) 91234-5678", "98765 43210", "+1.415.555.2671 x99",
        "tel:+49-89-636-48018", "+44 (0)20 7946 0123", "030 123456-78",
    ],
    "IP": [
        "81.2.69.160", "2a02:8071:b5c3:4a00::1", "2a02:8071::1", "81.2.69.160:443", "john@[81.2.69.160]", "[2a02:8071::1]:80",
        "2a02::1", "2003:0:1:2:3:4:5:6", "2a02:8071::/32",
    ],
    "card": [
        "4111111111111111", "4111 1111 1111 1111", "4111.1111.1111.1111", "3782 822463 10005", "378282246310005", "4111_1111_1111_1111",
        '{"pan":4111111111111111}', "5555555555554444", "6011111111111117", "30569309025904", "3530111333300000", "2223003122003222",
        "4111111111111112,4242424242424242",
    ],
    "IBAN": [
        "DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "AT611904300234573201 EUR", "de89370400440532013000",
        "BE68 5390 0754 7034 PAID", "iban:GB82WEST12345698765432.", "NO9386011117947",
    ],
    "social security number": ["078-05-1120", "078 05 1120"],
    "national identity number": ["AB123456C", "123.456.789-09"],
    "JSON Web Token": [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
        "eyJhbGciOiJSU0EtT0FFUCJ9.OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZKTyKOMTYUmKoTCVJRgckCL9kiMT03JGe.48V1_ALb6US04U3b",
    ],
    "AWS access key": ["AKIAIOSFODNN7EXAMPLE"],
    "private key": [
        "-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN PGP PRIVATE KEY BLOCK-----", "-----BEGIN OPENSSH PRIVATE KEY-----",
        "PuTTY-User-Key-File-3: ssh-ed25519",
    ],
    "password hash": [
        "$2b$12$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzABCDE", "$argon2id$v=19$m=65536$abc", "{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
        "SCRAM-SHA-256$4096:abc$def:ghi", "pbkdf2_sha256$260000$abc$def", "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", "$y$j9T$abc$def",
        "md55f4dcc3b5aa765d61d8327deb882cf99", "$6$rounds=5000$abc$def", "$P$B" + "a" * 30,
    ],
    "token": [
        "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX", "xoxb-" + "123456789012-abcdefABCDEF",
        "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz", "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789", "glpat-" + "abcdefghijklmnopqrst",
        "sk-proj-" + "abcdefghijklmnopqrstuvwxyz", "sk-ant-api03-" + "abcdefghijklmnopqrstuvwxyz", "SG." + "abcdefghijklmnopqrstuv." + "abcdefghij" * 4,
        "SK" + "0123456789abcdef" * 2, "npm_" + "abcdefghijklmnopqrstuvwxyz0123456789", "sk_live_" + "abcdefghijklmnopqrstuvwx",
        "whsec_" + "abcdefghijklmnopqrstuvwxyz012345", "AIza" + "SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY", "Basic am9objpzZWNyZXQ=",
        "Bearer 0123456789abcdef0123456789abcdef",
    ],
    "address with a password": ["postgres://app:secret@db/prod", "redis://:secretpw@db:6379"],
    "connection string": ["host=prod user=app password=hunter2", "Server=db;Database=x;User Id=sa;Password=abc;"],
}  # fmt: skip
HARMLESS = [
    "ann@example.com", "user_0123456789abcdef0123@staging.invalid", "x@staging.local", "a@b.test", "x@sub.example.org", "+12025550142",
    "202-555-0142", "+99912345678901234567890123", "2024-01-01 10:00:00", "01.02.2024 10:30", "2024-01-01T10:00:00.123456+00:00",
    "192.168.1.1", "10.0.0.1", "2001:db8::1", "12:34:56", "08:00:2b:01:02:03", "version 1.2.3", "v10.2.0",
    "550e8400-e29b-41d4-a716-446655440000", "41111111-1111-4111-8111-111111111111", "4111111111111112", "order 17000000000", "order 12345",
    "1700000000", "1700000000000", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "Lorem ipsum dolor",
    "total 1,234,567.89", "ISBN 978-3-16-148410-0", "a::text", "2024::date", "std::vector", "price 100000000.50", "Bearer of news",
    "Basic training", "host = x", "https://example.com/a:b", "foo@1.2.3", "skills and sk-ills", "tok_staging_0123456789abcdef0123",
    "https://placeholder.staging.invalid/0123456789abcdef0123", "!", "0.123456789012", "52.520008,13.404954", "3.14159265358979",
    "00:00:00", "1e+30", "cuid ckl3v9z8h0000x5l1q2w3e4r5", "revoked_0123456789abcdef0123", "size 4294967296", "$1 of $2", "EXECUTE q USING $1",
]  # fmt: skip
PAIRS = [(name, value) for name, values in KNOWN.items() for value in values]


@pytest.fixture(scope="module")
def database(production: Postgres) -> Iterator[psycopg.Connection]:
    with psycopg.connect(production.url("postgres"), autocommit=True) as connection:
        yield connection


def holds(database: psycopg.Connection, condition: str, value: str) -> bool:
    row = database.execute(f"SELECT {condition} FROM (SELECT {literal(value)}::text AS v) t".encode()).fetchone()
    return bool(row and row[0])


def test_every_detector_has_its_cases() -> None:
    assert KNOWN.keys() == {detector.name for detector in DETECTORS}


@pytest.mark.parametrize(("name", "value"), PAIRS)
def test_what_is_known(database: psycopg.Connection, name: str, value: str) -> None:
    detector = {item.name: item for item in DETECTORS}[name]
    assert holds(database, detector.condition("v"), value)
    assert holds(database, f"v ~ {literal(PREFILTER)}", value), "else the column would not be looked at"
    assert holds(database, detector.condition("v"), f'before "{value}" after') or value.isdigit()


@pytest.mark.parametrize("value", HARMLESS)
def test_what_is_left_alone(database: psycopg.Connection, value: str) -> None:
    assert [detector.name for detector in DETECTORS if holds(database, detector.condition("v"), value)] == []


@pytest.mark.parametrize(
    ("value", "type_", "name"),
    [
        ("4111111111111111", "bigint", "card"), ("4111111111111111", "numeric", "card"), ("4915112345678", "numeric", "phone"),
        ("14155552671", "bigint", "phone"), ("4111111111111112", "bigint", None), ("1700000000000", "bigint", None), ("42", "bigint", None),
        ("175928847299117063", "bigint", None), ("12345678901.5", "numeric", None), ("NaN", "numeric", None), ("Infinity", "float8", None),
    ],
)  # fmt: skip
def test_large_numbers(database: psycopg.Connection, value: str, type_: str, name: str | None) -> None:
    from jobs.sanitize import catalog

    database.execute(f"DROP TABLE IF EXISTS numbers; CREATE TABLE numbers (n {type_})".encode())
    column = catalog.read(database, "public").tables["numbers"].columns["n"]
    text = number(column, f"'{value}'::{type_}")
    assert text is not None
    found = [item.name for item in DETECTORS if holds(database, item.condition(f"({text})"), "")]
    assert (name in found) if name else found == []


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("SELECT * FROM dblink('x', 'y') AS t(a int)", True), ("host=prod dbname=shop", True), ("postgresql://prod/shop", True),
        ("WHERE host = a AND port = b", False), ("SELECT password FROM users", False), ("UPDATE t SET host = 'a', port = 1", False),
    ],
)  # fmt: skip
def test_what_leads_out_of_staging(database: psycopg.Connection, text: str, known: bool) -> None:
    (detector,) = OF_DEFINITIONS
    assert holds(database, detector.condition("v"), text) is known
