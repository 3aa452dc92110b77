"""The namespace and its guards."""

from __future__ import annotations

from typing import Any

from config.derivation.derive import derive
from config.loader import load
from tests.components.graphs import inputs, node, recorded


def policy(name: str) -> Any:
    return inputs(recorded(), "NetworkPolicy", f"{name}-network")["spec"]


def test_pod_security_is_restricted() -> None:
    labels = inputs(recorded(), "Namespace", "namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_everything_is_closed_both_ways() -> None:
    assert policy("default-deny") == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_dns_is_open() -> None:
    rule = policy("allow-dns")["egress"][0]
    assert {(port["protocol"], port["port"]) for port in rule["ports"]} == {("UDP", 53), ("TCP", 53)}
    assert rule["to"][0]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "kube-system"}


def test_uses_opens_exactly_that_way() -> None:
    assert policy("web")["egress"] == [
        {"to": [{"podSelector": {"matchLabels": {"app": "db"}}}], "ports": [{"protocol": "TCP", "port": 5432}]}
    ]
    assert policy("db")["ingress"][0] == {
        "from": [{"podSelector": {"matchLabels": {"app": "web"}}}],
        "ports": [{"protocol": "TCP", "port": 5432}],
    }
    assert "egress" not in policy("worker")
    assert "ingress" not in policy("worker")


def test_only_what_is_exposed_is_reached_from_outside() -> None:
    exposed = recorded(("    uses: [db]\n", "    uses: [db]\n    exposed: true\n"))
    rule = inputs(exposed, "NetworkPolicy", "web-network")["spec"]["ingress"][0]
    assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}]
    assert "ingress" not in policy("web")


def test_the_api_server_is_reached_by_those_who_need_it() -> None:
    nodes = recorded(("    uses: [db]\n", "    uses: [db]\n    needsKubernetesAPI: true\n"))
    rule = inputs(nodes, "NetworkPolicy", "web-network")["spec"]["egress"][-1]
    assert rule["to"] == [{"ipBlock": {"cidr": "10.1.0.1/32"}}]
    assert inputs(nodes, "ServiceAccount", "web")["automountServiceAccountToken"] is True


def test_egress_is_what_is_listed() -> None:
    listed = "    egress: [{cidr: 198.51.100.0/24, ports: [443], because: the payment provider's network}]\n"
    nodes = recorded(("    uses: [db]\n", f"    uses: [db]\n{listed}"))
    rule = inputs(nodes, "NetworkPolicy", "web-network")["spec"]["egress"][-1]
    assert rule == {"to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}], "ports": [{"protocol": "TCP", "port": 443}]}


def test_the_quota_is_the_declared_peak() -> None:
    hard = inputs(recorded(), "ResourceQuota", "quota")["spec"]["hard"]
    # web 4 + 1 surge, worker 2 + 1, db 1 with its exporter, its setup 1 + 1; at half of production's CPU and memory, a
    # quarter of its storage
    assert hard["pods"] == "11"
    assert hard["requests.cpu"] == "1960m"
    assert hard["limits.cpu"] == "4350m"
    assert hard["persistentvolumeclaims"] == "1"
    assert hard["requests.storage"] == "5Gi"
    assert hard["services.loadbalancers"] == "0"


def test_a_protected_environment_protects_its_namespace() -> None:
    assert node(recorded(environment="production"), "Namespace", "namespace")["protect"] is True
    assert node(recorded(), "Namespace", "namespace")["protect"] is False


def test_every_component_of_the_namespace_has_a_policy() -> None:
    from review.graph import graph

    resolved, _ = derive(load("spacetime"), "staging")
    policies = {n["inputs"]["metadata"]["name"] for n in graph("staging") if n["type"].endswith(":NetworkPolicy")}
    helpers = {helper for name, component in resolved.components.items() for helper in component.helpers(name)}
    assert policies == {"default-deny", "allow-dns", *resolved.components, *helpers}


def test_a_stores_helpers_reach_it_and_nothing_else() -> None:
    helper = policy("db-setup")
    assert helper["podSelector"] == {"matchLabels": {"app": "db-setup"}}
    assert [rule["to"] for rule in helper["egress"]] == [[{"podSelector": {"matchLabels": {"app": "db"}}}]]
    assert "ingress" not in helper
    assert {"podSelector": {"matchLabels": {"app": "db-setup"}}} in policy("db")["ingress"][1]["from"]
