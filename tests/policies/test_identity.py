"""Names, found by what they are."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.identity import names
from policies.texts import readings

FOREIGN = [
    {"environment": "production", "kind": "label", "value": "shop"},
    {"environment": "production", "kind": "domain", "value": "quikapp.com"},
    {"environment": "production", "kind": "host", "value": "db.internal.example"},
    {"environment": "production", "kind": "network", "value": "10.20.0.0/16"},
    {"environment": "production", "kind": "token", "value": "production_user"},
    {"environment": "production", "kind": "account", "value": "123456789012"},
    {"environment": "production", "kind": "bucket", "value": "shop-live-backups"},
    {"environment": "production", "kind": "arn", "value": "arn:aws:kms:eu-central-1:123456789012:key/abc"},
]
NAMES = names(FOREIGN, "staging.quikapp.com", ["registry.quikapp.com"])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("redis.shop.svc.cluster.local", "label"),
        ("namespace=shop,x=y", "label"),
        ("https://quikapp.com/", "domain"),
        ("wss://ws.QuikApp.com:443", "domain"),
        ("postgresql://u:p@db.internal.example:5432/x", "host"),
        ("10.20.3.4", "network"),
        ("10.20.128.0/24", "network"),
        ("user=production_user", "token"),
        ("account 123456789012", "account"),
        ("s3://shop-live-backups/x", "bucket"),
        ("arn:aws:rds:us-east-1:123456789012:cluster:any", "account"),
        ("Basic " + base64.b64encode(b"production_user:x").decode(), "token"),
        ("redirect=https%3A%2F%2Fquikapp.com%2F", "domain"),
        ('{"a": {"b": ["\\u0071uikapp.com"]}}', "domain"),
        ("a:\n  b: 10.20.1.1\n", "network"),
    ],
)
def test_found(text: str, kind: str) -> None:
    found = NAMES.find(text)
    assert found
    assert found.kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "staging.quikapp.com",
        "api.staging.quikapp.com",
        "registry.quikapp.com/backend:1",
        "notquikapp.com",
        "quikapp.community",
        "shopping",
        "shop-staging",
        "workshop",
        "10.2.0.1",
        "110.20.3.4",
        "10.20.3",
        "production_users",
        "1234567890123",
        "live-backups",
        "",
    ],
)
def test_not_found(text: str) -> None:
    assert NAMES.find(text) is None


def test_the_other_way_round_the_more_specific_domain_decides() -> None:
    production = names(
        [{"environment": "staging", "kind": "domain", "value": "staging.quikapp.com"}], "quikapp.com", []
    )
    assert production.find("api.quikapp.com") is None
    assert production.find("api.staging.quikapp.com")


@given(st.text(max_size=200))
def test_readings_end_and_begin_with_the_text(text: str) -> None:
    found = list(readings(text))
    assert found[0] == text
    assert len(found) < 5000


@given(st.text(min_size=4, max_size=40), st.integers(min_value=1, max_value=3))
def test_nested_base64_is_read(text: str, times: int) -> None:
    wrapped = text
    for _ in range(times):
        wrapped = base64.b64encode(wrapped.encode()).decode()
    if text.isprintable():
        assert text in set(readings(wrapped))


def test_a_line_of_a_certificate_says_nothing_by_itself() -> None:
    body = base64.encodebytes(b"x" * 49 + b"staging.shop.com" + b"y" * 40).decode()  # a line ends behind "staging."
    first, second = (base64.b64decode(line) for line in body.splitlines()[:2])
    assert (first[-8:], second[:8]) == (b"staging.", b"shop.com")
    certificate = f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"
    for text in (certificate, base64.b64encode(certificate.encode()).decode()):
        assert not any(reading.startswith("shop.com") for reading in readings(text))
    assert any(reading.startswith("shop.com") for reading in readings(body))
