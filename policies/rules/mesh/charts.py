"""Checks Helm values; the objects that a chart renders are not visible to policies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...references import istio, nsa
from ...resource import Path, Resource, at, child
from ...rule import Problem, Rule
from ...stack import Stack

RELEASE = "kubernetes:helm.sh/v3:Release"
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_PACKAGED = re.compile(r"-\d+\.\d+\.\d+\.tgz$")
"""File name suffix of a packaged chart; a registry or repository uses the plain name."""
_MESH: dict[str, tuple[tuple[Path, object, str], ...]] = {
    "istiod": (
        (("meshConfig", "outboundTrafficPolicy", "mode"), "REGISTRY_ONLY", "pods may call undeclared hosts"),
        (("meshConfig", "meshMTLS", "minProtocolVersion"), "TLSV1_3", "proxies would accept older TLS versions"),
        (("cni", "enabled"), True, "pods would need the right to change their network"),
        (("env", "ENABLE_NATIVE_SIDECARS"), "true", "Jobs would never complete"),
        (
            ("global", "proxy", "seccompProfile", "type"),
            "RuntimeDefault",
            "proxies would break restricted Pod Security",
        ),
    ),
    "gateway": (
        (("service", "type"), "ClusterIP", "it would make a load balancer of its own"),
        (("securityContext", "runAsNonRoot"), True, "it would run as root"),
        (("securityContext", "seccompProfile", "type"), "RuntimeDefault", "it would break restricted Pod Security"),
    ),
}
"""Chart to path of a value, the required value, and the reason."""
_IMAGES = ("istiod", "cni")
_AGENT = "cni"


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.type != RELEASE:
        return
    version = resource.get("version")
    chart = _PACKAGED.sub("", str(resource.get("chart") or "").rpartition("/")[2])
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        yield ("version",), f"{version!r} is not an exact version: it may get another chart"
    for path, required, otherwise in _MESH.get(chart, ()):
        if at(resource.get("values"), *path) != required:
            yield ("values", *path), f"{'.'.join(map(str, path))} has to be {required!r}: {otherwise}"
    if stack.mesh and chart in _IMAGES:
        yield from _own(resource, chart, stack)
    if chart == _AGENT:
        yield from _alone(resource, stack)


def _own(resource: Resource, chart: str, stack: Stack) -> Iterator[Problem]:
    """Yields chart values that name anything but this environment."""
    declared = stack.mesh or {}
    required: dict[Path, object] = {
        ("global", "hub"): child(declared, "images"),
        ("global", "tag"): child(declared, "version"),
    }
    if chart == "istiod":
        required["meshConfig", "trustDomain"] = stack.declared("resolved", "environment", "domain")
    for path, value in required.items():
        if at(resource.get("values"), *path) != value:
            yield ("values", *path), f"{'.'.join(map(str, path))} has to be {value!r}, as declared"


def _alone(resource: Resource, stack: Stack) -> Iterator[Problem]:
    """Privileged pods are alone in their namespace."""
    namespace_name = resource.get("namespace")
    others = [r for r in stack.of_kind("Release") if r.urn != resource.urn and r.get("namespace") == namespace_name]
    if others or namespace_name in (stack.namespace, "kube-system"):
        yield ("namespace",), f"its pods are privileged, and {namespace_name!r} holds others"


RULE = Rule(
    id="mesh-charts",
    description="Helm releases are pinned; those of the mesh are told what mutual TLS, declared ways out and restricted Pod "
    "Security rest on. What else a chart makes is not seen here.",
    severity="high",
    remediation="Change the component of kind istio, or components/aws/istio/values.py for what holds everywhere.",
    check=check,
    references=(
        istio("best-practices/security", "Understand traffic capture limitations"),
        nsa("Kubernetes Pod security"),
    ),
)
