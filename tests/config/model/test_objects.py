"""``kind: manifests``: every kind's pods are counted and scaled, and a mistake is said with its line."""

from __future__ import annotations

from typing import Any

import pytest

from config.derivation.capacity import peak
from config.errors import ConfigError
from config.model.quantity import Cpu, Memory
from tests.declared import declared, resolved

AMOUNTS = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "100m", "memory": "128Mi"}}


def pod(**more: Any) -> dict[str, Any]:
    return {"containers": [{"name": "c", "image": "a:1.0.0", "resources": AMOUNTS}], **more}


def workload(kind: str = "Deployment", spec: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    template = {"template": {"spec": spec or pod()}}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "x"}, "spec": {**template, **more}}


def extra(*objects: dict[str, Any], environment: str = "staging") -> Any:
    """What the objects add to the peak: pods, millicores, claims."""
    with_them = peak(resolved(declared(objects=list(objects)), environment))
    without = peak(resolved(declared(), environment))
    cpu = (with_them.requests_cpu.value - without.requests_cpu.value) * 1000
    return with_them.pods - without.pods, int(cpu), with_them.volumes - without.volumes


@pytest.mark.parametrize(
    ("body", "counted"),
    [
        (workload("DaemonSet"), (4, 400, 0)),
        (workload(replicas=4), (5, 500, 0)),
        (workload(replicas=4, strategy={"rollingUpdate": {"maxSurge": 3}}), (7, 700, 0)),
        (workload(replicas=4, strategy={"type": "Recreate"}), (4, 400, 0)),
        (workload("Rollout", replicas=8), (10, 1000, 0)),
        (workload("Job", parallelism=5), (5, 500, 0)),
        (workload(spec=pod(initContainers=[{"name": "i", "resources": {"requests": {"cpu": 1}}}])), (2, 2000, 0)),
        (
            workload(spec=pod(initContainers=[{"name": "s", "restartPolicy": "Always", "resources": AMOUNTS}])),
            (2, 400, 0),
        ),
        (workload(spec={"containers": [{"name": "c"}]}), (2, 100, 0)),
        (
            workload(
                "StatefulSet",
                replicas=3,
                volumeClaimTemplates=[
                    {"metadata": {"name": "d"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}
                ],
            ),
            (3, 300, 3),
        ),
    ],
)
def test_pods_are_counted(body: dict[str, Any], counted: tuple[int, int, int]) -> None:
    assert extra(body) == counted


def test_an_autoscaler_says_how_many_there_may_be() -> None:
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "x"},
        "spec": {"scaleTargetRef": {"name": "x"}, "minReplicas": 1, "maxReplicas": 8},
    }
    assert extra(workload(), scaler) == (10, 1000, 0)


def test_the_items_of_a_list_stand_for_themselves() -> None:
    assert extra({"apiVersion": "v1", "kind": "List", "items": [workload(replicas=4)]}) == (5, 500, 0)


@pytest.mark.parametrize(
    ("cpu", "memory", "scaled"),
    [(0.5, "1Gi", ("250m", "512Mi")), (".5", "1e9", ("250m", "500000000")), ("10m", "33M", ("10m", "32M"))],
)
def test_amounts_scale_to_the_floor_however_they_are_written(cpu: object, memory: str, scaled: tuple[str, str]) -> None:
    body = workload(spec={"containers": [{"name": "c", "resources": {"requests": {"cpu": cpu, "memory": memory}}}]})
    found = resolved(declared(objects=[{**body, "scale": ["cpu", "memory"]}])).components["extra"].objects[0].spec
    requests = found["template"]["spec"]["containers"][0]["resources"]["requests"]
    assert (requests["cpu"], requests["memory"]) == scaled


@pytest.mark.parametrize("empty", [{"requests": None, "limits": None}, None])
def test_null_is_absent(empty: Any) -> None:
    body = workload(spec={"containers": [{"name": "c", "resources": empty}]}, replicas=None)
    body["metadata"]["labels"] = None
    assert extra(body) == (2, 100, 0)


MISWRITTEN: list[Any] = ["Ei", "-1", "1n", "much", "1e", True, [1], {}]
"""Not amounts of CPU."""


@pytest.mark.parametrize(
    "spoiled",
    [
        workload(spec={"containers": [{"name": "c", "resources": {"requests": {"cpu": written}}}]})
        for written in MISWRITTEN
    ]
    + [
        workload(spec={"containers": [None]}),
        workload(spec={"containers": "c"}),
        workload(spec={"containers": [{"env": "A"}]}),
        workload(spec={"containers": [{"resources": "many"}]}),
        workload(replicas="three"),
        workload(replicas=-1),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "A B"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": ["x"]}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"a": "aHVudGVyMg=="}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"a": "hunter2"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}},
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "default-deny"}},
    ],
)
def test_a_mistake_is_said_with_its_line_and_without_secrets(spoiled: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        resolved(declared(objects=[spoiled]))
    assert all(problem.line for problem in caught.value.problems)
    assert "hunter2" not in str(caught.value)
    assert "aHVudGVy" not in str(caught.value)


def test_two_objects_of_one_name_are_a_mistake() -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}
    with pytest.raises(ConfigError, match="a second ConfigMap 'a'"):
        resolved(declared(objects=[body, body]))


def test_a_change_to_nothing_is_said_with_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        resolved(declared(("configuration.data.LOG_LEVEL: debug", "configuration.data.LOG_LEVEL: null")))
    assert caught.value.problems[0].line


@pytest.mark.parametrize(
    ("kind", "written", "read"),
    [
        (Cpu, ".5", "500m"),
        (Cpu, "1e0", "1"),
        (Cpu, "2000u", "2m"),
        (Memory, "128974848000m", "128974848"),
        (Memory, "1Ei", "1Ei"),
    ],
)
def test_the_whole_grammar_of_quantities_is_read(kind: Any, written: str, read: str) -> None:
    assert str(kind.parse(written)) == read
