"""Addresses are recognised by what they are, whatever their scheme."""

from __future__ import annotations

import time

import pytest

from config.derivation.hosts import addresses_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("postgres://app:pw@pg.live.internal:5432/orders", [("host", "pg.live.internal")]),
        ("jdbc:mysql://db.example.com:3306/x", [("host", "db.example.com")]),
        (
            "a.kafka.example.com:9096,b.kafka.example.com:9096",
            [("host", "a.kafka.example.com"), ("host", "b.kafka.example.com")],
        ),
        (
            "mongodb://u:p@a.example.net:27017,b.example.net:27017/x",
            [("host", "a.example.net"), ("host", "b.example.net")],
        ),
        ("mongodb+srv://cluster0.ab1cd.mongodb.net/orders", [("host", "cluster0.ab1cd.mongodb.net")]),
        ("smtp.mail.example.org", [("host", "smtp.mail.example.org")]),
        ("app:pw@tcp(pg.live.zone:3306)/orders", [("host", "pg.live.zone")]),
        ("redis://10.1.2.3:6379/0", [("network", "10.1.2.3/32")]),
        (
            "https://sqs.eu-central-1.amazonaws.com/111122223333/orders",
            [("account", "111122223333"), ("token", "111122223333/orders")],
        ),
        ("111122223333.dkr.ecr.eu-central-1.amazonaws.com/web", [("account", "111122223333")]),
        ("https://receipts.s3.eu-central-1.amazonaws.com/x", [("bucket", "receipts")]),
        ("https://s3.eu-central-1.amazonaws.com/receipts/x", [("bucket", "receipts")]),
        ("s3://receipts/x", [("bucket", "receipts")]),
        ("https://logs.eu-central-1.amazonaws.com", []),
        ("redis:6379", []),
        ("http://localhost:8080/health", []),
        ("0.0.0.0:8080", []),
        ("ops@example.com", []),
        ("com.acme.orders.Main", []),
        ("v1.2.3", []),
        ("config/settings.py", []),
        ("info", []),
    ],
)
def test_addresses(text: str, found: list[tuple[str, str]]) -> None:
    assert list(addresses_in(text)) == found


def test_a_long_text_takes_no_time() -> None:
    start = time.process_time()
    for text in ("a" * 1_000_000, "a." * 500_000, "1.2.3.4:5 " * 100_000):
        list(addresses_in(text))
    assert time.process_time() - start < 6
