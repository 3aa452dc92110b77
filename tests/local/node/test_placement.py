"""The admission policy that places pods, on a real API server; nothing runs here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.control_plane import ControlPlane
from local.node.placement import LABEL, RUN, SIMULATED, decision, publish, withdraw
from tests.servers import until

pytestmark = pytest.mark.engine
HERE, ABSENT = "registry.example.com/here:1", "registry.example.com/absent:1"
LABELS = {"kubernetes.io/os": "linux", "topology.kubernetes.io/zone": "local-a"}
APPS = "/apis/apps/v1/namespaces/default"


@pytest.fixture(scope="module")
def client(plane: ControlPlane) -> Iterator[httpx.Client]:
    with plane.client() as client:
        publish(client, [HERE], LABELS)
        try:
            yield client
        finally:
            withdraw(client)


def pod(*images: str, **spec: Any) -> dict[str, Any]:
    containers = [{"name": f"c{index}", "image": image} for index, image in enumerate(images)]
    metadata = {"name": "asks", "namespace": "default", "labels": {"app": "asks"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers, **spec}}


def created(client: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/api/v1/namespaces/default/pods", json=body, params={"dryRun": "All"})
    assert answer.status_code == 201, answer.text
    spec: dict[str, Any] = answer.json()["spec"]
    return spec


ZONES = {"matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["local-a"]}]}
APART = {"labelSelector": {"matchLabels": {"app": "asks"}}, "topologyKey": "kubernetes.io/hostname"}
CASES = {
    "all there": (pod(HERE, HERE), RUN),
    "one absent": (pod(HERE, ABSENT), SIMULATED),
    "init container absent": (pod(HERE, initContainers=[{"name": "i", "image": ABSENT}]), SIMULATED),
    "init container there": (pod(HERE, initContainers=[{"name": "i", "image": HERE}]), RUN),
    "selector that fits": (pod(HERE, nodeSelector={"kubernetes.io/os": "linux"}), RUN),
    "selector that does not fit": (pod(HERE, nodeSelector={"topology.kubernetes.io/zone": "local-b"}), SIMULATED),
    "selector of an unknown label": (pod(HERE, nodeSelector={"pool": "fast"}), SIMULATED),
    "required affinity": (
        pod(
            HERE,
            affinity={
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [ZONES]}}
            },
        ),
        SIMULATED,
    ),
    "required anti-affinity": (
        pod(HERE, affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [APART]}}),
        SIMULATED,
    ),
    "preferred anti-affinity": (
        pod(
            HERE,
            affinity={
                "podAntiAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": APART}]
                }
            },
        ),
        RUN,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_where_a_pod_goes(client: httpx.Client, case: str) -> None:
    body, wanted = CASES[case]
    assert decision(client, body) == wanted


def test_a_pod_that_runs_tolerates_the_real_node_and_pulls_nothing(client: httpx.Client) -> None:
    own = [{"key": "mine", "operator": "Exists"}]
    body = pod(
        HERE, initContainers=[{"name": "i", "image": HERE}], tolerations=own, nodeSelector={"kubernetes.io/os": "linux"}
    )
    body["spec"]["containers"][0]["imagePullPolicy"] = "Always"
    spec = created(client, body)
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux", LABEL: RUN}
    assert {"key": LABEL, "operator": "Equal", "value": RUN, "effect": "NoSchedule"} in spec["tolerations"]
    assert own[0] in spec["tolerations"]
    assert {c["imagePullPolicy"] for c in [*spec["containers"], *spec["initContainers"]]} == {"Never"}


def test_a_simulated_pod_is_kept_from_the_real_node(client: httpx.Client) -> None:
    spec = created(client, pod(ABSENT))
    assert spec["nodeSelector"] == {LABEL: SIMULATED}
    assert LABEL not in {toleration.get("key") for toleration in spec["tolerations"]}
    assert spec["containers"][0]["imagePullPolicy"] == "IfNotPresent"


def test_a_pod_that_names_its_node_is_left_alone(client: httpx.Client) -> None:
    assert "nodeSelector" not in created(client, pod(HERE, nodeName="node-0"))


def test_a_daemonset_is_placed_by_its_template(client: httpx.Client) -> None:
    def made(image: str) -> dict[str, Any]:
        template = {"metadata": {"labels": {"app": "agent"}}, "spec": pod(image)["spec"]}
        spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": template}
        body = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"}, "spec": spec}
        answer = client.post(f"{APPS}/daemonsets", json=body, params={"dryRun": "All"})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()["spec"]["template"]["spec"]
        return found

    assert made(HERE)["nodeSelector"] == {LABEL: RUN}
    assert made(HERE)["tolerations"][0]["key"] == LABEL
    assert made(ABSENT)["nodeSelector"] == {LABEL: SIMULATED}


def test_pods_move_when_their_image_comes(client: httpx.Client) -> None:
    later = "registry.example.com/later:1"
    template = {"metadata": {"labels": {"app": "moves"}}, "spec": pod(later)["spec"]}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "moves"}}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "moves"}, "spec": spec}
    assert client.post(f"{APPS}/deployments", json=body).status_code == 201

    def selectors() -> list[str]:
        pods = client.get("/api/v1/namespaces/default/pods", params={"labelSelector": "app=moves"}).json()["items"]
        return [p["spec"]["nodeSelector"][LABEL] for p in pods if "deletionTimestamp" not in p["metadata"]]

    try:
        until(lambda: selectors() == [SIMULATED], 30, lambda: str(selectors()))
        publish(client, [HERE, later], LABELS)
        until(lambda: selectors() == [RUN], 30, lambda: str(selectors()))
    finally:
        client.delete(f"{APPS}/deployments/moves")
        publish(client, [HERE], LABELS)


def test_withdrawal_leaves_nothing(plane: ControlPlane, client: httpx.Client) -> None:
    withdraw(client)
    try:
        assert decision(client, pod(HERE)) is None
        for kind in ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings"):
            items = client.get(f"/apis/admissionregistration.k8s.io/v1/{kind}").json()["items"]
            assert {item["metadata"]["name"] for item in items}.isdisjoint({"local-pods", "local-daemonsets"})
        withdraw(client)
    finally:
        publish(client, [HERE], LABELS)
