"""Decides which pods run and which are simulated, by an admission policy of the local cluster at a pod's creation.

A pod runs when each of its images, including those of init containers, is in the list that ``publish`` writes, and the
real node satisfies the pod's node selector. The policy adds a node selector for the scheduler.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from typing import Any

import httpx

from config.errors import ExternalError

from .layout import NAME

LABEL = "understudy.dev/pods"
"""The label of nodes with their mode; the node selector and the taint have the same key."""
RUN, SIMULATED = "run", "simulated"
LIST = "local-images"
"""The ConfigMap in ``kube-system`` with the images that can run, and the real node's labels."""
_POLICIES = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies"
_BINDINGS = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings"
_LISTS = "/api/v1/namespaces/kube-system/configmaps"
_KEY = LABEL.replace("~", "~0").replace("/", "~1")
_MERGE = {"Content-Type": "application/merge-patch+json"}
_UNPLACED = [
    {"name": "no-node-yet", "expression": "!has(object.spec.nodeName)"},
    {
        "name": "not-of-a-daemonset",  # its pods follow the template, to which the policy applies
        "expression": "!has(object.metadata.ownerReferences) || "
        "!object.metadata.ownerReferences.exists(owner, owner.kind == 'DaemonSet')",
    },
]


def _variables(spec: str) -> list[dict[str, str]]:
    expressions = {
        "images": "params.data['images'].split('\\n')",
        "labels": "params.data['labels'].split('\\n')",
        "asked": f"{spec}.containers.map(c, c.image) + "
        f"(has({spec}.initContainers) ? {spec}.initContainers.map(c, c.image) : [])",
        "fits": f"!has({spec}.nodeSelector) || {spec}.nodeSelector.all(key, key == '{LABEL}' || "
        f"(key + '=' + {spec}.nodeSelector[key]) in variables.labels)",
        # one node cannot separate pods, and rules of affinity are not evaluated here
        "free": f"!has({spec}.affinity) || !("
        + " || ".join(
            f"(has({spec}.affinity.{kind}) && has({spec}.affinity.{kind}.requiredDuringSchedulingIgnoredDuringExecution))"
            for kind in ("nodeAffinity", "podAntiAffinity")
        )
        + ")",
        "runs": "variables.fits && variables.free && variables.asked.all(image, image in variables.images)",
        "tolerates": f"has({spec}.tolerations) && {spec}.tolerations.exists(t, has(t.key) && t.key == '{LABEL}')",
    }
    return [{"name": name, "expression": expression} for name, expression in expressions.items()]


def _marks(spec: str) -> str:
    """Returns the patch that adds node selector and toleration to a pod's specification."""
    path = "/" + spec.removeprefix("object.").replace(".", "/")
    toleration = f'{{"key": "{LABEL}", "operator": "Equal", "value": "{RUN}", "effect": "NoSchedule"}}'
    parts = [
        f'(has({spec}.nodeSelector) ? [] : [JSONPatch{{op: "add", path: "{path}/nodeSelector", value: {{}}}}])',
        f'[JSONPatch{{op: "add", path: "{path}/nodeSelector/{_KEY}", '
        f'value: variables.runs ? "{RUN}" : "{SIMULATED}"}}]',
        f"(variables.runs && !has({spec}.tolerations) ? "
        f'[JSONPatch{{op: "add", path: "{path}/tolerations", value: []}}] : [])',
        "(variables.runs && !variables.tolerates ? "
        f'[JSONPatch{{op: "add", path: "{path}/tolerations/-", value: {toleration}}}] : [])',
    ]
    return " + ".join(parts)


def _policy(name: str, group: str, resource: str, operations: list[str], spec: str) -> dict[str, Any]:
    rule = {"apiGroups": [group], "apiVersions": ["v1"], "operations": operations, "resources": [resource]}
    mutations = [{"patchType": "JSONPatch", "jsonPatch": {"expression": _marks(spec)}}]
    if resource == "pods":
        # there is no registry, also for pods that would pull at each start
        never = 'Object.spec.{kind}{{name: c.name, imagePullPolicy: "Never"}}'
        kinds = [f"containers: object.spec.containers.map(c, {never.format(kind='containers')})"]
        initial = f"object.spec.initContainers.map(c, {never.format(kind='initContainers')})"
        with_init = ", ".join([*kinds, f"initContainers: {initial}"])
        expression = (
            "!variables.runs ? Object{} : "
            f"has(object.spec.initContainers) ? Object{{spec: Object.spec{{{with_init}}}}} : "
            f"Object{{spec: Object.spec{{{kinds[0]}}}}}"
        )
        mutations.append({"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}})
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "IfNeeded",  # a webhook may add a container
            "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            "matchConstraints": {"resourceRules": [rule]},
            **({"matchConditions": _UNPLACED} if resource == "pods" else {}),
            "variables": _variables(spec),
            "mutations": mutations,
        },
    }


POLICIES = (
    _policy("local-pods", "", "pods", ["CREATE"], "object.spec"),
    _policy("local-daemonsets", "apps", "daemonsets", ["CREATE", "UPDATE"], "object.spec.template.spec"),
)


def publish(client: httpx.Client, images: Iterable[str], labels: dict[str, str]) -> None:
    """Updates policy and list, waits until both are in force, and recreates misplaced pods."""
    names = sorted(images)
    digest = hashlib.sha256(json.dumps([names, labels]).encode()).hexdigest()[:16]
    mark = f"local/list:{digest}"  # an image of no pod: when a trial pod with it would run, this list is in force
    lines = {"images": "\n".join([*names, mark]), "labels": "\n".join(f"{k}={v}" for k, v in sorted(labels.items()))}
    content = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": LIST}, "data": lines}
    _put(client, _LISTS, content)
    for policy in POLICIES:
        name = policy["metadata"]["name"]
        reference = {"name": LIST, "namespace": "kube-system", "parameterNotFoundAction": "Deny"}
        binding = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "paramRef": reference},
        }
        _put(client, _POLICIES, policy)
        _put(client, _BINDINGS, binding)
    _wait(client, mark, RUN)
    _replace_misplaced(client, set(names))


def withdraw(client: httpx.Client) -> None:
    """Removes the policy, the real node and its pods; their controllers recreate them on simulated nodes."""
    if client.get(f"{_LISTS}/{LIST}").status_code == httpx.codes.NOT_FOUND:
        return
    for policy in POLICIES:
        for path in (_BINDINGS, _POLICIES):
            _gone(client.delete(f"{path}/{policy['metadata']['name']}"))
    _wait(client, "local/none:1", None)
    client.delete(f"/api/v1/nodes/{NAME}")
    for pod in client.get("/api/v1/pods", params={"fieldSelector": f"spec.nodeName={NAME}"}).json()["items"]:
        client.request("DELETE", _path(pod), json={"gracePeriodSeconds": 0})
    for daemonset in client.get("/apis/apps/v1/daemonsets").json()["items"]:
        if daemonset["spec"]["template"]["spec"].get("nodeSelector", {}).get(LABEL) == RUN:
            free = {"spec": {"template": {"spec": {"nodeSelector": {LABEL: None}}}}}
            _patch(client, daemonset, free)
    _gone(client.delete(f"{_LISTS}/{LIST}"))  # last, because its existence shows that there is something to withdraw


def decision(client: httpx.Client, pod: dict[str, Any]) -> str | None:
    """Returns the policy's decision for a new pod: ``run``, ``simulated``, or nothing without a policy."""
    namespace = pod["metadata"].get("namespace", "default")
    response = client.post(f"/api/v1/namespaces/{namespace}/pods", json=pod, params={"dryRun": "All"})
    if response.status_code != httpx.codes.CREATED:
        raise ExternalError(f"the API server refused a trial pod: {response.json().get('message', response.text)}")
    selector = response.json()["spec"].get("nodeSelector") or {}
    value: str | None = selector.get(LABEL)
    return value


def _wait(client: httpx.Client, image: str, wanted: str | None, seconds: float = 30) -> None:
    """Waits until the policy decides so for a pod with the image; the API server reads a new policy after a moment."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "trial", "namespace": "default"},
        "spec": {"containers": [{"name": "trial", "image": image}]},
    }
    deadline = time.monotonic() + seconds
    last_decision = "no answer"
    while time.monotonic() < deadline:
        try:
            if (last_decision := str(decision(client, pod))) == str(wanted):
                return
        except ExternalError as trouble:  # the binding is read before the list that it names
            last_decision = str(trouble)
        time.sleep(0.1)
    raise ExternalError(
        f"the admission policy of the local cluster does not count: expected {wanted}, found {last_decision}"
    )


def _replace_misplaced(client: httpx.Client, images: set[str]) -> None:
    """Deletes simulated pods of a controller that would run if they were created now."""
    for daemonset in client.get("/apis/apps/v1/daemonsets").json()["items"]:
        _patch(client, daemonset, {})  # an update without a change passes the policy as well
    for pod in client.get("/api/v1/pods").json()["items"]:
        metadata, spec = pod["metadata"], pod["spec"]
        owners = {owner["kind"] for owner in metadata.get("ownerReferences", []) if owner.get("controller")}
        going = "deletionTimestamp" in metadata or pod["status"].get("phase") in ("Succeeded", "Failed")
        requested_images = {c["image"] for c in [*spec["containers"], *spec.get("initContainers", [])]}
        if (
            going
            or not owners
            or "DaemonSet" in owners
            or spec.get("nodeName") == NAME
            or not requested_images <= images
        ):
            continue
        kept = {key: metadata[key] for key in ("namespace", "labels") if key in metadata}
        trial = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**kept, "generateName": "trial-"},
            "spec": {
                key: value for key, value in spec.items() if key not in ("nodeName", "priority", "preemptionPolicy")
            },
        }
        if decision(client, trial) == RUN:
            client.request("DELETE", _path(pod), json={"gracePeriodSeconds": 0})


def _path(pod: dict[str, Any]) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def _patch(client: httpx.Client, daemonset: dict[str, Any], change: dict[str, Any]) -> None:
    metadata = daemonset["metadata"]
    path = f"/apis/apps/v1/namespaces/{metadata['namespace']}/daemonsets/{metadata['name']}"
    _gone(client.patch(path, content=json.dumps(change), headers=_MERGE))


def _gone(answer: httpx.Response) -> None:
    if not answer.is_success and answer.status_code != httpx.codes.NOT_FOUND:
        raise ExternalError(f"the API server refused a change: {answer.json().get('message', answer.text)}")


def _put(client: httpx.Client, path: str, body: dict[str, Any]) -> None:
    """Creates or updates the object."""
    response = client.post(path, json=body)
    if response.status_code == httpx.codes.CONFLICT:
        url = f"{path}/{body['metadata']['name']}"
        version = client.get(url).json()["metadata"]["resourceVersion"]
        response = client.put(url, json={**body, "metadata": {**body["metadata"], "resourceVersion": version}})
    if not response.is_success:
        message = response.json().get("message", response.text)
        raise ExternalError(f"the API server refused {body['kind']} {body['metadata']['name']}: {message}")
