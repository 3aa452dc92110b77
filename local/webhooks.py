"""Admission webhooks of the local cluster are disabled, because the pods behind them do not run.

Istio's injector and the validation of External Secrets have ``failurePolicy: Fail``: without an answering pod the API
server would refuse the objects. An admission policy adds a condition that is always false to each webhook that is
backed by a Service. It acts when a configuration is created or changed, so the webhook is never called.
"""

from __future__ import annotations

from typing import Any

import httpx
import tenacity

from config.errors import ExternalError

_API = "/apis/admissionregistration.k8s.io/v1"
_NAME = "understudy-webhooks"
_CONDITION = "understudy.dev/pods-run"
_RESOURCES = ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")
_EXPRESSION = f"""\
Object{{
  webhooks: object.?webhooks.orValue([]).filter(webhook, has(webhook.clientConfig.service)).map(webhook,
    Object.webhooks{{
      name: webhook.name,
      matchConditions: [Object.webhooks.matchConditions{{name: "{_CONDITION}", expression: "false"}}]
    }}
  )
}}
"""
_POLICY = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingAdmissionPolicy",
    "metadata": {"name": _NAME},
    "spec": {
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": ["admissionregistration.k8s.io"],
                    "apiVersions": ["*"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": list(_RESOURCES),
                }
            ]
        },
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": _EXPRESSION}}],
    },
}
_BINDING = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingAdmissionPolicyBinding",
    "metadata": {"name": _NAME},
    "spec": {"policyName": _NAME},
}
_PROBE = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingWebhookConfiguration",
    "metadata": {"name": f"{_NAME}-probe"},
    "webhooks": [
        {
            "name": "probe.understudy.dev",
            "clientConfig": {"service": {"namespace": "default", "name": "nothing"}},
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }
    ],
}


def disregard(client: httpx.Client) -> None:
    """Creates the policy, and waits until the API server applies it; raises ``ExternalError``."""
    for resource, body in (("mutatingadmissionpolicies", _POLICY), ("mutatingadmissionpolicybindings", _BINDING)):
        _applied(client, f"{_API}/{resource}/{_NAME}", body)
    _wait(client)


def disregarded(client: httpx.Client) -> list[str]:
    """Returns names of the configurations whose webhooks are disabled."""
    items = [item for resource in _RESOURCES for item in client.get(f"{_API}/{resource}").json()["items"]]
    return sorted(item["metadata"]["name"] for item in items if _is_disregarded(item))


def _is_disregarded(configuration: dict[str, Any]) -> bool:
    return any(
        condition["name"] == _CONDITION
        for webhook in configuration.get("webhooks") or []
        for condition in webhook.get("matchConditions") or []
    )


def _applied(client: httpx.Client, path: str, body: dict[str, Any]) -> None:
    query = {"fieldManager": "understudy", "force": "true"}
    headers = {"Content-Type": "application/apply-patch+yaml"}
    response = client.patch(path, json=body, params=query, headers=headers)
    if not response.is_success:
        raise ExternalError(f"the API server refused {body['kind']}: {response.json().get('message', response.text)}")


@tenacity.retry(
    stop=tenacity.stop_after_delay(30),
    wait=tenacity.wait_fixed(0.2),
    retry=tenacity.retry_if_exception_type(ExternalError),
    reraise=True,
)
def _wait(client: httpx.Client) -> None:
    """Waits until a dry-run configuration gets the condition; the API server applies a new policy after a moment."""
    response = client.post(f"{_API}/validatingwebhookconfigurations", json=_PROBE, params={"dryRun": "All"})
    if not response.is_success or not _is_disregarded(response.json()):
        raise ExternalError(f"the policy {_NAME} has no effect: {response.text[:500]}")
