"""Where a receipt is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kubernetes import client, config

from config.errors import ExternalError
from jobs.sanitize.proof import receipt
from local.control_plane import ControlPlane
from tests.components.application import shipped

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


@pytest.mark.engine
def test_the_data_syncs_rights_are_enough_and_for_its_own_alone(plane: ControlPlane) -> None:
    """The rules that the component declares, enforced by a real API server."""
    rules = [node for node in shipped("quikapp-staging") if node["type"].endswith(":Role")]
    [role] = [node["inputs"] for node in rules if node["name"].endswith("staging-data-sync")]
    admin = config.new_client_from_config(str(plane.kubeconfig))
    rights, core = client.RbacAuthorizationV1Api(admin), client.CoreV1Api(admin)
    account = "system:serviceaccount:default:staging-data-sync"
    named = {"metadata": {"name": "staging-data-sync"}}
    rights.create_namespaced_role("default", {**named, "rules": role["rules"]})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "staging-data-sync"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": account}
    rights.create_namespaced_role_binding("default", {**named, "roleRef": reference, "subjects": [subject]})
    core.create_namespaced_config_map("default", {"metadata": {"name": "of-another"}})
    try:
        own = config.new_client_from_config(str(plane.kubeconfig))
        own.set_default_header("Impersonate-User", account)
        for text in ("one", "two"):
            receipt.keep({**RECEIPT, "text": text}, "default", "staging-data-sync-receipt", own)
        found = core.read_namespaced_config_map("staging-data-sync-receipt", "default")
        assert '"text":"two"' in found.data["receipt.json"]
        with pytest.raises(ExternalError, match=r"the ConfigMap default/of-another could not be written .*: Forbidden"):
            receipt.keep(RECEIPT, "default", "of-another", own)
    finally:
        for name in ("of-another", "staging-data-sync-receipt"):
            core.delete_namespaced_config_map(name, "default")
        rights.delete_namespaced_role_binding("staging-data-sync", "default")
        rights.delete_namespaced_role("staging-data-sync", "default")


def test_who_is_in_no_pod_is_told_that_the_data_are_in_use() -> None:
    with pytest.raises(ExternalError, match="the new data are in use; the ConfigMap a/b could not be written"):
        receipt.keep(RECEIPT, "a", "b")
