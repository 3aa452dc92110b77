"""Checks that the NetworkPolicies allow traffic to the cluster's name servers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from ..cluster import Cluster
from ..needs import Needs, at
from ..result import Check, Finding

CACHE = "node-local-dns"
"""The daemon set of NodeLocal DNSCache (https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/)."""
GKE = "cloud.google.com/gke-nodepool"
METADATA_SERVER = "169.254.169.254"
"""Address of DNS in a GKE cluster with Cloud DNS (https://cloud.google.com/kubernetes-engine/docs/how-to/cloud-dns)."""
DAEMONSETS, NODES, SERVICES = "/apis/apps/v1/daemonsets", "/api/v1/nodes", "/api/v1/services"


def _local(cluster: Cluster) -> list[str]:
    """Returns addresses of NodeLocal DNSCache, which answers on every node."""
    addresses: list[str] = []
    for daemon in cluster.items(DAEMONSETS):
        if daemon["metadata"]["name"] == CACHE:
            for container in at(daemon, "spec", "template", "spec", "containers") or ():
                words = " ".join([*(container.get("command") or ()), *(container.get("args") or ())])
                if match := re.search(r"-localip[ =](\S+)", words):
                    addresses += match[1].split(",")
    return addresses


def _serves(service: Mapping[str, Any]) -> bool:
    return any(p.get("port") == 53 and p.get("protocol") == "UDP" for p in at(service, "spec", "ports") or ())


def answered(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks that the declared pods run, and that addresses outside of pods are declared."""
    if not needs.of("NetworkPolicy"):
        yield Finding("ok", "no NetworkPolicy stands before DNS")
        return
    dns = needs.resolved.environment.cluster.dns
    selector = ",".join(f"{key}={value}" for key, value in dns.labels.items())
    pods = cluster.items(f"/api/v1/namespaces/{dns.namespace}/pods", selector)
    running = [pod for pod in pods if at(pod, "status", "phase") == "Running"]
    outside = _local(cluster)
    google = any(GKE in (at(node, "metadata", "labels") or {}) for node in cluster.items(NODES))
    if google and not running:
        outside.append(METADATA_SERVER)
    closed = [a for a in outside if not any(ip_address(a) in ip_network(cidr) for cidr in dns.cidrs)]
    if closed:
        where = "NodeLocal DNSCache" if _local(cluster) else "Cloud DNS"
        cidrs = ", ".join([*dns.cidrs, *(f"{address}/32" for address in closed)])
        message = f"{where} answers at {', '.join(closed)}, where no NetworkPolicy lets pods: no name would resolve"
        yield Finding("failure", message, f"{needs.declared('cluster', 'dns')}: cidrs: [{cidrs}]")
    elif running or (outside and not closed):
        also = f", and {', '.join(outside)}" if outside else ""
        yield Finding("ok", f"{len(running)} pods with {selector} in {dns.namespace}{also}")
    else:
        yield _elsewhere(needs, cluster, f"no pod with {selector} runs in {dns.namespace}: no name would resolve")


def _elsewhere(needs: Needs, cluster: Cluster, said: str) -> Finding:
    """Returns other Services that answer on port 53."""
    for service in cluster.items(SERVICES):
        selected = at(service, "spec", "selector")
        if _serves(service) and selected:
            where = f"{{namespace: {service['metadata']['namespace']}, labels: {json.dumps(selected)}}}"
            if where != f"{{namespace: {needs.resolved.environment.cluster.dns.namespace}, labels: {{}}}}":
                return Finding("failure", said, f"{needs.declared('cluster')}: dns: {where}, and see that its pods run")
    return Finding(
        "failure", said, f"{needs.declared('cluster', 'dns')}: namespace, labels or cidrs of what resolves names"
    )


CHECKS = (Check("dns", "Do NetworkPolicies let pods to where names are resolved?", answered),)
