"""NetworkPolicies from the declaration.

Only DNS and the traffic that ``uses``, ``exposed`` and ``egress`` declare is allowed.
"""

from __future__ import annotations

from typing import Any

from config.derivation.mesh_topology import POD_IDENTITY, exposed, has_role, mesh, outside, runs_here, users
from config.kinds import External, Manifests, Prometheus
from config.kinds.aws import Managed
from config.kinds.mesh import SECURE
from config.model.component import Component
from config.system import Resolved

from .labels import OWNER, selector

KUBELET = 10250
"""The kubelet's port on each node."""
ISTIOD, CONTROL = {"app": "istiod"}, 15012
"""Labels of Istio's control plane, and the port from which proxies get certificates and configuration."""
PROXY_METRICS = 15090
"""Istio proxy ports outside of mesh TLS: https://istio.io/latest/docs/ops/deployment/application-requirements/"""
Spec = Any
"""A NetworkPolicySpec."""


def policies(resolved: Resolved) -> dict[str, Spec]:
    """Returns name to spec: ``default-deny``, ``allow-dns``, and one for each component that runs in the namespace."""
    result: dict[str, Spec] = {
        "default-deny": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        "allow-dns": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [name_servers(resolved)],
        },
    }
    if istio := mesh(resolved):
        control = {"namespaceSelector": in_namespace(istio.control_namespace), "podSelector": {"matchLabels": ISTIOD}}
        result["allow-mesh"] = {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{"to": [control], "ports": tcp(CONTROL)}],
        }
    for name, component in resolved.components.items():
        if runs_here(resolved, name):
            ingress, egress = _ingress(resolved, name, component), _egress(resolved, name, component)
            result[name] = {
                "podSelector": {"matchLabels": _selector(resolved, name)},
                "policyTypes": ["Ingress", "Egress"],
                **({"ingress": ingress} if ingress else {}),
                **({"egress": egress} if egress else {}),
            }
            for helper in component.helpers(name):
                result[helper] = {
                    "podSelector": {"matchLabels": selector(helper)},
                    "policyTypes": ["Ingress", "Egress"],
                    "egress": [{"to": _pods(resolved, name), "ports": tcp(*sorted(set(component.ports().values())))}],
                }
    return result


def name_servers(resolved: Resolved) -> dict[str, Any]:
    """Returns the rule to the name servers: the cluster's DNS pods, and declared addresses outside of the cluster."""
    dns = resolved.environment.cluster.dns
    pods = {"namespaceSelector": in_namespace(dns.namespace), "podSelector": {"matchLabels": dns.labels}}
    addresses = [{"ipBlock": {"cidr": cidr}} for cidr in dns.cidrs]
    return {"to": [pods, *addresses], "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}


def in_namespace(name: str) -> dict[str, Any]:
    """Returns a selector of the namespace by the label that the API server sets on each namespace."""
    return {"matchLabels": {"kubernetes.io/metadata.name": name}}


def _selector(resolved: Resolved, name: str) -> dict[str, str]:
    """Returns a selector of a component's pods, or of its helper's; objects of manifests have a label of their own."""
    return {OWNER: name} if isinstance(resolved.components.get(name), Manifests) else selector(name)


def _pods(resolved: Resolved, *names: str) -> list[dict[str, Any]]:
    return [{"podSelector": {"matchLabels": _selector(resolved, name)}} for name in names]


def tcp(*ports: int) -> list[dict[str, Any]]:
    """Returns the TCP ports of a rule."""
    return [{"protocol": "TCP", "port": port} for port in ports]


def _metrics(resolved: Resolved, name: str) -> list[int]:
    """Returns the scraped ports: the component's and its proxy's."""
    own = resolved.components[name].metrics_port()
    return [*([own] if own else []), *([PROXY_METRICS] if mesh(resolved) else [])]


def _ingress(resolved: Resolved, name: str, component: Component) -> list[dict[str, Any]]:
    rules = []
    ports = component.ports()
    if (callers := users(resolved, name)) and ports:
        rules.append({"from": _pods(resolved, *callers), "ports": tcp(*client_ports(component))})
    if component.clustered or component.helpers(name):
        inside = (name, *component.helpers(name)) if component.clustered else component.helpers(name)
        rules.append({"from": _pods(resolved, *inside), "ports": tcp(*sorted(set(ports.values())))})
    scrapers = [key for key, other in resolved.components.items() if isinstance(other, Prometheus) and key != name]
    if scrapers and (scraped := _metrics(resolved, name)):
        rules.append({"from": _pods(resolved, *scrapers), "ports": tcp(*scraped)})
    if exposed(resolved, name):
        gateway = in_namespace(resolved.environment.cluster.ingress_namespace)
        rules.append({"from": [{"namespaceSelector": gateway}], "ports": tcp(next(iter(ports.values())))})
    return rules


def _beyond(resolved: Resolved, name: str) -> list[dict[str, Any]]:
    """Returns rules to the mesh's egress gateway, and to the agent that gives pods their AWS credentials."""
    rules: list[dict[str, Any]] = []
    if (istio := mesh(resolved)) and outside(resolved, name):
        way = [{"namespaceSelector": in_namespace(istio.egress_namespace)}]
        rules.append({"to": way, "ports": tcp(SECURE)})
    if has_role(resolved, name):
        rules.append({"to": [{"ipBlock": {"cidr": POD_IDENTITY}}], "ports": tcp(80)})
    return rules


def _scrapes(resolved: Resolved, name: str) -> list[dict[str, Any]]:
    """Returns rules for what Prometheus scrapes: components, proxies and kubelets."""
    rules: list[dict[str, Any]] = [
        {"to": _pods(resolved, key), "ports": tcp(port)}
        for key, other in resolved.components.items()
        if key != name and runs_here(resolved, key) and (port := other.metrics_port())
    ]
    if mesh(resolved):
        rules.append({"to": [{"podSelector": {}}], "ports": tcp(PROXY_METRICS)})
    kubelets = [{"ipBlock": {"cidr": cidr}} for cidr in resolved.environment.cluster.node_cidrs]
    return [*rules, {"to": kubelets, "ports": tcp(KUBELET)}]


def _network(resolved: Resolved, target: Component) -> str | None:
    """Returns the rule to an external service; in a mesh the traffic passes through the egress gateway."""
    return target.cidr if isinstance(target, External) and not mesh(resolved) else None


def client_ports(component: Component) -> list[int]:
    """Returns the ports for clients: all but the metrics port."""
    metrics = component.ports().get("metrics")
    return [port for port in dict.fromkeys(component.ports().values()) if port != metrics]


def _egress(resolved: Resolved, name: str, component: Component) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    for used in component.uses:
        target = resolved.components[used]
        if runs_here(resolved, used):
            if target.ports():
                rules.append({"to": _pods(resolved, used), "ports": tcp(*client_ports(target))})
        elif account := (resolved.environment.account if isinstance(target, Managed) and not target.existing else None):
            data = [{"ipBlock": {"cidr": cidr}} for cidr in account.subnets.data]
            rules.append({"to": data, "ports": tcp(*target.ports().values())})
        elif cidr := target.existing.cidr if target.existing else _network(resolved, target):
            port = target.port()
            rules.append({"to": [{"ipBlock": {"cidr": cidr}}], "ports": tcp(port) if port else []})
    if component.clustered:
        rules.append({"to": _pods(resolved, name), "ports": tcp(*sorted(set(component.ports().values())))})
    if isinstance(component, Prometheus):
        rules += _scrapes(resolved, name)
    rules += _beyond(resolved, name)
    if component.needs_kubernetes_api:
        blocks = [{"ipBlock": {"cidr": cidr}} for cidr in resolved.environment.cluster.api_server_cidrs]
        rules.append({"to": blocks, "ports": tcp(*resolved.environment.cluster.api_server_ports)})
    rules += [{"to": [{"ipBlock": {"cidr": e.cidr}}], "ports": tcp(*e.ports)} for e in component.egress]
    return rules
