"""Checks that API server, nodes and Services have the declared addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network

from ..cluster import Cluster, Forbidden
from ..needs import Needs, at, some
from ..result import Check, Finding

KUBELET = 10250
KUBERNETES = "/api/v1/namespaces/default/services/kubernetes"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
SERVICE_NETWORKS = "/apis/networking.k8s.io/v1/servicecidrs"


def _outside(addresses: Iterable[str], networks: Iterable[str]) -> list[str]:
    """Returns IPv4 addresses that are in none of the networks; other addresses are not checked."""
    declared = [IPv4Network(network) for network in networks]
    v4 = [address for address in dict.fromkeys(addresses) if address.count(".") == 3]
    return [address for address in v4 if not any(IPv4Address(address) in network for network in declared)]


def api_server(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks the addresses of the API server's Service and of the API server, and both ports.

    Network plugins filter by one address or by the other.
    """
    settings = needs.resolved.environment.cluster
    declared = set(settings.api_server_cidrs)
    users = [name for name, networks, _ in needs.egress() if declared & set(networks)]
    if not users:
        yield Finding("ok", "no pod connects to the API server")
        return
    service = cluster.one(KUBERNETES)
    slices = cluster.items(SLICES, "kubernetes.io/service-name=kubernetes")
    endpoints = [address for s in slices for e in s.get("endpoints") or () for address in e.get("addresses") or ()]
    addresses = [str(at(service, "spec", "clusterIP")), *endpoints]
    if closed := _outside(addresses, declared):
        cidrs = ", ".join([*settings.api_server_cidrs, *(f"{address}/32" for address in closed)])
        message = (
            f"the API server answers at {some(closed)}, outside of apiServerCidrs: {some(users)} would not reach it"
        )
        yield Finding("failure", message, f"{needs.declared('cluster')}: apiServerCidrs: [{cidrs}]")
    ports = {int(port["port"]) for s in slices for port in s.get("ports") or ()}
    ports |= {int(port["port"]) for port in at(service, "spec", "ports") or ()}
    if unknown := sorted(ports - set(settings.api_server_ports)):
        written = sorted({*settings.api_server_ports, *unknown})
        message = f"the API server listens on {some([str(p) for p in unknown])}, which is not in apiServerPorts"
        yield Finding("failure", message, f"{needs.declared('cluster')}: apiServerPorts: {written}")
    if not closed and not unknown:
        yield Finding("ok", f"{some(addresses)}, ports {some([str(p) for p in sorted(ports)])}")
    if not endpoints:
        message = "cannot tell where the API server itself answers: the Service kubernetes has no endpoints"
        yield Finding("unknown", message, "ask the cluster's administrator for its addresses")


def nodes(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks that the kubelets that Prometheus reads are inside nodeCidrs."""
    scrapers = [name for name, _, ports in needs.egress() if KUBELET in ports]
    if not scrapers:
        yield Finding("ok", "nothing reads the kubelets")
        return
    settings = needs.resolved.environment.cluster
    addresses = [
        entry["address"]
        for node in cluster.items("/api/v1/nodes")
        for entry in at(node, "status", "addresses") or ()
        if entry.get("type") == "InternalIP"
    ]
    if closed := _outside(addresses, settings.node_cidrs):
        cidrs = ", ".join([*settings.node_cidrs, *(f"{address}/32" for address in closed)])
        message = f"{len(closed)} nodes are outside of nodeCidrs ({some(closed)}): {some(scrapers)} would not read them"
        yield Finding(
            "failure", message, f"{needs.declared('cluster')}: nodeCidrs: [{cidrs}], or the network they are in"
        )
    else:
        yield Finding("ok", f"{len(addresses)} nodes, all inside nodeCidrs")


def services(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks that no declared external network is inside the network of the Services."""
    try:
        listed = cluster.items(SERVICE_NETWORKS)
    except Forbidden:
        listed = ()
    networks = [str(c) for entry in listed for c in at(entry, "spec", "cidrs") or () if "." in str(c)]
    if not networks:
        message = "cannot tell: the API server does not show the network of its Services (it does from 1.33)"
        yield Finding("unknown", message, "ask the cluster's administrator for its --service-cluster-ip-range")
        return
    api = {IPv4Network(cidr) for cidr in needs.resolved.environment.cluster.api_server_cidrs}
    outside = {IPv4Network(cidr): name for name, cidrs, _ in needs.egress() for cidr in cidrs if cidr != "0.0.0.0/0"}
    clash = 0
    for network in map(IPv4Network, networks):
        for other, name in outside.items():
            if other.overlaps(network) and other not in api and not _name_server(needs, other):
                clash += 1
                message = f"{other}, which {name} opens the way to, lies in the Services' network {network}"
                yield Finding("failure", message, "choose other addresses, or a cluster with another Service network")
    if not clash:
        yield Finding("ok", f"{', '.join(networks)}; no declared network lies in it")


def _name_server(needs: Needs, network: IPv4Network) -> bool:
    return any(network == IPv4Network(cidr) for cidr in needs.resolved.environment.cluster.dns.cidrs)


CHECKS = (
    Check("api-server-address", "Does the API server answer where NetworkPolicies let pods?", api_server),
    Check("node-addresses", "Are the nodes where NetworkPolicies let Prometheus?", nodes),
    Check("service-addresses", "Are declared networks outside of the Services' one?", services),
)
