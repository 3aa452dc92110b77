"""Mutual TLS is required for all traffic in a mesh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...pods import is_workload
from ...references import istio, nsa
from ...resource import Resource, Unknown, at, child, items
from ...rule import Problem, Rule
from ...stack import Stack


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if stack.mesh is None:
        return
    if resource.kind == "PeerAuthentication":
        yield from _strict(resource)
    elif resource.type.startswith("kubernetes:networking.istio.io/") and resource.kind == "DestinationRule":
        yield from _originated(resource)
    elif resource.kind == "Namespace" and resource.get("metadata", "name") == stack.namespace:
        if resource.get("metadata", "labels", "istio-injection") != "enabled":
            yield ("metadata", "labels", "istio-injection"), "its pods get no proxy: they are not in the mesh"
    elif is_workload(resource) and resource.get("metadata", "namespace") == stack.namespace:
        yield from _pods(resource, stack)


def _strict(resource: Resource) -> Iterator[Problem]:
    if resource.get("spec", "mtls", "mode") != "STRICT":
        yield ("spec", "mtls", "mode"), "clients without a certificate are admitted; the mode has to be STRICT"
    ports = resource.get("spec", "portLevelMtls")
    for port in list(ports) if isinstance(ports, Mapping) else []:
        if at(ports, port, "mode") != "STRICT":
            yield ("spec", "portLevelMtls", port, "mode"), "a port of its own without mutual TLS"


def _originated(resource: Resource) -> Iterator[Problem]:
    """Requires mutual TLS to pods, and TLS with verified names to other hosts."""
    policy, host = resource.get("spec", "trafficPolicy"), resource.get("spec", "host")
    tls = child(policy, "tls")
    mode = child(tls, "mode")
    inside = isinstance(host, str) and host.endswith(".svc.cluster.local")
    if inside and mode not in (None, "ISTIO_MUTUAL"):
        yield (
            ("spec", "trafficPolicy", "tls", "mode"),
            f"{mode} to a pod of the mesh: it would be refused, or readable on the network",
        )
    if not inside and mode == "DISABLE":
        yield ("spec", "trafficPolicy", "tls", "mode"), "traffic that leaves the mesh is not encrypted"
    if mode == "SIMPLE" and child(tls, "caCertificates") is None:
        yield (
            ("spec", "trafficPolicy", "tls", "caCertificates"),
            "no certificate authority is stated for the other side",
        )
    for index, _ in items(child(policy, "portLevelSettings")):
        yield ("spec", "trafficPolicy", "portLevelSettings", index), "TLS of one port, apart from the others'"


def _pods(resource: Resource, stack: Stack) -> Iterator[Problem]:
    template = ("spec", "jobTemplate", "spec", "template") if resource.kind == "CronJob" else ("spec", "template")
    for part in ("labels", "annotations"):
        value = resource.get(*template, "metadata", part, "sidecar.istio.io/inject")
        if value not in (None, "true"):
            yield (*template, "metadata", part, "sidecar.istio.io/inject"), "its pods are excluded from the mesh"
    excluded = resource.get(*template, "metadata", "annotations", "traffic.sidecar.istio.io/excludeInboundPorts")
    if excluded not in (None, ""):
        yield (
            (*template, "metadata", "annotations", "traffic.sidecar.istio.io/excludeInboundPorts"),
            "ports that bypass the proxy",
        )
    namespace_wide = [r for r in stack.of_kind("PeerAuthentication") if not _selects(r)]
    if not any(r.get("metadata", "namespace") == stack.namespace for r in namespace_wide):
        yield ("metadata", "namespace"), "no PeerAuthentication of the whole namespace comes before it"


def _selects(resource: Resource) -> bool:
    labels = resource.get("spec", "selector")
    return labels is not None and not isinstance(labels, Unknown)


RULE = Rule(
    id="mesh-mutual-tls",
    description="Every pod of a meshed environment has a proxy, which takes mutual TLS only; what leaves the mesh has TLS.",
    severity="critical",
    remediation="Leave PeerAuthentication STRICT; a client that cannot speak it belongs into the mesh, or elsewhere.",
    check=check,
    references=(
        istio("best-practices/security", "Mutual TLS"),
        nsa("Network separation and hardening"),
    ),
)
