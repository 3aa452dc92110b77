"""The program makes the workloads, volumes and Services that kinds state."""

from __future__ import annotations

from typing import Any

import pytest

from config.derivation.derive import derive
from config.loader import load
from config.model.workloads import ContainerSpec, WorkloadSpec, as_inputs
from review.graph import Node
from tests.components.graphs import shipped

STACKS = [
    ("staging", "spacetime", "staging"),
    ("production", "spacetime", "production"),
    ("quikapp-staging", "quikapp", "staging"),
    ("quikapp-production", "quikapp", "production"),
]
TEMPLATES = {"CronJob": ("spec", "jobTemplate", "spec", "template")}


def owned(nodes: tuple[Node, ...]) -> dict[str, list[Node]]:
    """Component to the Kubernetes objects below its component resource; those of manifests are their own statement."""
    by_urn = {node["urn"]: node for node in nodes}
    below: dict[str, list[Node]] = {}
    for node in nodes:
        above = by_urn.get(node["parent"] or "")
        if above is not None and node["type"].startswith("kubernetes:") and above["type"].startswith("understudy:"):
            below.setdefault(above["name"], []).append(node)
    return below


def at(node: Any, *path: str) -> Any:
    for part in path:
        node = node.get(part, {})
    return node


@pytest.mark.parametrize(("stack", "system", "environment"), STACKS)
def test_workloads_volumes_and_services_are_as_stated(stack: str, system: str, environment: str) -> None:
    objects = owned(shipped(stack))
    components = derive(load(system), environment)[0].components
    compared = 0
    for name, component in components.items():
        if not component.namespaced or component.existing or component.kind == "manifests":
            continue
        stated = {(workload.controller, workload.name): workload for workload in component.workloads(name)}
        own_objects = objects.get(name, [])
        for node in own_objects:
            body, kind = node["inputs"], node["type"].rpartition(":")[2]
            if kind in ("Deployment", "StatefulSet", "Job", "CronJob"):
                compare(stated[kind, node["name"]], body, component)
                compared += 1
        volumes = {
            n["name"]: at(n["inputs"], "spec", "resources", "requests", "storage") for n in own_objects if claim(n)
        }
        assert volumes == {claim: str(size) for claim, size in component.volumes(name).items()}
        services = {n["name"] for n in own_objects if n["type"] == "kubernetes:core/v1:Service"}
        assert services == {service for workload in stated.values() for service in workload.services}
        rendered = {(n["type"].rpartition(":")[2], n["name"]) for n in own_objects}
        assert {key for key in stated if not key[1].endswith("-rotation")} <= rendered
    assert compared > 5


def claim(node: Node) -> bool:
    return str(node["type"]).endswith(":PersistentVolumeClaim")


def compare(stated: WorkloadSpec, body: Any, component: Any) -> None:
    template = at(body, *TEMPLATES.get(stated.controller, ("spec", "template")))
    if stated.controller in ("Deployment", "StatefulSet"):
        assert body["spec"].get("replicas") == (None if stated.minimum else stated.pods)
    if stated.replicas and not stated.minimum:
        assert component.declared(stated.replicas) == stated.pods
    rendered = template["spec"].get("initContainers", []), template["spec"]["containers"]
    for containers, init in zip(rendered, (True, False), strict=True):
        specs = {spec.name: spec for spec in stated.containers if spec.init is init}
        assert specs.keys() == {container["name"] for container in containers}
        for container in containers:
            spec = specs[container["name"]]
            declared = component.declared(spec.resources).model_dump(mode="json", exclude_none=True)
            assert container["resources"] == declared
            listens = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
            assert listens == {port.name: port.number for port in spec.ports}


def test_a_statement_as_data_leaves_defaults_out() -> None:
    stated = WorkloadSpec("web", "Deployment", (ContainerSpec("web"),), pods=2, replicas="nodes")
    assert as_inputs(stated) == {
        "name": "web",
        "controller": "Deployment",
        "containers": [{"name": "web"}],
        "pods": 2,
        "replicas": "nodes",
    }
