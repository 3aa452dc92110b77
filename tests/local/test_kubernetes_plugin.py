"""The kubernetes stand-in, without an engine: which change replaces what, who owns a field, what counts as ready.

The table of replaced properties is the official plugin's documentation of immutable fields and Kubernetes' own validation;
``test_fidelity.py`` plays the recorded behaviour.
"""

from __future__ import annotations

from threading import Event
from typing import Any

import pytest

from local.plugins.kubernetes import diff, fields
from local.plugins.kubernetes.quantities import canonical, normalize
from local.plugins.kubernetes.readiness import NotReady, wait
from review.graph import graph

REPLACED = [
    ("v1", "Namespace", {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}, ["metadata.name"]),
    ("v1", "Namespace", {"metadata": {"labels": {"a": "1"}}}, {"metadata": {"labels": {"a": "2"}}}, []),
    ("v1", "ConfigMap", {"data": {"a": "1"}}, {"data": {"a": "2"}}, ["data.a"]),
    ("v1", "ConfigMap", {"binaryData": {"a": "MQ=="}}, {"binaryData": {"a": "Mg=="}}, ["binaryData.a"]),
    ("v1", "Secret", {"data": {"a": "MQ=="}}, {"data": {"a": "Mg=="}}, ["data.a"]),
    ("v1", "Secret", {"type": "Opaque"}, {"type": "kubernetes.io/tls"}, ["type"]),
    ("v1", "ServiceAccount", {"automountServiceAccountToken": True}, {"automountServiceAccountToken": False}, []),
    ("v1", "ResourceQuota", {"spec": {"hard": {"pods": "1"}}}, {"spec": {"hard": {"pods": "2"}}}, []),
    ("v1", "LimitRange", {"spec": {"limits": []}}, {"spec": {"limits": [{"type": "Pod"}]}}, []),
    ("v1", "Service", {"spec": {"ports": [{"port": 80}]}}, {"spec": {"ports": [{"port": 81}]}}, []),
    ("v1", "Service", {"spec": {}}, {"spec": {"clusterIP": "None"}}, ["spec.clusterIP"]),
    (
        "v1",
        "PersistentVolumeClaim",
        {"spec": {"storageClassName": "a"}},
        {"spec": {"storageClassName": "b"}},
        ["spec.storageClassName"],
    ),
    (
        "v1",
        "PersistentVolumeClaim",
        {"spec": {"resources": {"requests": {"storage": "1Gi"}}}},
        {"spec": {"resources": {"requests": {"storage": "2Gi"}}}},
        [],
    ),
    ("apps/v1", "Deployment", {"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, []),
    (
        "apps/v1",
        "Deployment",
        {"spec": {"selector": {"matchLabels": {"app": "a"}}}},
        {"spec": {"selector": {"matchLabels": {"app": "b"}}}},
        ["spec.selector.matchLabels.app"],
    ),
    ("apps/v1", "StatefulSet", {"spec": {"serviceName": "a"}}, {"spec": {"serviceName": "b"}}, ["spec.serviceName"]),
    ("apps/v1", "StatefulSet", {"spec": {"template": {"a": 1}}}, {"spec": {"template": {"a": 2}}}, []),
    ("batch/v1", "Job", {"spec": {"template": {"a": 1}}}, {"spec": {"template": {"a": 2}}}, ["spec.template.a"]),
    ("batch/v1", "CronJob", {"spec": {"schedule": "a"}}, {"spec": {"schedule": "b"}}, []),
    ("networking.k8s.io/v1", "NetworkPolicy", {"spec": {"podSelector": {}}}, {"spec": {"podSelector": {"a": 1}}}, []),
    ("autoscaling/v2", "HorizontalPodAutoscaler", {"spec": {"maxReplicas": 1}}, {"spec": {"maxReplicas": 2}}, []),
    ("policy/v1", "PodDisruptionBudget", {"spec": {"minAvailable": 1}}, {"spec": {"minAvailable": 2}}, []),
    (
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        {"roleRef": {"name": "a"}},
        {"roleRef": {"name": "b"}},
        ["roleRef.name"],
    ),
    (
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        {"roleRef": {"name": "a"}},
        {"roleRef": {"name": "b"}},
        ["roleRef.name"],
    ),
    ("rbac.authorization.k8s.io/v1", "Role", {"rules": [{"verbs": ["get"]}]}, {"rules": [{"verbs": ["list"]}]}, []),
    (
        "rbac.authorization.k8s.io/v1",
        "ClusterRole",
        {"rules": [{"verbs": ["get"]}]},
        {"rules": [{"verbs": ["list"]}]},
        [],
    ),
    ("storage.k8s.io/v1", "StorageClass", {"provisioner": "a"}, {"provisioner": "b"}, ["provisioner"]),
]


@pytest.mark.parametrize(
    ("version", "kind", "old", "new", "replaced"),
    REPLACED,
    ids=[f"{row[1]}-{index}" for index, row in enumerate(REPLACED)],
)
def test_which_change_replaces(version: str, kind: str, old: Any, new: Any, replaced: list[str]) -> None:
    same = {"apiVersion": version, "kind": kind}
    before, after = {**same, **old}, {**same, **new}
    names = diff.force_new(after, before, mutable_config=False, mutable_secret=False)
    found = [diff.render(path) for path, _ in diff.differences(before, after) if diff.replaces(path, names)]
    assert found == replaced
    assert diff.differences(before, after)


def test_every_type_of_the_program_is_in_the_table() -> None:
    used = {node["type"].rpartition(":")[2] for node in graph("staging") if node["type"].startswith("kubernetes:")}
    assert used <= {row[1] for row in REPLACED}


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_the_mutable_options_update_in_place_unless_immutable(kind: str) -> None:
    body: dict[str, Any] = {"apiVersion": "v1", "kind": kind, "data": {"a": "1"}}
    assert "data" not in diff.force_new(body, body, mutable_config=True, mutable_secret=True)
    frozen = {**body, "immutable": True}
    assert "data" in diff.force_new(frozen, body, mutable_config=True, mutable_secret=True)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (("spec", "ports", 0, "port"), "spec.ports[0].port"),
        (("data", "tls.crt"), 'data["tls.crt"]'),
        (("metadata", "annotations", "pulumi.com/skipAwait"), 'metadata.annotations["pulumi.com/skipAwait"]'),
    ],
)
def test_paths_are_the_engines(path: Any, shown: str) -> None:
    assert diff.render(path) == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("4000m", "4"),
        ("0.3", "300m"),
        (0.5, "500m"),
        ("1024Mi", "1Gi"),
        ("1500m", "1500m"),
        ("2000", "2k"),
        ("1.5Gi", "1536Mi"),
        ("8G", "8G"),
        ("0", "0"),
        ("all", "all"),
        (True, True),
    ],
)
def test_quantities_are_canonical(written: Any, shown: Any) -> None:
    assert canonical(written) == shown


def test_only_quantities_are_touched() -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"cpu": "1000m"}}
    assert normalize(config) == config
    container = {"name": "1000m", "resources": {"limits": {"cpu": "1000m"}}, "env": [{"name": "a", "value": "1000m"}]}
    pod = normalize({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container]}})
    assert pod["spec"]["containers"][0]["resources"]["limits"]["cpu"] == "1"
    assert pod["spec"]["containers"][0]["env"][0]["value"] == "1000m"


def test_what_was_created_or_edited_by_kubectl_becomes_applied() -> None:
    def entry(manager: str, operation: str, name: str, **more: str) -> dict[str, Any]:
        return {"manager": manager, "operation": operation, "fieldsV1": {"f:data": {f"f:{name}": {}}}, **more}

    live = {
        "metadata": {
            "managedFields": [
                entry("pulumi-kubernetes-1", "Update", "a"),
                entry("kubectl-patch", "Update", "b"),
                entry("other", "Apply", "c"),
                entry("kube-controller-manager", "Update", "d", subresource="status"),
            ]
        }
    }
    managed = fields.manager_of_creation(live, "pulumi-kubernetes-1")
    assert managed is not None
    assert managed[0]["operation"] == "Apply"
    assert managed[0]["fieldsV1"] == {"f:data": {"f:a": {}, "f:b": {}}}
    assert [e["manager"] for e in managed[1:]] == ["other", "kube-controller-manager"]
    live["metadata"]["managedFields"] = managed
    assert fields.manager_of_creation(live, "pulumi-kubernetes-1") is None


def test_drift_is_read_at_the_places_that_inputs_state() -> None:
    live = {"data": {"a": "drift", "z": "foreign"}, "status": {}, "metadata": {"name": "x", "uid": "1"}}
    assert fields.prune(live, {"data": {"a": "1"}, "metadata": {"name": "x"}}) == {
        "data": {"a": "drift"},
        "metadata": {"name": "x"},
    }


def condition(kind: str, status: str, reason: str = "R", message: str = "M") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message}


READY = [
    ("apps/v1", "Deployment", {"replicas": 0}, {"observedGeneration": 1}, True),
    (
        "apps/v1",
        "Deployment",
        {"replicas": 1},
        {
            "observedGeneration": 1,
            "replicas": 1,
            "updatedReplicas": 1,
            "availableReplicas": 1,
            "conditions": [condition("Available", "True"), condition("Progressing", "True", "NewReplicaSetAvailable")],
        },
        True,
    ),
    (
        "apps/v1",
        "Deployment",
        {"replicas": 1},
        {"observedGeneration": 0, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1},
        False,
    ),
    (
        "apps/v1",
        "Deployment",
        {"replicas": 1},
        {
            "observedGeneration": 1,
            "replicas": 2,
            "updatedReplicas": 1,
            "availableReplicas": 2,
            "conditions": [condition("Available", "True")],
        },
        False,
    ),
    (
        "apps/v1",
        "StatefulSet",
        {"replicas": 2},
        {
            "observedGeneration": 1,
            "readyReplicas": 2,
            "updatedReplicas": 2,
            "currentRevision": "a",
            "updateRevision": "a",
        },
        True,
    ),
    ("apps/v1", "StatefulSet", {"replicas": 2}, {"observedGeneration": 1, "readyReplicas": 1}, False),
    ("batch/v1", "Job", {}, {"conditions": [condition("Complete", "True")]}, True),
    ("batch/v1", "Job", {}, {"active": 1}, False),
    ("v1", "Service", {"type": "ClusterIP"}, {}, True),
    ("v1", "Service", {"type": "LoadBalancer"}, {"loadBalancer": {}}, False),
    ("v1", "Service", {"type": "LoadBalancer"}, {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}, True),
    ("v1", "PersistentVolumeClaim", {}, {"phase": "Bound"}, True),
    ("v1", "PersistentVolumeClaim", {}, {"phase": "Pending"}, False),
    ("networking.k8s.io/v1", "Ingress", {}, {"loadBalancer": {}}, False),
    ("v1", "ConfigMap", {}, {}, True),
]


@pytest.mark.parametrize(("version", "kind", "spec", "status", "ready"), READY)
def test_when_an_object_is_ready(version: str, kind: str, spec: Any, status: Any, ready: bool) -> None:
    live = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "x", "generation": 1},
        "spec": spec,
        "status": status,
    }
    inputs = {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}}
    if ready:
        assert wait(live, inputs, lambda: live, 0, Event()) == live
    else:
        with pytest.raises(NotReady) as caught:
            wait(live, inputs, lambda: live, 0, Event())
        assert caught.value.reasons[0] == "'x' timed out waiting to be Ready"


def test_skip_await_does_not_wait() -> None:
    inputs = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "x", "annotations": {"pulumi.com/skipAwait": "true"}},
    }
    live = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}, "status": {}}
    assert wait(live, inputs, lambda: None, 60, Event()) == live


def test_a_failed_job_ends_the_wait_at_once() -> None:
    status = {"conditions": [condition("Failed", "True", "BackoffLimitExceeded", "too often")]}
    live = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}, "status": status}
    with pytest.raises(NotReady, match="BackoffLimitExceeded"):
        wait(live, live, lambda: live, 60, Event())


def test_a_cancelled_wait_says_so() -> None:
    cancelled = Event()
    cancelled.set()
    live = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}, "status": {}}
    with pytest.raises(NotReady, match="Resource operation was cancelled for 'x'"):
        wait(live, live, lambda: live, 60, cancelled)
