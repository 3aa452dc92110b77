"""The load balancer on the graph."""

from __future__ import annotations

from tests.components.aws.platform import inputs, node, refers, shipped

STAGING, PRODUCTION = shipped(), shipped("production")


def test_tls_to_it_and_from_it() -> None:
    secure = inputs(STAGING, ":Listener", "ingress-secure")
    assert (secure["port"], secure["protocol"], secure["sslPolicy"]) == (
        443,
        "TLS",
        "ELBSecurityPolicy-TLS13-1-2-2021-06",
    )
    waits = node(STAGING, ":Listener", "ingress-secure")["depends_on"]
    assert any(urn.endswith(":CertificateValidation::names") for urn in waits)
    targets = inputs(STAGING, ":TargetGroup", "ingress-secure")
    assert (targets["protocol"], targets["port"], targets["targetType"]) == ("TLS", 8443, "ip")


def test_every_host_leads_to_it() -> None:
    hosts = {
        n["inputs"]["name"]: n["inputs"]["aliases"][0]["name"]
        for n in STAGING
        if n["type"].endswith(":Record") and n["name"].startswith("ingress-")
    }
    assert set(hosts) == {
        "staging.quikapp.com",
        *(f"{host}.staging.quikapp.com" for host in ("api", "ws", "grafana", "jaeger", "logs")),
    }
    assert all(refers(target, ":LoadBalancer", "ingress") for target in hosts.values())


def test_the_world_reaches_two_ports_and_it_reaches_the_gateway() -> None:
    rules = {
        n["name"]: n["inputs"] for n in STAGING if n["name"].startswith("ingress-") and n["type"].endswith("gressRule")
    }
    world = {rule["fromPort"] for rule in rules.values() if rule.get("cidrIpv4") == "0.0.0.0/0"}
    assert world == {80, 443}
    assert {rules[f"ingress-{way}-out"]["fromPort"] for way in ("secure", "redirect")} == {8443, 8080}


def test_it_is_logged_and_production_keeps_it() -> None:
    found = [n["inputs"] for n in PRODUCTION if n["type"] == "aws:lb/loadBalancer:LoadBalancer"]
    assert [(b["enableDeletionProtection"], b["accessLogs"]["enabled"]) for b in found] == [(True, True)]
