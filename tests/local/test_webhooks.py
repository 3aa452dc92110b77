"""Webhooks whose pods do not run, on a real API server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.control_plane import ControlPlane
from local.webhooks import disregard, disregarded

pytestmark = pytest.mark.engine

API = "/apis/admissionregistration.k8s.io/v1"
KINDS = {
    "mutatingwebhookconfigurations": "MutatingWebhookConfiguration",
    "validatingwebhookconfigurations": "ValidatingWebhookConfiguration",
}


@pytest.fixture
def client(plane: ControlPlane) -> Iterator[httpx.Client]:
    with plane.client() as found:
        yield found
        for resource in KINDS:
            found.delete(f"{API}/{resource}/strict")
        found.delete("/api/v1/namespaces/default/configmaps/asked")


def configuration(resource: str, **where: Any) -> dict[str, Any]:
    """Of one webhook that refuses every ConfigMap when it does not answer."""
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": KINDS[resource],
        "metadata": {"name": "strict"},
        "webhooks": [
            {
                "name": "strict.example.com",
                "clientConfig": where or {"service": {"namespace": "default", "name": "nothing"}},
                "rules": [rule],
                "failurePolicy": "Fail",
                "timeoutSeconds": 5,
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "matchConditions": [{"name": "own", "expression": "true"}],
            }
        ],
    }


def asked(client: httpx.Client) -> httpx.Response:
    """A ConfigMap is made, which the webhook would be asked about."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "asked"}}
    return client.post("/api/v1/namespaces/default/configmaps", json=body)


@pytest.mark.parametrize("resource", KINDS)
def test_a_webhook_behind_a_service_is_not_asked(client: httpx.Client, resource: str) -> None:
    made = client.post(f"{API}/{resource}", json=configuration(resource))
    assert made.status_code == httpx.codes.CREATED, made.text
    start = time.monotonic()
    answer = asked(client)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    assert time.monotonic() - start < 2, "it was waited for"
    assert "strict" in disregarded(client)
    [webhook] = made.json()["webhooks"]
    assert (webhook["failurePolicy"], webhook["timeoutSeconds"]) == ("Fail", 5)
    assert [condition["name"] for condition in webhook["matchConditions"]] == ["own", "understudy.dev/pods-run"]


@pytest.mark.parametrize("resource", KINDS)
def test_it_stays_so_when_the_configuration_is_replaced_or_gets_another_webhook(
    client: httpx.Client, resource: str
) -> None:
    made = client.post(f"{API}/{resource}", json=configuration(resource)).json()
    replaced = configuration(resource)
    replaced["metadata"]["resourceVersion"] = made["metadata"]["resourceVersion"]
    replaced["webhooks"].append({**replaced["webhooks"][0], "name": "another.example.com", "matchConditions": []})
    found = client.put(f"{API}/{resource}/strict", json=replaced)
    assert found.status_code == httpx.codes.OK, found.text
    conditions = [[c["name"] for c in webhook["matchConditions"]] for webhook in found.json()["webhooks"]]
    assert conditions == [["own", "understudy.dev/pods-run"], ["understudy.dev/pods-run"]]
    assert asked(client).status_code == httpx.codes.CREATED


def test_one_at_an_address_of_its_own_is_asked(client: httpx.Client) -> None:
    resource = "validatingwebhookconfigurations"
    made = client.post(f"{API}/{resource}", json=configuration(resource, url="https://127.0.0.1:1/nobody"))
    assert made.status_code == httpx.codes.CREATED, made.text
    for _ in range(50):  # the API server learns of it a moment later
        answer = asked(client)
        if answer.status_code != httpx.codes.CREATED:
            break
        client.delete("/api/v1/namespaces/default/configmaps/asked")
        time.sleep(0.2)
    assert "strict.example.com" in answer.text
    assert "strict" not in disregarded(client)


def test_it_may_be_asked_for_twice(client: httpx.Client) -> None:
    disregard(client)
    disregard(client)
    assert "strict" not in disregarded(client)
