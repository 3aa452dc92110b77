"""Where a receipt is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kubernetes import client, config

from jobs.sanitize import receipt
from local.control_plane import ControlPlane

RECEIPT: dict[str, Any] = {"system": "shop", "b": {"z": 1, "a": "ü"}}


def test_canonical_is_one_text_for_one_receipt() -> None:
    assert receipt.canonical(RECEIPT) == '{"b":{"a":"ü","z":1},"system":"shop"}'
    assert receipt.canonical(json.loads(receipt.canonical(RECEIPT))) == receipt.canonical(RECEIPT)


@pytest.mark.engine
def test_a_config_map_of_a_real_api_server(plane: ControlPlane) -> None:
    api = config.new_client_from_config(str(plane.kubeconfig))
    core = client.CoreV1Api(api)
    for text in ("one", "two"):
        receipt.keep({**RECEIPT, "text": text}, "default", "sanitize-receipt", api)
    found = core.read_namespaced_config_map("sanitize-receipt", "default")
    assert found.data == {"receipt.json": receipt.canonical({**RECEIPT, "text": "two"})}
    core.delete_namespaced_config_map("sanitize-receipt", "default")
