"""Arithmetic of disruptions: what the autoscaler keeps, what a budget leaves, and what a zone or a node takes."""

from __future__ import annotations

from math import ceil

import pytest

from tests.components.application import shipped, spec

SERVICES = ("backend", "auth-service", "user-service", "message-service", "search-service")
ZONES = 3


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("name", SERVICES)
def test_three_to_five_pods_over_the_zones_and_two_that_stay(environment: str, name: str) -> None:
    nodes = shipped(f"quikapp-{environment}")
    scaler, budget = spec(nodes, "HorizontalPodAutoscaler", name), spec(nodes, "PodDisruptionBudget", name)
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 5)
    targets = {m["resource"]["name"]: m["resource"]["target"]["averageUtilization"] for m in scaler["metrics"]}
    assert targets == {"cpu": 70, "memory": 80}
    assert scaler["scaleTargetRef"]["name"] == name
    assert budget["minAvailable"] == 2
    zone, node = spec(nodes, "Deployment", name)["template"]["spec"]["topologySpreadConstraints"]
    assert (zone["topologyKey"], zone["maxSkew"], zone["whenUnsatisfiable"]) == (
        "topology.kubernetes.io/zone",
        1,
        "DoNotSchedule",
    )
    assert node["topologyKey"] == "kubernetes.io/hostname"
    for pods in range(scaler["minReplicas"], scaler["maxReplicas"] + 1):
        # skew 1: no zone has more than its share, rounded up; a node has at most what its zone has
        assert pods - ceil(pods / ZONES) >= budget["minAvailable"]
        # and all of them find a place in the zones that are left
        assert ceil(pods / (ZONES - 1)) - pods // (ZONES - 1) <= zone["maxSkew"]


@pytest.mark.parametrize("name", SERVICES)
def test_an_update_takes_none_away(name: str) -> None:
    rolling = spec(shipped(), "Deployment", name)["strategy"]["rollingUpdate"]
    assert (rolling["maxUnavailable"], rolling["maxSurge"]) == (0, "25%")
