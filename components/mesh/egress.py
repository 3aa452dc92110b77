"""Egress of the mesh: to managed stores directly, and to all other external hosts through the egress gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

import pulumi

from components.core.labels import selector
from components.core.platform import Platform
from config.derivation.mesh_topology import gateway_targets, outside, runs_here, stores_outside
from config.kinds import Istio, OpenSearch
from config.kinds.aws import Managed
from config.kinds.mesh import SECURE
from config.model.component import Component
from config.system import Resolved

from .routing import host, visible


def store(resolved: Resolved, name: str, component: Component, platform: Platform) -> Any:
    """Returns the ServiceEntry of a store outside the mesh, to which clients connect with TLS themselves.

    It matches the store's network, so that every node matches: clients of Kafka and of Redis' cluster mode are redirected
    between nodes. A store behind the gateway is matched by its name instead.
    """
    internal = {"location": "MESH_EXTERNAL", "exportTo": ["."]}
    ports = {label: port for label, port in component.ports().items() if label != "metrics"}
    if component.existing:
        ports = {"store": component.existing.port}
    if isinstance(component, OpenSearch):
        return {
            **internal,
            "exportTo": visible(resolved),
            "hosts": names(name, component, platform),
            "resolution": "DNS",
            "ports": [{"number": port, "name": f"tls-{label}", "protocol": "TLS"} for label, port in ports.items()],
        }
    return {
        **internal,
        "hosts": names(name, component, platform),
        "addresses": list(_networks(resolved, component)),
        "resolution": "NONE",
        "ports": [{"number": port, "name": f"tcp-{label}", "protocol": "TCP"} for label, port in ports.items()],
    }


def _networks(resolved: Resolved, component: Component) -> Iterator[str]:
    if component.existing:
        assert component.existing.cidr is not None, "config.checks.references asks for it"
        yield component.existing.cidr
    elif resolved.environment.account:
        yield from (str(IPv4Network(cidr)) for cidr in resolved.environment.account.subnets.data)


def names(name: str, component: Component, platform: Platform) -> pulumi.Output[list[str]]:
    """Returns the host names of an endpoint with several addresses, such as Kafka's, without ports."""
    if component.existing:
        return pulumi.Output.from_input([component.existing.host])
    endpoint: pulumi.Output[Any] = platform.get("endpoints", name, "host")
    return endpoint.apply(lambda text: [re.sub(r":\d+$", "", part) for part in str(text).split(",")])


def originated(name: str, resolved: Resolved, platform: Platform) -> Any:
    """Returns the rule by which the ingress gateway starts TLS to a store; clients in the mesh do so themselves."""
    there = platform.get("endpoints", name, "host")
    return {
        "host": there,
        "exportTo": [resolved.environment.cluster.ingress_namespace],
        "trafficPolicy": {"tls": {"mode": "SIMPLE", "sni": there, "caCertificates": "system"}},
    }


def led_to_stores(resolved: Resolved) -> list[str]:
    """Returns managed stores with a host at the gateway."""
    return [name for name in gateway_targets(resolved) if isinstance(resolved.components[name], Managed)]


def entry(hosts: Mapping[str, int]) -> Any:
    """Returns the registry entry of external hosts."""
    ports = sorted(set(hosts.values()))
    return {
        "hosts": sorted(hosts),
        "location": "MESH_EXTERNAL",
        "exportTo": [".", Istio.egress_namespace],
        "resolution": "DNS",
        "ports": [{"number": port, "name": f"tls-{port}", "protocol": "TLS"} for port in ports],
    }


def passed_on(hosts: Mapping[str, int]) -> Any:
    """Returns the egress gateway's servers, which forward TLS for these names without decrypting it."""
    return {
        "selector": {"istio": "egress"},
        "servers": [
            {
                "port": {"number": SECURE, "name": "tls", "protocol": "TLS"},
                "hosts": sorted(hosts),
                "tls": {"mode": "PASSTHROUGH"},
            }
        ],
    }


def way_out(gateway: str, hosts: Mapping[str, int]) -> Any:
    """Returns the route from pods' proxies to the egress gateway, and from there to the host."""
    exit_ = f"{Istio.egress_name}.{Istio.egress_namespace}.svc.cluster.local"

    def leg(through: str, name: str, arriving: int, to: str, number: int) -> Any:
        return {
            "match": [{"gateways": [through], "port": arriving, "sniHosts": [name]}],
            "route": [{"destination": {"host": to, "port": {"number": number}}}],
        }

    return {
        "hosts": sorted(hosts),
        "gateways": ["mesh", gateway],
        "exportTo": [".", Istio.egress_namespace],
        "tls": [
            rule
            for name, port in sorted(hosts.items())
            for rule in (leg("mesh", name, port, exit_, SECURE), leg(gateway, name, SECURE, name, port))
        ],
    }


def sidecar(resolved: Resolved, name: str, platform: Platform) -> Any:
    """Returns the Sidecar of a component: its proxies know the hosts that it uses; calls to any other host fail."""
    component = resolved.components[name]
    known_hosts = [f"./{host(resolved, used)}" for used in component.uses if runs_here(resolved, used)]
    if component.needs_kubernetes_api:
        known_hosts.append("default/kubernetes.default.svc.cluster.local")
    if calls := outside(resolved, name):
        known_hosts += [*(f"./{call}" for call in sorted(calls)), f"{Istio.egress_namespace}/*"]
    stores = stores_outside(resolved)
    named = [names(used, stores[used], platform) for used in component.uses if used in stores]
    hosts: Any = known_hosts or ["~/*"]
    if named:
        hosts = pulumi.Output.all(*named).apply(
            lambda several: [*known_hosts, *(f"./{one}" for hosts in several for one in hosts)]
        )
    return {"workloadSelector": {"labels": selector(name)}, "egress": [{"hosts": hosts}]}
