"""The declared peak, and whether the nodes hold it."""

from __future__ import annotations

from config.derivation.capacity import ceiling, peak, unfit
from config.derivation.derive import derive
from config.loader import load
from config.model.quantity import Cpu, Memory
from tests.systems import system


def test_the_peak_counts_maxima_surge_and_volumes() -> None:
    resolved, _ = derive(system(), "production")
    found = peak(resolved)
    assert found.pods == (4 + 1) + (2 + 1) + 1 + (1 + 1)
    assert (
        found.requests_cpu == Cpu.parse("500m") * 5 + Cpu.parse("100m") * 3 + Cpu.parse("1020m") + Cpu.parse("50m") * 2
    )
    services = Memory.parse("1Gi") * 5 + Memory.parse("256Mi") * 3
    assert found.limits_memory == services + Memory.parse("4Gi") + Memory.parse("64M") + Memory.parse("256M") * 2
    assert (found.volumes, str(found.storage)) == (1, "20Gi")


def test_what_others_run_is_not_counted() -> None:
    existing = (
        '    version: "16.4"\n',
        '    version: "16.4"\n    existing: {host: pg.example.com, port: 5432, cidr: 192.0.2.0/24}\n',
    )
    resolved, _ = derive(system(existing), "production")
    assert peak(resolved).volumes == 0


def test_a_mesh_adds_its_proxy_to_every_pod() -> None:
    resolved, _ = derive(load("quikapp"), "production")
    without = {name: c for name, c in resolved.components.items() if c.kind != "istio"}
    plain, meshed = peak(resolved.model_copy(update={"components": without})), peak(resolved)
    assert meshed.requests_cpu == plain.requests_cpu + Cpu.parse("50m") * plain.pods


def test_pods_have_to_fit_with_their_proxies() -> None:
    resolved, _ = derive(load("quikapp"), "staging")
    assert unfit(resolved) == []
    nodes = resolved.environment.cluster.nodes.model_copy(update={"cpu": Cpu.parse("3500m")})
    cluster = resolved.environment.cluster.model_copy(update={"nodes": nodes})
    tight = resolved.model_copy(update={"environment": resolved.environment.model_copy(update={"cluster": cluster})})
    assert unfit(tight)
    without = {name: c for name, c in tight.components.items() if c.kind != "istio"}
    assert unfit(tight.model_copy(update={"components": without})) == []


def test_what_only_one_environment_has_may_come_on_top_of_productions_peak() -> None:
    system = load("quikapp")
    production, staging = (derive(system, name)[0] for name in ("production", "staging"))
    assert peak(staging).pods == peak(production).pods + 1
    assert ceiling(staging, production).pods == peak(staging).pods
    assert ceiling(production, production) == peak(production)


def test_a_quota_says_megabytes() -> None:
    hard = peak(derive(load("spacetime"), "staging")[0]).hard()
    assert hard["requests.memory"].endswith(("M", "G"))
    assert hard["limits.memory"].endswith(("M", "G"))


def test_spacetimes_staging_fits_the_recommended_cluster() -> None:
    resolved, _ = derive(load("spacetime"), "staging")
    nodes = resolved.environment.cluster.nodes
    assert 3 <= nodes.count <= 5
    assert nodes.cpu * nodes.count == Cpu.parse(32)
    assert nodes.memory * nodes.count == Memory.parse("128G")
    assert str(nodes.storage) == "500G"
    assert nodes.zones == 3
    assert unfit(resolved) == []


def test_a_pod_larger_than_a_node_is_named() -> None:
    resolved, _ = derive(system(("count: 3, cpu: 4, memory: 16Gi", "count: 9, cpu: 4, memory: 900Mi")), "staging")
    assert any("1 pod(s) of 'db' find no room on 9 nodes" in message for message in unfit(resolved))
