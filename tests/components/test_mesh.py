"""The application's half of the service mesh, on the graph."""

from __future__ import annotations

from typing import Any

import pytest

from components.mesh.authorization import traced
from config.derivation.derive import derive
from config.loader import load
from policies.rules import RULES
from tests.components.application import CANARY, CANARY_IMAGE, bodies, body, changed, shipped, spec
from tests.components.graphs import recorded
from tests.policies.fixtures import findings

STAGING, PRODUCTION = shipped(), shipped("quikapp-production")
SERVICES = ("backend", "auth-service", "user-service", "message-service", "search-service")
DOMAIN = "staging.quikapp.com"


def allowed(name: str) -> set[tuple[str, str]]:
    """Service account (or ``gateway``) and port."""
    return {
        (principal.rpartition("/")[2], port)
        for rule in spec(STAGING, "AuthorizationPolicy", name)["rules"]
        for source in rule["from"]
        for principal in source["source"]["principals"]
        for to in rule["to"]
        for port in to["operation"]["ports"]
    }


def test_a_system_without_a_mesh_has_nothing_of_it() -> None:
    assert not [n for n in recorded() if "istio" in n["type"]]
    assert "istio-injection" not in bodies(recorded(), "Namespace")[0]["metadata"]["labels"]


def test_mutual_tls_of_the_whole_namespace_and_a_proxy_in_each_pod() -> None:
    assert spec(STAGING, "PeerAuthentication", "default") == {"mtls": {"mode": "STRICT"}}
    assert body(STAGING, "Namespace", "quikapp-staging")["metadata"]["labels"]["istio-injection"] == "enabled"


def test_what_nobody_uses_nobody_calls() -> None:
    assert spec(STAGING, "AuthorizationPolicy", "default-deny") == {}
    assert allowed("user-service") == {
        ("backend", "8080"),
        ("message-service", "8080"),
        ("istio-ingress", "8080"),
        ("prometheus", "9464"),
    }
    assert allowed("alertmanager") == {("prometheus", "9093")}
    assert "db-migration" not in {b["metadata"]["name"] for b in bodies(STAGING, "AuthorizationPolicy")}


def test_the_trust_domain_is_the_environments() -> None:
    for nodes, domain in ((STAGING, DOMAIN), (PRODUCTION, "quikapp.com")):
        principals = {
            principal
            for policy in bodies(nodes, "AuthorizationPolicy")
            for rule in policy["spec"].get("rules", ())
            for source in rule.get("from", ())
            for principal in source["source"]["principals"]
        }
        assert principals
        assert all(principal.startswith(f"{domain}/ns/") for principal in principals)


def test_guards_come_before_what_they_guard() -> None:
    for name in SERVICES:
        [service] = [n for n in STAGING if n["type"] == "understudy:service:Service" and n["name"] == name]
        waits = "\n".join(service["depends_on"])
        assert "AuthorizationPolicy::default-deny-mesh" in waits
        assert "PeerAuthentication::default-mesh" in waits


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_pools_and_a_share_for_the_stable_track(name: str) -> None:
    rule = spec(STAGING, "DestinationRule", name)
    assert rule["host"] == f"{name}.quikapp-staging.svc.cluster.local"
    policy = rule["trafficPolicy"]
    assert policy["tls"] == {"mode": "ISTIO_MUTUAL"}
    assert policy["outlierDetection"]["consecutive5xxErrors"] == 5
    assert policy["connectionPool"]["tcp"]["maxConnections"] == 1024
    assert rule["subsets"] == [{"name": "stable", "labels": {"understudy.dev/track": "stable"}}]
    assert spec(STAGING, "Deployment", name)["selector"]["matchLabels"]["understudy.dev/track"] == "stable"


def test_a_proxy_knows_what_its_component_uses_and_nothing_else() -> None:
    hosts = spec(STAGING, "Sidecar", "auth-service")["egress"][0]["hosts"]
    assert "./jaeger.quikapp-staging.svc.cluster.local" in hosts
    assert any("postgres.endpoint" in host for host in hosts)
    assert not any("mysql" in host or "backend" in host or host.startswith("*") for host in hosts)
    assert spec(STAGING, "Sidecar", "prometheus")["egress"][0]["hosts"] == [
        "./alertmanager.quikapp-staging.svc.cluster.local",
        "default/kubernetes.default.svc.cluster.local",
    ]
    assert len(bodies(STAGING, "Sidecar")) == len(bodies(STAGING, "ServiceAccount"))


def test_managed_stores_are_reached_directly_whichever_node_answers() -> None:
    for name in ("postgres", "mysql", "mongodb", "redis", "kafka"):
        entry = spec(STAGING, "ServiceEntry", name)
        assert (entry["resolution"], entry["location"]) == ("NONE", "MESH_EXTERNAL")
        assert entry["addresses"] == ["10.50.16.0/22", "10.50.20.0/22", "10.50.24.0/22"]
        assert {port["protocol"] for port in entry["ports"]} == {"TCP"}
    search = spec(STAGING, "ServiceEntry", "elasticsearch")
    assert (search["resolution"], search["ports"][0]["protocol"]) == ("DNS", "TLS")
    assert search["exportTo"] == [".", "istio-ingress"]


def test_what_is_beyond_the_network_is_reached_by_name_through_the_gateway_out() -> None:
    entry, way = spec(STAGING, "ServiceEntry", "slack"), spec(STAGING, "VirtualService", "slack-outside")
    assert entry["hosts"] == way["hosts"] == ["hooks.slack.com"]
    gateway = spec(STAGING, "Gateway", "slack-outside")
    assert gateway["selector"] == {"istio": "egress"}
    assert gateway["servers"][0]["tls"] == {"mode": "PASSTHROUGH"}
    first, second = way["tls"]
    assert first["match"][0]["gateways"] == ["mesh"]
    assert first["route"][0]["destination"]["host"] == "istio-egress.istio-egress.svc.cluster.local"
    assert second["route"][0]["destination"] == {"host": "hooks.slack.com", "port": {"number": 443}}
    assert spec(STAGING, "ServiceEntry", "uploads")["hosts"] == ["quikapp-staging-uploads.s3.us-east-1.amazonaws.com"]
    assert spec(PRODUCTION, "ServiceEntry", "uploads")["hosts"] == [
        "quikapp-production-uploads.s3.us-east-1.amazonaws.com"
    ]
    assert spec(STAGING, "ServiceEntry", "staging-data-sync")["hosts"] == ["rds.us-east-1.amazonaws.com"]


def test_requests_are_logged_and_some_are_traced() -> None:
    assert spec(STAGING, "Telemetry", "access-log") == {"accessLogging": [{"providers": [{"name": "envoy"}]}]}
    for nodes, share in ((STAGING, 100), (PRODUCTION, 1)):
        tracing = spec(nodes, "Telemetry", "backend")["tracing"]
        assert tracing == [{"providers": [{"name": "tracing"}], "randomSamplingPercentage": share}]
    resolved, _ = derive(load("quikapp"), "staging")
    with_spans = {name for name in resolved.components if traced(resolved, name)}
    assert with_spans == {*SERVICES, "grafana"}


def test_a_canary_takes_its_share_and_leaves_nothing_behind() -> None:
    nodes = changed(CANARY, images=CANARY_IMAGE)
    canary = spec(nodes, "Deployment", "backend-canary")
    assert canary["replicas"] == 1
    assert canary["selector"]["matchLabels"] == {"app": "backend", "understudy.dev/track": "canary"}
    assert canary["template"]["spec"]["containers"][0]["image"].endswith("/backend:1.1.0")
    stable = spec(nodes, "Deployment", "backend")
    assert stable["template"]["spec"]["containers"][0]["image"].endswith("/backend:1.0.0")
    [rule] = spec(nodes, "VirtualService", "backend")["http"]
    assert shares(rule) == {"stable": 90, "canary": 10}
    for route in spec(nodes, "VirtualService", "hosts-domain")["http"]:
        assert shares(route) == {"stable": 90, "canary": 10}
    assert {s["name"] for s in spec(nodes, "DestinationRule", "backend")["subsets"]} == {"stable", "canary"}
    names = {b["metadata"]["name"] for b in bodies(STAGING, "Deployment")}
    assert {b["metadata"]["name"] for b in bodies(nodes, "Deployment")} - names == {"backend-canary"}
    assert [shares(route) for route in spec(STAGING, "VirtualService", "hosts-domain")["http"]] == [{"stable": 100}]
    assert "backend" not in {b["metadata"]["name"] for b in bodies(STAGING, "VirtualService")}


def shares(rule: Any) -> dict[str, int]:
    return {route["destination"]["subset"]: route["weight"] for route in rule["route"]}


def test_a_canary_has_room_and_is_counted() -> None:
    before = spec(STAGING, "ResourceQuota", "quota")["hard"]
    after = spec(changed(CANARY, images=CANARY_IMAGE), "ResourceQuota", "quota")["hard"]
    assert int(after["pods"]) - int(before["pods"]) == 2  # its pod, and one more while it is updated
    assert findings(list(changed(CANARY, images=CANARY_IMAGE)), RULES.values()) == []


def test_prometheus_speaks_for_itself_with_the_meshs_certificate() -> None:
    template = spec(STAGING, "Deployment", "prometheus")["template"]
    annotations = template["metadata"]["annotations"]
    assert annotations["traffic.sidecar.istio.io/includeOutboundIPRanges"] == ""
    assert "OUTPUT_CERTS: /etc/istio-output-certs" in annotations["proxy.istio.io/config"]
    file = body(STAGING, "ConfigMap", "prometheus")["data"]["prometheus.yml"]
    assert "cert_file: /etc/mesh/cert-chain.pem" in file
    assert "job_name: mesh" in file
