"""NetworkPolicies from the declaration: nothing is open but DNS and what ``uses``, ``exposed`` and ``egress`` say."""

from __future__ import annotations

from typing import Any

from config.base import Component
from config.kinds import Prometheus, Service
from config.kinds.aws import Managed
from config.system import Resolved

from .labels import selector

KUBELET = 10250
"""The port of every node's agent."""
Spec = Any
"""A NetworkPolicySpec."""


def policies(resolved: Resolved) -> dict[str, Spec]:
    """Name to spec: ``default-deny``, ``allow-dns``, and one for each component that runs in the namespace."""
    dns = resolved.environment.cluster.dns
    result: dict[str, Spec] = {
        "default-deny": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        "allow-dns": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [
                {
                    "to": [
                        {
                            "namespaceSelector": _namespace(dns.namespace),
                            "podSelector": {"matchLabels": dns.labels},
                        }
                    ],
                    "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
                }
            ],
        },
    }
    for name, component in resolved.components.items():
        if component.namespaced and component.existing is None:
            ingress, egress = _ingress(resolved, name, component), _egress(resolved, name, component)
            result[name] = {
                "podSelector": {"matchLabels": selector(name)},
                "policyTypes": ["Ingress", "Egress"],
                **({"ingress": ingress} if ingress else {}),
                **({"egress": egress} if egress else {}),
            }
            for helper in component.helpers(name):
                result[helper] = {
                    "podSelector": {"matchLabels": selector(helper)},
                    "policyTypes": ["Ingress", "Egress"],
                    "egress": [{"to": _pods(name), "ports": _tcp(*sorted(set(component.ports().values())))}],
                }
    return result


def _namespace(name: str) -> dict[str, Any]:
    return {"matchLabels": {"kubernetes.io/metadata.name": name}}


def _pods(*names: str) -> list[dict[str, Any]]:
    return [{"podSelector": {"matchLabels": selector(name)}} for name in names]


def _tcp(*ports: int) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def _runs_here(component: Component) -> bool:
    return component.namespaced and component.existing is None


def _ingress(resolved: Resolved, name: str, component: Component) -> list[dict[str, Any]]:
    rules = []
    ports = component.ports()
    users = [user for user, other in resolved.components.items() if name in other.uses and _runs_here(other)]
    if users and ports:
        rules.append({"from": _pods(*users), "ports": _tcp(*_client_ports(component))})
    if component.clustered or component.helpers(name):
        inside = (name, *component.helpers(name)) if component.clustered else component.helpers(name)
        rules.append({"from": _pods(*inside), "ports": _tcp(*sorted(set(ports.values())))})
    scrapers = [key for key, other in resolved.components.items() if isinstance(other, Prometheus) and key != name]
    metrics = component.metrics_port()
    if scrapers and metrics:
        rules.append({"from": _pods(*scrapers), "ports": _tcp(metrics)})
    if isinstance(component, Service) and component.exposed:
        gateway = _namespace(resolved.environment.cluster.ingress_namespace)
        rules.append({"from": [{"namespaceSelector": gateway}], "ports": _tcp(next(iter(ports.values())))})
    return rules


def _client_ports(component: Component) -> list[int]:
    metrics = component.ports().get("metrics")
    return [port for port in dict.fromkeys(component.ports().values()) if port != metrics]


def _egress(resolved: Resolved, name: str, component: Component) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    for used in component.uses:
        target = resolved.components[used]
        if _runs_here(target):
            if target.ports():
                rules.append({"to": _pods(used), "ports": _tcp(*_client_ports(target))})
        elif account := (resolved.environment.account if isinstance(target, Managed) and not target.existing else None):
            data = [{"ipBlock": {"cidr": cidr}} for cidr in account.subnets.data]
            rules.append({"to": data, "ports": _tcp(*target.ports().values())})
        elif cidr := (target.existing.cidr if target.existing else getattr(target, "cidr", None)):
            port = target.port()
            rules.append({"to": [{"ipBlock": {"cidr": cidr}}], "ports": _tcp(port) if port else []})
    if component.clustered:
        rules.append({"to": _pods(name), "ports": _tcp(*sorted(set(component.ports().values())))})
    if isinstance(component, Prometheus):
        rules += [
            {"to": _pods(key), "ports": _tcp(port)}
            for key, other in resolved.components.items()
            if key != name and _runs_here(other) and (port := other.metrics_port())
        ]
        kubelets = [{"ipBlock": {"cidr": cidr}} for cidr in resolved.environment.cluster.node_cidrs]
        rules.append({"to": kubelets, "ports": _tcp(KUBELET)})
    if component.needs_kubernetes_api:
        blocks = [{"ipBlock": {"cidr": cidr}} for cidr in resolved.environment.cluster.api_server_cidrs]
        rules.append({"to": blocks, "ports": _tcp(443, 6443)})
    rules += [{"to": [{"ipBlock": {"cidr": e.cidr}}], "ports": _tcp(*e.ports)} for e in component.egress]
    return rules
