"""Allowed connections, computed from the objects: NetworkPolicies, AuthorizationPolicies, Sidecars and egress.

The computation does not use the declaration: a test compares both, and ``docs/reachability.md`` shows the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

from .graph import Node
from .istio.world import Object, Pod, World, at, namespace

GATEWAY = "(gateway)"
"""The ingress gateway."""
_NAMESPACE_LABEL = "kubernetes.io/metadata.name"
_PROXY = 15090
"""Metrics port of the proxy, which is in every pod and belongs to no component."""
Edge = tuple[str, str, int]
"""Source, target, port."""


class Reachability:
    """Allowed connections of one environment, from its application's graph and its platform's, if there is one."""

    def __init__(self, application: Iterable[Node], platform: Iterable[Node] = ()) -> None:
        nodes, below = list(application), list(platform)
        environment = next(n["inputs"] for n in nodes if n["type"] == "understudy:environment:Environment")
        self._resolved: Mapping[str, Any] = environment["resolved"]
        self._settings: Mapping[str, Any] = self._resolved["environment"]
        self._room = str(self._settings["namespace"])
        self._world = World.of(nodes, below)
        self._networks = list(self._world.kind("NetworkPolicy"))
        self._allowed = list(self._world.kind("AuthorizationPolicy"))
        own = [pod for pod in self._world.pods if pod.namespace == self._room]
        self._own: Mapping[str, Pod] = {str(pod.labels.get("app")): pod for pod in own}

    def edges(self) -> set[Edge]:
        """Returns connections between pods of the namespace, and from the ingress gateway to them."""
        pairs = set()
        gateways = [p for p in self._world.pods if p.labels.get("istio") == "ingress"]
        sources = {**self._own, **({GATEWAY: gateways[0]} if gateways else {})}
        for source, caller in sources.items():
            for target, called in self._own.items():
                pairs |= {
                    (source, target, port)
                    for port in _listens(called)
                    if caller is not called and self._open(caller, called, port)
                }
        return pairs

    def _open(self, caller: Pod, called: Pod, port: int) -> bool:
        return (
            self._network(caller, "Egress", called, port)
            and self._network(called, "Ingress", caller, port)
            and self._authorized(caller, called, port)
        )

    def _network(self, own: Pod, direction: str, other: Pod | IPv4Network, port: int) -> bool:
        """Returns whether NetworkPolicies allow the connection.

        Without a policy for the pod they do; otherwise one of them has to.
        """
        chosen = [
            policy
            for policy in self._networks
            if namespace(policy) == own.namespace
            and own.matches(at(policy, "spec", "podSelector", "matchLabels"))
            and direction in at(policy, "spec", "policyTypes")
        ]
        peers = "to" if direction == "Egress" else "from"
        return not chosen or any(
            _port(rule, port) and (peers not in rule or any(_peer(p, other, own.namespace) for p in rule[peers]))
            for policy in chosen
            for rule in at(policy, "spec", direction.lower()) or ()
        )

    def _authorized(self, caller: Pod, called: Pod, port: int) -> bool:
        """Returns whether AuthorizationPolicies allow the connection.

        Without an ALLOW policy they do; otherwise one of them has to.

        https://istio.io/latest/docs/concepts/security/
        """
        chosen = [
            policy
            for policy in self._allowed
            if namespace(policy) == called.namespace
            and at(policy, "spec", "action") in (None, "ALLOW")
            and called.matches(at(policy, "spec", "selector", "matchLabels"))
        ]
        account = caller.spec.get("serviceAccountName", caller.workload)
        principal = f"{self._settings['domain']}/ns/{caller.namespace}/sa/{account}"
        return not chosen or any(
            _names(rule, principal, port) for policy in chosen for rule in at(policy, "spec", "rules") or ()
        )

    def beyond(self) -> set[tuple[str, str]]:
        """Returns connections from pods to stores and external services: source and the ServiceEntry's name.

        The network has to be open, the pod's proxy has to know the host, and on the way out the gateway has to forward
        it.
        """
        destinations = set()
        for source, pod in self._own.items():
            known_hosts = {str(host).partition("/")[2] for host in self._known(pod)}
            for entry in self._world.kind("ServiceEntry"):
                hosts = set(at(entry, "spec", "hosts"))
                ports = [int(port["number"]) for port in at(entry, "spec", "ports")]
                if hosts & known_hosts and self._leaves(pod, entry, hosts, ports):
                    destinations.add((source, str(entry["metadata"]["name"])))
        return destinations

    def _known(self, pod: Pod) -> Iterator[str]:
        for sidecar in self._world.kind("Sidecar"):
            if namespace(sidecar) == pod.namespace and pod.matches(at(sidecar, "spec", "workloadSelector", "labels")):
                for listener in at(sidecar, "spec", "egress") or ():
                    yield from listener["hosts"]

    def _leaves(self, pod: Pod, entry: Object, hosts: set[str], ports: list[int]) -> bool:
        exits = [p for p in self._world.pods if p.labels.get("istio") == "egress"]
        if any(p.namespace in at(entry, "spec", "exportTo") for p in exits):
            names = {
                str(value)
                for policy in self._allowed
                if any(namespace(policy) == p.namespace for p in exits)
                for rule in at(policy, "spec", "rules") or ()
                for condition in rule.get("when", ())
                for value in condition["values"]
            }
            passes = [
                server["port"]["number"]
                for gateway in self._world.kind("Gateway", "networking.istio.io")
                if at(gateway, "spec", "selector", "istio") == "egress"
                for server in at(gateway, "spec", "servers")
                if hosts & set(server["hosts"])
            ]
            return hosts <= names and any(self._network(pod, "Egress", exits[0], port) for port in passes)
        data = at(entry, "spec", "addresses") or self._settings["account"]["subnets"]["data"]
        networks = [IPv4Network(network) for network in data]
        return all(self._network(pod, "Egress", network, port) for network in networks for port in ports)


def _listens(pod: Pod) -> set[int]:
    return {p["containerPort"] for c in pod.spec.get("containers", ()) for p in c.get("ports", ())} - {_PROXY}


def _port(rule: Mapping[str, Any], port: int) -> bool:
    return "ports" not in rule or any(entry.get("port") in (None, port) for entry in rule["ports"])


def _peer(peer: Mapping[str, Any], other: Pod | IPv4Network, namespace_name: str) -> bool:
    if isinstance(other, IPv4Network):
        block = peer.get("ipBlock")
        return block is not None and other.subnet_of(IPv4Network(block["cidr"]))
    if "ipBlock" in peer:
        return False
    namespaces = at(peer, "namespaceSelector", "matchLabels")
    here = (
        other.namespace == (namespaces[_NAMESPACE_LABEL] if namespaces else namespace_name)
        if "namespaceSelector" in peer
        else other.namespace == namespace_name
    )
    return here and other.matches(at(peer, "podSelector", "matchLabels"))


def _names(rule: Mapping[str, Any], principal: str, port: int) -> bool:
    sources = [p for entry in rule.get("from", ()) for p in at(entry, "source", "principals") or ()]
    ports = [p for entry in rule.get("to", ()) for p in at(entry, "operation", "ports") or ()]
    return ("from" not in rule or principal in sources) and ("to" not in rule or str(port) in ports)


def markdown(title: str, reachable: Reachability) -> str:
    """Returns a row for each caller, with the targets and their ports."""
    rows: dict[str, dict[str, list[str]]] = {}
    for source, target, port in sorted(reachable.edges()):
        rows.setdefault(source, {}).setdefault(target, []).append(str(port))
    beyond: dict[str, list[str]] = {}
    for source, target in sorted(reachable.beyond()):
        beyond.setdefault(source, []).append(target)
    lines = [f"## {title}", "", "| from | to (ports) | beyond the namespace |", "|---|---|---|"]
    for source in sorted({*rows, *beyond}):
        inside = ", ".join(f"{target} ({', '.join(ports)})" for target, ports in rows.get(source, {}).items())
        lines.append(f"| {source} | {inside} | {', '.join(beyond.get(source, []))} |")
    return "\n".join([*lines, ""])
