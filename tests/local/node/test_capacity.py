"""What the pods that run ask for, against what the machine has."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import httpx
import pytest

from local.node.capacity import check, needed
from local.node.requirements import UnmetRequirement


def workload(kind: str, image: str, cpu: str = "500m", memory: str = "1Gi", **spec: Any) -> dict[str, Any]:
    container = {"image": image, "resources": {"requests": {"cpu": cpu}, "limits": {"memory": memory}}}
    metadata = {"name": "web", "namespace": "shop"}
    return {"kind": kind, "metadata": metadata, "spec": {"template": {"spec": {"containers": [container]}}, **spec}}


SCALER = {
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 3},
}
POD = {"kind": "Pod", "metadata": {"name": "a"}, "spec": workload("Pod", "a")["spec"]["template"]["spec"]}
GIBIBYTE = 2**30


@pytest.mark.parametrize(
    ("objects", "cpu", "pods"),
    [
        ([workload("StatefulSet", "a", replicas=2)], 1, 2),
        ([workload("Deployment", "a")], Fraction(1, 2), 1),
        ([workload("Deployment", "a"), SCALER], Fraction(3, 2), 3),
        ([workload("DaemonSet", "a")], Fraction(1, 2), 1),
        ([workload("Deployment", "absent", replicas=9)], 0, 0),
        ([workload("Job", "a")], 0, 0),
        (
            [{"kind": "Pod", "metadata": {"name": "a"}, "spec": workload("Pod", "a")["spec"]["template"]["spec"]}],
            Fraction(1, 2),
            1,
        ),
    ],
)
def test_pods_that_stay_and_can_run_count(objects: list[dict[str, Any]], cpu: Fraction, pods: int) -> None:
    assert needed(objects, {"a"}) == (Fraction(cpu), Fraction(pods * GIBIBYTE))


def test_a_large_init_container_counts_instead() -> None:
    body = workload("Deployment", "a")
    resources = {"requests": {"cpu": "2", "memory": "1Mi"}}
    body["spec"]["template"]["spec"]["initContainers"] = [{"image": "a", "resources": resources}]
    assert needed([body], {"a"}) == (Fraction(2), Fraction(GIBIBYTE))


def test_what_does_not_fit_is_refused_in_figures() -> None:
    def answers(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"status": {"allocatable": {"cpu": "2", "memory": "8Gi"}}})

    with httpx.Client(base_url="https://127.0.0.1", transport=httpx.MockTransport(answers)) as client:
        check(client, [workload("Deployment", "a", replicas=4)], {"a"})
        with pytest.raises(
            UnmetRequirement, match=r"ask for 2\.5 CPU and 5 GiB of memory; this machine gives 2 and 8 GiB"
        ) as raised:
            check(client, [workload("Deployment", "a", replicas=5)], {"a"})
        with pytest.raises(UnmetRequirement, match=r"ask for 0\.2 CPU and 16 GiB"):
            check(client, [workload("Deployment", "a", "100m", "8Gi", replicas=2)], {"a"})
    assert raised.value.exit_code == 2
