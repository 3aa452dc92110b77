"""A service: what is created, and what rolls its pods."""

from __future__ import annotations

from typing import Any

import pytest

from config.errors import ConfigError
from tests.components.graphs import inputs, recorded


def template(*replacements: tuple[str, str], name: str = "web", rotation: int = 1) -> Any:
    return inputs(recorded(*replacements, rotation=rotation), "Deployment", name)["spec"]["template"]


def container(name: str = "web") -> Any:
    return template(name=name)["spec"]["containers"][0]


def test_replicas_are_the_autoscalers() -> None:
    nodes = recorded()
    assert "replicas" not in inputs(nodes, "Deployment", "web")["spec"]
    scaler = inputs(nodes, "HorizontalPodAutoscaler", "web")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 4)
    targets = {m["resource"]["name"]: m["resource"]["target"]["averageUtilization"] for m in scaler["metrics"]}
    assert targets == {"cpu": 70, "memory": 80}


def test_pods_satisfy_restricted_pod_security() -> None:
    pod = template()["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    security = container()["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["readOnlyRootFilesystem"] is True


def test_no_token_is_mounted() -> None:
    assert template()["spec"]["automountServiceAccountToken"] is False
    assert inputs(recorded(), "ServiceAccount", "web")["automountServiceAccountToken"] is False


def test_what_it_uses_gives_variables_and_credentials() -> None:
    env = {item["name"]: item for item in container()["env"]}
    assert env["DB_HOST"]["value"] == "db.shop-staging.svc.cluster.local"
    assert env["DB_PORT"]["value"] == "5432"
    assert env["DB_DATABASE"]["value"] == "shop_staging"
    assert env["DB_PASSWORD"]["valueFrom"]["secretKeyRef"] == {"name": "app", "key": "db"}
    assert env["TOKEN"]["valueFrom"]["secretKeyRef"] == {"name": "app", "key": "token"}
    assert env["LOG_LEVEL"]["valueFrom"]["configMapKeyRef"] == {"name": "staging-config", "key": "LOG_LEVEL"}


def test_an_existing_store_is_reached_and_not_created() -> None:
    existing = (
        '    version: "16.4"\n',
        '    version: "16.4"\n    existing: {host: pg.example.com, port: 6432, cidr: 192.0.2.0/24}\n',
    )
    nodes = recorded(existing)
    env = {
        i["name"]: i.get("value")
        for i in inputs(nodes, "Deployment", "web")["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    assert (env["DB_HOST"], env["DB_PORT"]) == ("pg.example.com", "6432")
    egress = inputs(nodes, "NetworkPolicy", "web-network")["spec"]["egress"]
    assert egress == [{"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"protocol": "TCP", "port": 6432}]}]
    assert not [n for n in nodes if n["name"] == "db-network"]


def notes(*replacements: tuple[str, str], name: str) -> Any:
    return template(*replacements, name=name)["metadata"]["annotations"]


def test_a_changed_key_rolls_exactly_its_readers() -> None:
    queue, unread = ("QUEUE: orders", "QUEUE: other"), ("WORKERS: 4", "WORKERS: 5")
    assert notes(queue, name="worker") != notes(name="worker")
    assert notes(queue, name="web") == notes(name="web")
    assert notes(unread, name="web") == notes(name="web")


def test_a_rotation_rolls_exactly_its_readers() -> None:
    assert template(rotation=2)["metadata"]["annotations"] != template()["metadata"]["annotations"]
    assert template(rotation=2, name="worker") == template(name="worker")


def test_spread_over_zones() -> None:
    zones, hosts = template()["spec"]["topologySpreadConstraints"]
    assert (zones["topologyKey"], zones["whenUnsatisfiable"]) == ("topology.kubernetes.io/zone", "DoNotSchedule")
    assert hosts["topologyKey"] == "kubernetes.io/hostname"


def test_no_zone_is_asked_for_where_none_is_declared() -> None:
    """On nodes without the label a hard constraint keeps pods Pending, and a soft one voids the scores of the others."""
    nodes = recorded(("100Gi, zones: 3", "100Gi"))
    constraints = [
        term
        for found in nodes
        if found["type"].endswith((":Deployment", ":StatefulSet"))
        for term in found["inputs"]["spec"]["template"]["spec"]["topologySpreadConstraints"]
    ]
    assert {term["topologyKey"] for term in constraints} == {"kubernetes.io/hostname"}


def test_a_disruption_leaves_all_but_one() -> None:
    assert inputs(recorded(), "PodDisruptionBudget", "web")["spec"]["minAvailable"] == 1


def test_the_tag_comes_from_the_stack() -> None:
    assert container()["image"] == "registry.example.com/web:1.0.0"


def test_a_stack_without_the_tag_is_told() -> None:
    renamed = (("  worker:\n", "  other:\n"),)
    with pytest.raises(ConfigError, match="names no image tag for 'other'"):
        recorded(*renamed)


def test_metrics_port_is_named() -> None:
    assert {"name": "metrics", "containerPort": 9090, "protocol": "TCP"} in container()["ports"]
