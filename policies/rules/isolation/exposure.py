"""Everything that is reachable from outside has TLS and authentication."""

from __future__ import annotations

from collections.abc import Iterator

from ...references import cis_eks, nsa
from ...resource import Resource, Unknown, at, child, items
from ...rule import Problem, Rule
from ...stack import Stack

_AUTHENTICATES = (
    "nginx.ingress.kubernetes.io/auth-url",
    "nginx.ingress.kubernetes.io/auth-tls-secret",
    "nginx.ingress.kubernetes.io/auth-secret",
    "alb.ingress.kubernetes.io/auth-type",
    "understudy.dev/authentication",
)
"""Annotations that add authentication to an Ingress; the last states that the application authenticates, and how."""


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.type == "kubernetes:core/v1:Service":
        kind = resource.get("spec", "type")
        if kind not in (None, "ClusterIP"):
            yield ("spec", "type"), f"a Service of type {kind} is reached without TLS and authentication"
        if resource.get("spec", "externalIPs"):
            yield ("spec", "externalIPs"), "it is reached at addresses from outside"
    elif resource.kind == "Ingress":
        yield from _ingress(resource)
    elif resource.kind == "Gateway":
        for index, listener in items(resource.get("spec", "listeners")):
            if child(listener, "protocol") not in ("HTTPS", "TLS"):
                yield ("spec", "listeners", index, "protocol"), "it accepts connections without TLS"
        for index, server in items(resource.get("spec", "servers")):  # Istio's
            redirects = at(server, "tls", "httpsRedirect") is True
            if at(server, "port", "protocol") not in ("HTTPS", "TLS") and not redirects:
                yield ("spec", "servers", index, "port", "protocol"), "it accepts connections without TLS"


def _ingress(resource: Resource) -> Iterator[Problem]:
    secured = {host for _, entry in items(resource.get("spec", "tls")) for _, host in items(child(entry, "hosts"))}
    for index, rule in items(resource.get("spec", "rules")):
        host = child(rule, "host")
        if isinstance(host, Unknown) or host not in secured:
            yield ("spec", "rules", index, "host"), f"{host!r} is reached without TLS"
    if resource.get("spec", "defaultBackend") is not None:
        yield ("spec", "defaultBackend"), "it answers for every host, without TLS"
    if not any(resource.get("metadata", "annotations", name) for name in _AUTHENTICATES):
        yield ("metadata", "annotations"), "it has no authentication"


RULE = Rule(
    id="isolation-exposure",
    description="Services are reached inside the cluster; what comes in from outside has TLS and authentication.",
    severity="high",
    remediation="Expose through the gateway; give each host TLS, and say what authenticates.",
    check=check,
    references=(
        nsa("Network separation and hardening"),
        cis_eks("5.4.5", "Encrypt traffic to HTTPS load balancers with TLS certificates"),
    ),
)
