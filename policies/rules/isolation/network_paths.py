"""NetworkPolicies allow declared traffic, and none to another environment."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from ...references import nsa
from ...resource import Path, Resource, Unknown, child, items
from ...rule import Problem, Rule
from ...stack import Stack

_NAMESPACE = "kubernetes.io/metadata.name"


_CONTROL, _OUT = "istio-system", "istio-egress"
"""Namespaces of a mesh."""
_POD_IDENTITY = "169.254.170.23/32"
"""The Pod Identity agent of EKS, on the pod's own node."""
_EVERYWHERE = "0.0.0.0/0"
_PRIVATE = frozenset({"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"})
"""Private address ranges (RFC 1918, 3927, 6598)."""


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.kind != "NetworkPolicy":
        return
    ways = _ways(resource, stack)
    for direction, peers in (("egress", "to"), ("ingress", "from")):
        for index, rule in items(resource.get("spec", direction)):
            path: Path = ("spec", direction, index, peers)
            listed = list(items(child(rule, peers)))
            if not listed:
                yield (
                    path,
                    "it allows all traffic" if direction == "ingress" else "it opens every way out",
                )
            for position, peer in listed:
                yield from _peer((*path, position), peer, *ways[direction], stack)


def _ways(resource: Resource, stack: Stack) -> dict[str, tuple[set[object], AbstractSet[str]]]:
    """Returns direction to the namespaces and networks on the other side."""
    cluster = ("resolved", "environment", "cluster")
    dns, ingress = stack.declared(*cluster, "dns", "namespace"), stack.declared(*cluster, "ingressNamespace")
    namespace_name = resource.get("metadata", "namespace")
    if stack.mesh is None:
        return {"egress": ({stack.namespace, dns}, stack.networks), "ingress": ({stack.namespace, ingress}, set())}
    out: tuple[set[object], AbstractSet[str]] = (
        {stack.namespace, dns, _CONTROL, _OUT},
        stack.networks | ({_EVERYWHERE} if namespace_name == _OUT else {_POD_IDENTITY}),
    )
    if namespace_name == stack.namespace:
        return {"egress": out, "ingress": ({stack.namespace, ingress}, set())}
    # in the mesh's namespaces: its gateways, and the load balancer in front of them
    return {"egress": out, "ingress": ({stack.namespace, ingress, _OUT}, stack.networks)}


def _peer(path: Path, peer: object, near: set[object], networks: AbstractSet[str], stack: Stack) -> Iterator[Problem]:
    block, selector = child(peer, "ipBlock"), child(peer, "namespaceSelector")
    if isinstance(peer, Unknown) or isinstance(block, Unknown) or isinstance(selector, Unknown):
        yield path, "its destination is not known"
        return
    if selector is not None:
        labels = child(selector, "matchLabels")
        name = child(labels, _NAMESPACE)
        only = isinstance(labels, Mapping) and list(selector) == ["matchLabels"]
        if not only or name not in near:
            where = f"namespace {name!r}" if name else "any namespace"
            yield (*path, "namespaceSelector"), f"it leads to pods of {where}"
    if block is not None:
        cidr, but = str(child(block, "cidr")), [str(one) for _, one in items(child(block, "except"))]
        if cidr not in networks:
            yield (*path, "ipBlock", "cidr"), f"{cidr} is declared nowhere"
        elif cidr == _EVERYWHERE and not set(but) >= _PRIVATE:
            yield (*path, "ipBlock", "except"), "it holds addresses that are none of the internet"
        for identity in stack.names.foreign:
            if identity.kind == "network" and _overlap(cidr, identity.value) and not _within(identity.value, but):
                yield (*path, "ipBlock", "cidr"), f"{cidr} holds addresses of {identity.environment} ({identity.value})"
    if selector is None and block is None and child(peer, "podSelector") is None:
        yield path, "it has no peer, so it allows all of them"


def _overlap(one: str, other: str) -> bool:
    first, second = ipaddress.ip_network(one, strict=False), ipaddress.ip_network(other, strict=False)
    return first.version == second.version and first.overlaps(second)


def _within(network: str, others: list[str]) -> bool:
    inner = ipaddress.IPv4Network(network, strict=False)
    return any(inner.subnet_of(ipaddress.IPv4Network(other, strict=False)) for other in others)


RULE = Rule(
    id="isolation-network-paths",
    description="A NetworkPolicy opens ways only inside the namespace, to DNS, from the ingress, to a mesh and "
    "to declared networks; none holds an address of another environment.",
    severity="critical",
    remediation="Declare the destination as 'egress' of the component that needs it; narrow the network.",
    check=check,
    references=(nsa("Network separation and hardening"),),
)
