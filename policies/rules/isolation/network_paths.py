"""NetworkPolicies open what is declared, and no way to another environment."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from ...references import nsa
from ...resource import Path, Resource, Unknown, child, items
from ...rule import Problem, Rule
from ...stack import Stack

_NAMESPACE = "kubernetes.io/metadata.name"


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.kind != "NetworkPolicy":
        return
    cluster = ("resolved", "environment", "cluster")
    near = {
        "egress": {stack.namespace, stack.declared(*cluster, "dns", "namespace")},
        "ingress": {stack.namespace, stack.declared(*cluster, "ingressNamespace")},
    }
    networks = stack.networks
    for direction, peers in (("egress", "to"), ("ingress", "from")):
        for index, rule in items(resource.get("spec", direction)):
            path: Path = ("spec", direction, index, peers)
            listed = list(items(child(rule, peers)))
            if not listed:
                yield (
                    path,
                    "it opens the way to and from everywhere" if direction == "ingress" else "it opens every way out",
                )
            for position, peer in listed:
                yield from _peer(
                    (*path, position), peer, near[direction], networks if direction == "egress" else set(), stack
                )


def _peer(path: Path, peer: object, near: set[object], networks: AbstractSet[str], stack: Stack) -> Iterator[Problem]:
    block, selector = child(peer, "ipBlock"), child(peer, "namespaceSelector")
    if isinstance(peer, Unknown) or isinstance(block, Unknown) or isinstance(selector, Unknown):
        yield path, "nobody can tell where it leads"
        return
    if selector is not None:
        labels = child(selector, "matchLabels")
        name = child(labels, _NAMESPACE)
        only = isinstance(labels, Mapping) and list(selector) == ["matchLabels"]
        if not only or name not in near:
            where = f"namespace {name!r}" if name else "any namespace"
            yield (*path, "namespaceSelector"), f"it leads to pods of {where}"
    if block is not None:
        cidr = str(child(block, "cidr"))
        if cidr not in networks:
            yield (*path, "ipBlock", "cidr"), f"{cidr} is declared nowhere"
        for identity in stack.names.foreign:
            if identity.kind == "network" and _overlap(cidr, identity.value):
                yield (*path, "ipBlock", "cidr"), f"{cidr} holds addresses of {identity.environment} ({identity.value})"
    if selector is None and block is None and child(peer, "podSelector") is None:
        yield path, "it names nobody, so it opens the way for everybody"


def _overlap(one: str, other: str) -> bool:
    first, second = ipaddress.ip_network(one, strict=False), ipaddress.ip_network(other, strict=False)
    return first.version == second.version and first.overlaps(second)


RULE = Rule(
    id="isolation-network-paths",
    description="A NetworkPolicy opens ways only inside the namespace, to DNS, from the ingress, and to declared networks; "
    "none holds an address of another environment.",
    severity="critical",
    remediation="Declare the destination as 'egress' of the component that needs it; narrow the network.",
    check=check,
    references=(nsa("Network separation and hardening"),),
)
