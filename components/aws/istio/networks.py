"""NetworkPolicies of the mesh's own namespaces."""

from __future__ import annotations

from typing import Any

from components.core.network import CONTROL, ISTIOD, in_namespace, name_servers, tcp
from config.derivation.mesh_topology import gateway
from config.kinds import Istio, OpenSearch
from config.kinds.mesh import REDIRECT, SECURE
from config.model.account import Account
from config.system import Resolved

WEBHOOK = 15017
"""Webhook port of istiod for the API server."""
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10")
"""Private address ranges (RFC 1918, 3927, 6598)."""


def policies(istio: Istio, resolved: Resolved, account: Account) -> dict[str, dict[str, Any]]:
    """Returns the NetworkPolicies as namespace to name to spec; all other traffic is denied in both directions."""
    specs = {
        istio.control_namespace: _control(istio, resolved),
        resolved.environment.cluster.ingress_namespace: _way_in(istio, resolved, account),
        istio.egress_namespace: _way_out(istio, resolved),
    }
    return {namespace: {"default-deny": _both([], []), "allowed": spec} for namespace, spec in specs.items()}


def _both(ingress: list[Any], egress: list[Any]) -> dict[str, Any]:
    return {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        **({"ingress": ingress} if ingress else {}),
        **({"egress": egress} if egress else {}),
    }


def _blocks(*networks: str) -> list[Any]:
    return [{"ipBlock": {"cidr": network}} for network in networks]


def _to_control_plane(istio: Istio) -> dict[str, Any]:
    """Returns the rule from a gateway to istiod, which configures it."""
    there = {"namespaceSelector": in_namespace(istio.control_namespace), "podSelector": {"matchLabels": ISTIOD}}
    return {"to": [there], "ports": tcp(CONTROL)}


def _control(istio: Istio, resolved: Resolved) -> dict[str, Any]:
    cluster = resolved.environment.cluster
    own = resolved.environment.namespace
    proxies = [{"namespaceSelector": in_namespace(n)} for n in (own, cluster.ingress_namespace, istio.egress_namespace)]
    servers = _blocks(*cluster.api_server_cidrs)
    return _both(
        [
            {"from": proxies, "ports": tcp(CONTROL)},
            {"from": servers, "ports": tcp(WEBHOOK)},
        ],
        [name_servers(resolved), {"to": servers, "ports": tcp(*cluster.api_server_ports)}],
    )


def _way_in(istio: Istio, resolved: Resolved, account: Account) -> dict[str, Any]:
    """Returns the rule from the load balancer, in the public subnets, to the namespace's pods and to routed stores."""
    declared = gateway(resolved)
    targets = declared[1].targets() if declared else ()
    numbers = {
        port for name in targets if resolved.components[name].namespaced and (port := resolved.components[name].port())
    }
    out = [name_servers(resolved), _to_control_plane(istio)]
    if numbers:
        out.append(
            {
                "to": [{"namespaceSelector": in_namespace(resolved.environment.namespace)}],
                "ports": tcp(*sorted(numbers)),
            }
        )
    stores = {c.port() for n in targets if isinstance(c := resolved.components[n], OpenSearch)}
    if stores:
        out.append({"to": _blocks(*account.subnets.data), "ports": tcp(*sorted(p for p in stores if p))})
    return _both([{"from": _blocks(*account.subnets.public), "ports": tcp(SECURE, REDIRECT)}], out)


def _way_out(istio: Istio, resolved: Resolved) -> dict[str, Any]:
    """Returns the rule from the namespace's pods to the internet; an AuthorizationPolicy limits the host names."""
    own = [{"namespaceSelector": in_namespace(resolved.environment.namespace)}]
    internet = {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(_PRIVATE)}}
    return _both(
        [{"from": own, "ports": tcp(SECURE)}],
        [name_servers(resolved), _to_control_plane(istio), {"to": [internet], "ports": tcp(443)}],
    )
