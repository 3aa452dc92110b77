"""Redis as objects; what its configuration does is shown in test_redis_failover.py."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.kinds.redis import environment, files, members
from config.derivation.derive import derive
from config.kinds import Redis
from config.loader import load
from review.graph import Node, graph
from tests.components.graphs import inputs, node, recorded

SINGLE = (
    ("kind: postgresql", "kind: redis\n    sentinel: false\n    nodes: 1"),
    ('version: "16.4"', "version: 7.2.6"),
    ("    database: shop_{environment}\n", ""),
)
ROTATED = (
    ("kind: postgresql", "kind: redis\n    nodes: 3"),
    ('version: "16.4"', "version: 7.2.6"),
    ("    database: shop_{environment}\n", ""),
)


@pytest.fixture(scope="module")
def staging() -> tuple[Node, ...]:
    return tuple(graph("staging"))


def env(container: Any) -> dict[str, Any]:
    return {item["name"]: item for item in container["env"]}


def test_the_seeds_figures(staging: tuple[Node, ...]) -> None:
    spec = inputs(staging, "StatefulSet", "redis")["spec"]
    assert spec["replicas"] == 3
    assert spec["selector"]["matchLabels"]["app"] == "redis"
    redis, exporter = spec["template"]["spec"]["containers"]
    assert redis["resources"] == {
        "requests": {"cpu": "250m", "memory": "1G"},
        "limits": {"cpu": "500m", "memory": "2G"},
    }
    assert redis["image"] == "redis:7.2.6"
    assert [port["containerPort"] for port in (*redis["ports"], *exporter["ports"])] == [6379, 9121]
    assert inputs(staging, "StatefulSet", "redis-sentinel")["spec"]["replicas"] == 3
    for index in range(3):
        claim = inputs(staging, "PersistentVolumeClaim", f"data-redis-{index}")
        assert claim["spec"]["resources"]["requests"]["storage"] == "10G"
        assert inputs(staging, "PersistentVolumeClaim", f"data-redis-sentinel-{index}")
    files = inputs(staging, "ConfigMap", "redis")["data"]
    for line in (
        "appendonly yes",
        "appendfsync always",
        "latency-monitor-threshold 50",
        "loglevel debug",
        "protected-mode yes",
        "min-replicas-to-write 1",
        "repl-diskless-sync-delay 0",
        "repl-backlog-size 125000000",
    ):
        assert line in files["redis.conf"].splitlines()
    assert {port["port"] for port in inputs(staging, "Service", "redis-sentinel")["spec"]["ports"]} == {26379}


def test_production_is_less_talkative() -> None:
    lines = inputs(tuple(graph("production")), "ConfigMap", "redis")["data"]["redis.conf"].splitlines()
    assert {"appendfsync always", "latency-monitor-threshold 100", "loglevel notice"} <= set(lines)


def test_the_services_lead_to_the_proxy_by_role(staging: tuple[Node, ...]) -> None:
    proxy = inputs(staging, "Deployment", "redis-proxy")["spec"]
    for name, target in (("redis-master", 6379), ("redis-replicas", 6380)):
        spec = inputs(staging, "Service", name)["spec"]
        assert spec["selector"] == proxy["selector"]["matchLabels"]
        assert spec["ports"] == [{"name": "redis", "port": 6379, "targetPort": target, "protocol": "TCP"}]
    assert proxy["replicas"] == 2
    assert proxy["template"]["spec"]["automountServiceAccountToken"] is False
    assert inputs(staging, "ServiceAccount", "redis")["automountServiceAccountToken"] is False


def test_no_pods_are_selected_by_two_services_of_another_role(staging: tuple[Node, ...]) -> None:
    roles = {
        found["name"]: found["inputs"]["spec"]["selector"]["app.kubernetes.io/component"]
        for found in staging
        if found["type"].endswith(":Service") and found["name"].startswith("redis")
    }
    nodes = dict.fromkeys(("redis", "redis-0", "redis-1", "redis-2"), "node")
    sentinels = {f"redis-sentinel{which}": "sentinel" for which in ("", "-0", "-1", "-2")}
    assert roles == {**nodes, **sentinels, "redis-master": "proxy", "redis-replicas": "proxy"}


def test_names_find_pods_that_are_not_ready(staging: tuple[Node, ...]) -> None:
    """After a restart of everything nobody is Ready before the others are found."""
    for name in ("redis", "redis-sentinel"):
        spec = inputs(staging, "Service", name)["spec"]
        assert (spec["clusterIP"], spec["publishNotReadyAddresses"]) == ("None", True)
        assert inputs(staging, "StatefulSet", name)["spec"]["serviceName"] == name


def test_names_of_the_members_are_their_services(staging: tuple[Node, ...]) -> None:
    store = derive(load("spacetime"), "staging")[0].components["redis"]
    assert isinstance(store, Redis)
    nodes, sentinels = members("redis", "staging", store)
    assert nodes[0] == "redis-0.staging.svc.cluster.local"
    assert sentinels[2] == "redis-sentinel-2.staging.svc.cluster.local"
    redis = inputs(staging, "StatefulSet", "redis")["spec"]["template"]["spec"]["containers"][0]
    assert env(redis)["NODES"]["value"] == " ".join(nodes)
    assert env(redis)["SELF"]["value"] == "$(POD).staging.svc.cluster.local"


def test_users_of_the_data_do_not_get_the_internal_password(staging: tuple[Node, ...]) -> None:
    game = inputs(staging, "Deployment", "game-server")["spec"]["template"]["spec"]["containers"][0]
    keys = [
        item["valueFrom"]["secretKeyRef"]["key"] for item in game["env"] if "secretKeyRef" in item.get("valueFrom", {})
    ]
    assert "redis-password" in keys
    assert "redis-internal-password" not in keys


def test_a_rotation_is_told_before_the_pods_roll() -> None:
    before, after = recorded(*ROTATED), recorded(*ROTATED, rotation=2)
    assert not [n for n in before if n["name"] == "db-rotation" and n["type"].endswith(":Job")]
    job = node(after, "Job", "db-rotation")
    for kind, name in (("StatefulSet", "db"), ("StatefulSet", "db-sentinel"), ("Deployment", "db-proxy")):
        assert job["urn"] in node(after, kind, name)["depends_on"]
        annotations = [
            inputs(graph_, kind, name)["spec"]["template"]["metadata"]["annotations"] for graph_ in (before, after)
        ]
        assert annotations[0] != annotations[1]
    [container] = job["inputs"]["spec"]["template"]["spec"]["containers"]
    assert env(container)["PASSWORD_PREVIOUS"]["valueFrom"]["secretKeyRef"] == {
        "name": "app",
        "key": "db-previous",
        "optional": True,
    }


def test_a_single_redis_has_neither_sentinels_nor_a_proxy() -> None:
    nodes = recorded(*SINGLE)
    found = {(n["type"].rpartition(":")[2], n["name"]) for n in nodes if n["name"].startswith(("db", "data-db"))}
    assert ("StatefulSet", "db") in found
    assert not {name for _, name in found if "sentinel" in name or "proxy" in name or "master" in name}
    service = inputs(nodes, "Service", "db")["spec"]
    assert service["selector"] == {"app": "db", "app.kubernetes.io/component": "node"}
    env_ = env(inputs(nodes, "Deployment", "web")["spec"]["template"]["spec"]["containers"][0])
    assert env_["DB_HOST"]["value"] == "db.shop-staging.svc.cluster.local"
    assert "min-replicas" not in inputs(nodes, "ConfigMap", "db")["data"]["redis.conf"]


def test_a_sentinel_takes_over_what_an_earlier_release_knew(tmp_path: Path) -> None:
    """Members were known by their pods' names: by their Services' now, and each once."""
    store = derive(load("spacetime"), "staging")[0].components["redis"]
    assert isinstance(store, Redis)
    programs, data, run, config = (tmp_path / name for name in ("bin", "data", "run", "config"))
    for folder in (programs, data, run, config):
        folder.mkdir()
    for name in ("redis-server", "getent"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    old = ".staging.svc.cluster.local"
    (data / "sentinel.conf").write_text(
        f"sentinel monitor mymaster redis-1.redis{old} 6379 2\n"
        f'sentinel known-replica mymaster "redis-0.redis{old}" 6379\n'
        f"sentinel known-replica mymaster redis-2.redis{old} 6379\n"
        f"sentinel known-replica mymaster redis-2{old} 6379\n"
        f"sentinel known-sentinel mymaster redis-sentinel-1.redis-sentinel{old} 26379 abc\n"
    )
    variables = {
        **environment("redis", "staging", store),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "CONFIG": str(config),
        "DATA": str(data),
        "RUN": str(run),
        "SELF": "x",
        "PASSWORD": "p",
        "INTERNAL_PASSWORD": "i",
    }
    for name, text in files("redis", "staging", store).items():
        (config / name).write_text(text)
    subprocess.run(["sh", str(config / "sentinel.sh")], env=variables, check=True)
    found = [line for line in (data / "sentinel.conf").read_text().splitlines() if "cluster.local" in line]
    assert found == [
        f"sentinel monitor mymaster redis-1{old} 6379 2",
        f'sentinel known-replica mymaster "redis-0{old}" 6379',
        f"sentinel known-replica mymaster redis-2{old} 6379",
        f"sentinel known-sentinel mymaster redis-sentinel-1{old} 26379 abc",
    ]
