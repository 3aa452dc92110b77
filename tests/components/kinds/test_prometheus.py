"""Prometheus on the graph, and its configuration by the tool of its own version."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.core.pods import TRUST
from components.kinds.prometheus import rights
from components.kinds.prometheus.configuration import ACCOUNT, CERTIFICATES
from local.tools import PROMETHEUS
from review.graph import graph
from tests.components.graphs import inputs, recorded
from tests.components.watching import SYSTEMS, watched
from tests.systems import WATCHED

STAGING = tuple(graph("staging"))


def pod() -> Any:
    return inputs(STAGING, "Deployment", "prometheus")["spec"]["template"]["spec"]


def test_the_seeds_figures() -> None:
    """50 GB, 15 days, 15 s, 500m to 1 CPU, 2 to 4 GB: seed ``spacetime``."""
    claim = inputs(STAGING, "PersistentVolumeClaim", "data-prometheus-0")
    assert claim["spec"]["resources"]["requests"]["storage"] == "50G"
    [container] = pod()["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "500m", "memory": "2G"},
        "limits": {"cpu": "1", "memory": "4G"},
    }
    assert "--storage.tsdb.retention.time=15d" in container["args"]
    assert "--storage.tsdb.retention.size=45000000000B" in container["args"]
    assert "--web.enable-lifecycle" in container["args"]
    assert "--log.level=debug" in container["args"]
    file = yaml.safe_load(inputs(STAGING, "ConfigMap", "prometheus")["data"]["prometheus.yml"])
    assert file["global"]["scrape_interval"] == "15s"
    assert inputs(STAGING, "Service", "prometheus")["spec"]["ports"][0]["port"] == 9090


def test_who_is_scraped_and_how() -> None:
    jobs = {job["job_name"]: job for job in yaml.safe_load(watched_file("spacetime"))["scrape_configs"]}
    assert jobs.keys() == {
        "prometheus",
        "game-server",
        "cockroachdb",
        "redis",
        "kube-state-metrics",
        "alertmanager",
        "grafana",
        "jaeger",
        "kubelet",
        "cadvisor",
    }
    assert (jobs["cockroachdb"]["scheme"], jobs["cockroachdb"]["metrics_path"]) == ("https", "/_status/vars")
    assert jobs["cockroachdb"]["tls_config"] == {
        "ca_file": "/etc/understudy/ca-cockroachdb/ca.crt",
        "server_name": "cockroachdb-public",
    }
    assert [volume["secret"] for volume in pod()["volumes"] if volume["name"] == "ca-cockroachdb"] == [
        {"secretName": "cockroachdb-tls", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    ]
    for name in ("kubelet", "cadvisor"):
        kept = [rule for rule in jobs[name]["metric_relabel_configs"] if rule["source_labels"] == ["namespace"]]
        assert [rule["regex"] for rule in kept] == ["staging"]


def watched_file(system: str) -> str:
    if system == "spacetime":
        return str(inputs(STAGING, "ConfigMap", "prometheus")["data"]["prometheus.yml"])
    return str(inputs(recorded(*WATCHED), "ConfigMap", "watch")["data"]["prometheus.yml"])


def test_the_least_rights() -> None:
    rules, cluster_rules = rights()
    resources = [name for rule in (*rules, *cluster_rules) for name in rule["resources"]]
    assert sorted(resources) == ["nodes", "nodes/metrics", "pods"]
    verbs = {verb for rule in (*rules, *cluster_rules) for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}
    role = inputs(STAGING, "ClusterRole", "prometheus")
    assert role["metadata"]["name"] == "staging-prometheus"
    assert "namespace" not in role["metadata"]
    binding = inputs(STAGING, "ClusterRoleBinding", "prometheus")
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "prometheus", "namespace": "staging"}]


def test_the_network_lets_it_reach_the_kubelets_and_the_targets() -> None:
    rules = inputs(STAGING, "NetworkPolicy", "prometheus-network")["spec"]["egress"]
    assert {"to": [{"ipBlock": {"cidr": "172.21.16.0/20"}}], "ports": [{"protocol": "TCP", "port": 10250}]} in rules
    reached = {rule["to"][0]["podSelector"]["matchLabels"]["app"] for rule in rules if "podSelector" in rule["to"][0]}
    jobs = {job["job_name"] for job in yaml.safe_load(watched_file("spacetime"))["scrape_configs"]}
    assert reached == jobs - {"prometheus", "kubelet", "cadvisor"}


def test_a_component_brings_its_own_rules_and_nothing_else_changes() -> None:
    with_, without = (
        recorded(*WATCHED),
        recorded(*WATCHED[:1], ("  collect: {kind: alloy,", "  other: {kind: alloy,"), *WATCHED[1:]),
    )
    names = [
        {n["name"] for n in nodes if n["type"].endswith(":ConfigMap") and n["name"].startswith("watch-rules-")}
        for nodes in (with_, without)
    ]
    assert names[0] - names[1] == {"watch-rules-collect"}
    assert names[1] - names[0] == {"watch-rules-other"}
    rolled = [
        inputs(nodes, "Deployment", "watch")["spec"]["template"]["metadata"]["annotations"][
            "understudy.dev/configuration"
        ]
        for nodes in (with_, without)
    ]
    assert rolled[0] != rolled[1]


@pytest.mark.servers
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("environment", ["staging", "production"])
def test_the_tool_of_its_own_version_takes_the_configuration(system: str, environment: str, tmp_path: Path) -> None:
    """The pod's own files (its account's token, authorities, certificates) are made here; nothing else is changed."""
    if not PROMETHEUS.built():
        assert not os.environ.get("CI"), "make test builds it"
        pytest.skip("not built: .venv/bin/python -m local.tools prometheus")
    (tmp_path / "token").write_text("x")
    authority = tmp_path / "ca.crt"
    authority.write_text("x")
    file = watched(system, environment).write(tmp_path / "config")
    for name in ("root-cert.pem", "cert-chain.pem", "key.pem"):
        (tmp_path / name).write_text("x")
    text = file.read_text().replace(ACCOUNT, str(tmp_path)).replace(CERTIFICATES, str(tmp_path))
    for line in text.splitlines():
        if "ca_file:" in line and TRUST in line:
            text = text.replace(line.split("ca_file: ")[1], str(authority))
    file.write_text(text)
    command = [str(PROMETHEUS.program("promtool")), "check", "config", str(file)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "is valid prometheus config file syntax" in result.stdout
