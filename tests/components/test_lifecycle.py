"""How long-running containers stop, and when they are Ready: of all shipped stacks, and of kinds that only others have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from review.graph import STACKS, Node
from tests.components.graphs import inputs, node, recorded, shipped
from tests.systems import WATCHED

REPLICATED = (('    version: "16.4"\n', '    version: "16.4"\n    nodes: 2\n'),)
CLUSTERED = (
    ("kind: postgresql", "kind: redis\n    nodes: 3"),
    ('version: "16.4"', "version: 7.2.6"),
    ("    database: shop_{environment}\n", ""),
)
READY = {
    ("Alertmanager", "own"): "GET /-/ready",
    ("Alloy", "own"): "GET /-/ready",
    ("CloudWatchExporter", "own"): "GET /healthz",
    ("CockroachDB", "own"): "GET /health?ready=1",  # false while it drains
    ("Elasticsearch", "own"): "open 9399",  # its readiness port, which is closed until it takes requests
    ("Grafana", "own"): "GET /api/health",  # its database answers
    ("Jaeger", "own"): "GET /",  # of the port for health: 503 until all of it runs
    ("Kibana", "own"): "GET /login",  # 503 until it has reached Elasticsearch
    ("KubeStateMetrics", "own"): "GET /readyz",
    ("Logstash", "own"): "GET /_node/pipelines/main",  # 404 until the pipeline runs
    ("Loki", "own"): "GET /ready",
    ("OAuth2Proxy", "own"): "GET /ready",
    # an exporter that fails must not take the store from its users: it says only that it runs
    ("PostgreSQL", "exporter"): "GET /",
    ("PostgreSQL", "own"): "sh ready.sh",
    ("Prometheus", "own"): "GET /-/ready",
    ("Redis", "exporter"): "GET /health",
    ("Redis", "own"): "sh ready.sh",
    # it is started when it has found the master (its startup probe); without a master it stays, and sees the next one
    ("Redis", "proxy"): "GET /healthz",
    ("Redis", "sentinel"): "sh sentinel-ready.sh",
    ("Service", "own"): "as declared",
}
"""Kind and container to what makes it Ready: that it is of use, and not only that its process runs."""
WITHOUT_A_HOOK = {
    ("PostgreSQL", "exporter"): "a scrape is missed",
    ("Redis", "exporter"): "a scrape is missed",
}
"""Containers of pods that others replace while they stop, which stop at the signal at once, and why they may."""


@dataclass(frozen=True)
class Container:
    """A container of a workload, of whichever stack."""

    where: str
    key: tuple[str, str]
    spec: Any
    pod: Any
    replaced: bool
    """Another pod takes its work while it stops: not of ``Recreate``, where nothing does until it is gone."""


def containers(where: str, nodes: list[Node] | tuple[Node, ...]) -> Iterator[Container]:
    for found in nodes:
        if found["type"] not in ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet"):
            continue
        kind, _, component = found["parent"].rpartition(":")[0].rstrip(":").rpartition(":")[2], "", found["parent"]
        owner = component.rpartition("::")[2]
        spec = found["inputs"]["spec"]
        replaced = spec.get("strategy", {}).get("type") != "Recreate"
        pod = spec["template"]["spec"]
        for container in pod["containers"]:
            own = container["name"] == owner
            yield Container(
                f"{where}: {found['name']}/{container['name']}",
                (kind, "own" if own else container["name"]),
                container,
                pod,
                replaced,
            )


@cache
def everything() -> tuple[Container, ...]:
    found: list[Container] = []
    for stack in STACKS:
        found += containers(stack, shipped(stack))
    for name, nodes in (("small", recorded(*WATCHED, *REPLICATED)), ("small with Redis", recorded(*CLUSTERED))):
        found += containers(name, nodes)
    return tuple(found)


def asked(container: Container) -> str:
    """What the readiness probe asks, in short."""
    probe = container.spec["readinessProbe"]
    if "exec" in probe:
        shell, script = probe["exec"]["command"]
        return f"{Path(shell).name} {Path(script).name}"
    if "tcpSocket" in probe:
        return f"open {probe['tcpSocket']['port']}"
    return "as declared" if container.key[0] == "Service" else f"GET {probe['httpGet']['path']}"


def test_ready_means_of_use() -> None:
    assert {(c.key, asked(c)) for c in everything()} == set(READY.items())


def test_who_is_replaced_while_it_stops_goes_on_until_nobody_calls() -> None:
    """A hook before the stop signal: the kubelet's pause, or a script."""
    without = {c.key for c in everything() if c.replaced and c.spec.get("ports") and "lifecycle" not in c.spec}
    assert without == WITHOUT_A_HOOK.keys()
    hooks = [c.spec["lifecycle"]["preStop"] for c in everything() if "lifecycle" in c.spec]
    assert all("exec" in hook or hook["sleep"]["seconds"] >= 5 for hook in hooks)


def test_there_is_time_for_the_hook_and_the_stop() -> None:
    for container in everything():
        grace = container.pod["terminationGracePeriodSeconds"]
        hook = container.spec.get("lifecycle", {}).get("preStop", {})
        pause = hook["sleep"]["seconds"] if "sleep" in hook else 0
        assert grace - pause >= 30, container.where
        if "exec" in hook:
            assert grace >= 30, container.where


def after(nodes: tuple[Node, ...], later: Node, earlier: Node) -> bool:
    """Whether one waits for the other, through whatever is between them."""
    known = {found["urn"]: found for found in nodes}
    seen, todo = set(), [later["urn"]]
    while todo:
        urn = todo.pop()
        if urn == earlier["urn"]:
            return True
        if urn not in seen and urn in known:
            seen.add(urn)
            todo += known[urn]["depends_on"]
    return False


@pytest.mark.parametrize("replacements", [REPLICATED, CLUSTERED])
def test_what_rolls_by_a_rotation_rolls_after_the_job_that_tells_it(replacements: tuple[tuple[str, str], ...]) -> None:
    before, rotated = recorded(*replacements), recorded(*replacements, rotation=2)
    job = node(rotated, "Job", "db-rotation")

    def digest(nodes: tuple[Node, ...], kind: str, name: str) -> str:
        found = inputs(nodes, kind, name)["spec"]["template"]["metadata"]["annotations"]
        return str(found.get("understudy.dev/secrets"))

    workloads = [
        (kind, found["name"])
        for found in rotated
        if (kind := found["type"].rpartition(":")[2]) in ("StatefulSet", "Deployment")
        and (found["name"] == "db" or found["name"].startswith("db-"))
    ]
    rolling = [workload for workload in workloads if digest(before, *workload) != digest(rotated, *workload)]
    assert ("StatefulSet", "db") in rolling
    for kind, name in rolling:
        assert after(rotated, node(rotated, kind, name), job), name
    assert not after(rotated, job, node(rotated, "StatefulSet", "db"))


def test_sentinels_roll_before_nodes_and_nodes_before_proxies() -> None:
    nodes = recorded(*CLUSTERED)
    sentinels, members = node(nodes, "StatefulSet", "db-sentinel"), node(nodes, "StatefulSet", "db")
    proxies = node(nodes, "Deployment", "db-proxy")
    assert after(nodes, members, sentinels)
    assert after(nodes, proxies, members)
    # the Sentinels know what was replaced before the next one goes: they ask nodes every 10 s, each other every second
    assert members["inputs"]["spec"]["minReadySeconds"] > 10
    assert sentinels["inputs"]["spec"]["minReadySeconds"] > 2


@pytest.mark.parametrize(("replacements", "names"), [(REPLICATED, ["PRIMARY"]), (CLUSTERED, ["NODES", "SENTINELS"])])
def test_members_meet_at_addresses_that_stay(replacements: tuple[tuple[str, str], ...], names: list[str]) -> None:
    """The names that they are told are Services' with an address, each of which leads to one pod, Ready or not."""
    nodes = recorded(*replacements)
    [own, *_] = inputs(nodes, "StatefulSet", "db")["spec"]["template"]["spec"]["containers"]
    env = {item["name"]: item.get("value", "") for item in own["env"]}
    hosts = [host for name in names for host in env[name].split()]
    assert hosts
    for host in hosts:
        name, _, suffix = host.partition(".")
        assert suffix == "shop-staging.svc.cluster.local"
        spec = inputs(nodes, "Service", name)["spec"]
        assert "clusterIP" not in spec
        assert spec["publishNotReadyAddresses"] is True
        assert spec["selector"]["statefulset.kubernetes.io/pod-name"] == name
