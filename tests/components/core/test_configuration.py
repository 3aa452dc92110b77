"""The ConfigMap."""

from __future__ import annotations

from tests.components.graphs import inputs, recorded


def test_holds_every_key_of_the_environment() -> None:
    body = inputs(recorded(), "ConfigMap", "configuration")
    assert body["metadata"]["name"] == "staging-config"
    assert body["data"] == {"LOG_LEVEL": "debug", "QUEUE": "orders", "WORKERS": "4"}
