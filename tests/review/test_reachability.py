"""Who reaches whom is what was declared: no more, and no less."""

from __future__ import annotations

import json

import pytest

from components.core.network import client_ports
from config.derivation.derive import derive
from config.derivation.mesh_topology import exposed, gateway, runs_here
from config.kinds import Bucket, External, Prometheus
from config.kinds.aws import Managed
from config.loader import load
from config.system import Resolved
from review.generated import REACHABILITY, reachability
from review.reachability import GATEWAY, Edge, Reachability
from tests.components.application import shipped
from tests.policies.fixtures import good


def declared(resolved: Resolved) -> set[Edge]:
    """What ``uses``, the gateway's hosts and Prometheus say, port by port."""
    found: set[Edge] = set()
    for name, component in resolved.components.items():
        if not runs_here(resolved, name):
            continue
        for used in component.uses:
            if runs_here(resolved, used):
                found |= {(name, used, port) for port in client_ports(resolved.components[used])}
        if isinstance(component, Prometheus):
            found |= {
                (name, other, port)
                for other in resolved.components
                if other != name and runs_here(resolved, other) and (port := resolved.components[other].metrics_port())
            }
        if gateway(resolved) and exposed(resolved, name):
            found.add((GATEWAY, name, client_ports(component)[0]))
        for helper in component.helpers(name):
            found |= {(helper, name, port) for port in component.ports().values()}
    return found


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_mesh_opens_what_is_declared(environment: str) -> None:
    resolved, _ = derive(load("quikapp"), environment)
    found = Reachability(shipped(f"quikapp-{environment}"), shipped(f"quikapp-{environment}-platform"))
    assert found.edges() == declared(resolved)


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_and_of_stores_and_services_of_others_too(environment: str) -> None:
    resolved, _ = derive(load("quikapp"), environment)
    wanted = set()
    for name, component in resolved.components.items():
        if runs_here(resolved, name):
            wanted |= {
                (name, used)
                for used in component.uses
                if isinstance(resolved.components[used], Managed | External | Bucket)
            }
            if component.hosts_of_aws:
                wanted.add((name, name))
    found = Reachability(shipped(f"quikapp-{environment}"), shipped(f"quikapp-{environment}-platform"))
    assert found.beyond() == wanted


def test_either_kind_of_policy_closes_the_way() -> None:
    for kind in ("NetworkPolicy", "AuthorizationPolicy"):
        nodes = json.loads(json.dumps(shipped()))
        target = next(
            n for n in nodes if n["inputs"].get("kind") == kind and n["inputs"]["metadata"]["name"] == "backend"
        )
        target["inputs"]["spec"].pop("ingress" if kind == "NetworkPolicy" else "rules")
        found = Reachability(nodes, shipped("quikapp-staging-platform"))
        assert not {edge for edge in found.edges() if edge[1] == "backend"}


def test_a_policy_too_many_is_seen() -> None:
    nodes = json.loads(json.dumps(shipped()))
    for node in nodes:
        body = node["inputs"]
        if body.get("kind") == "NetworkPolicy" and body["metadata"]["name"] == "default-deny":
            continue
        if (
            body.get("kind") in ("NetworkPolicy", "AuthorizationPolicy")
            and body["metadata"]["name"] == "search-service"
        ):
            spec = body["spec"]
            for rule in spec.get("ingress", ()):
                rule["from"].append({"podSelector": {}})
            for rule in spec.get("rules", ()):
                rule.pop("from")
        if body.get("kind") == "NetworkPolicy" and body["metadata"]["name"] == "grafana":
            body["spec"]["egress"].append({"to": [{"podSelector": {}}]})
    found = Reachability(nodes, shipped("quikapp-staging-platform")).edges()
    assert ("grafana", "search-service", 8080) in found


def test_without_a_mesh_networks_alone_say_it() -> None:
    found = Reachability(good("staging")).edges()
    assert ("game-server", "cockroachdb", 26257) in found
    assert not {edge for edge in found if edge[:2] == ("grafana", "cockroachdb")}


def test_the_page_is_fresh() -> None:
    assert REACHABILITY.read_text(encoding="utf-8") == reachability()
