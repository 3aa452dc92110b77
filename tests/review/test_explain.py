"""The staging document's table, and what programs read."""

from __future__ import annotations

import pytest

from config.derivation.derive import derive
from config.loader import load
from review.explain import allocation, deliberate, markdown, records
from review.generated import DIFFERENCES, differences

# the table "Resource Allocation" of the staging document, value for value
DOCUMENT = [
    ("CockroachDB Storage", "100GB/node", "50GB/node", "50%"),
    ("CockroachDB CPU", "2-4 cores", "1-2 cores", "50%"),
    ("Redis Storage", "20GB/node", "10GB/node", "50%"),
    ("Prometheus Retention", "30 days", "15 days", "50%"),
]
# its list "Configuration Differences"
DELIBERATE = {
    "configuration.data.LOG_LEVEL",
    "configuration.data.PERFORMANCE_PROFILING",
    "cockroachdb.traceThreshold",
    "cockroachdb.slowQueryThreshold",
    "configuration.data.ALLOW_TEST_ACCOUNTS",
    "configuration.data.SKIP_EXTERNAL_VALIDATIONS",
    "configuration.data.MOCK_EXTERNAL_SERVICES",
    "configuration.data.RATE_LIMIT_REQUESTS_PER_MINUTE",
    "configuration.data.ENABLE_EXPERIMENTAL_FEATURES",
    "configuration.data.ENABLE_TEST_ENDPOINTS",
    "configuration.data.DEBUG_MODE",
}
STAGING = derive(load("spacetime"), "staging")


@pytest.mark.parametrize("row", DOCUMENT, ids=[row[0] for row in DOCUMENT])
def test_the_documents_table(row: tuple[str, str, str, str]) -> None:
    rows = {what: (what, production, staging, ratio) for what, production, staging, ratio, _ in allocation(*STAGING)}
    assert rows[row[0]] == row
    assert not next(assumed for what, *_, assumed in allocation(*STAGING) if what == row[0])


def test_the_documents_figures_of_staging() -> None:
    shown = {what: staging for what, _, staging, *_ in allocation(*STAGING)}
    assert shown["CockroachDB Memory"] == "4-8GB"
    assert shown["Redis CPU"] == "250-500m"
    assert shown["Redis Memory"] == "1-2GB"
    assert shown["Prometheus CPU"] == "500m-1"
    assert shown["Prometheus Memory"] == "2-4GB"
    assert shown["Prometheus Storage"] == "50GB"
    assert shown["Grafana Storage"] == "5GB"
    assert shown["Grafana CPU"] == "250-500m"
    assert shown["Grafana Memory"] == "512MB-1GB"


def test_the_documents_configuration_differences() -> None:
    changed = {derived.path for found in deliberate(STAGING[1]).values() for derived in found}
    assert changed >= DELIBERATE


def test_records_have_the_promised_keys() -> None:
    keys = {"path", "production", "staging", "rule", "ratio", "because", "assumed", "source"}
    listed = records(STAGING[1], only_differences=False)
    assert all(record.keys() == keys for record in listed)
    fewer = records(STAGING[1], only_differences=True)
    assert 0 < len(fewer) < len(listed)
    assert all(record["rule"] != "same" for record in fewer)


def test_assumed_values_are_marked() -> None:
    text = markdown(*STAGING)
    assert "| **Prometheus Storage** | 100GB \\* | 50GB | 50% |" in text
    assert "| **CockroachDB Storage** | 100GB/node | 50GB/node | 50% |" in text


def test_the_page_of_differences_is_fresh() -> None:
    assert DIFFERENCES.read_text(encoding="utf-8") == differences()
