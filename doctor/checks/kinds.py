"""Checks that the API server serves every kind of the graph."""

from __future__ import annotations

from collections.abc import Iterator

from ..cluster import Cluster
from ..needs import Needs, at, label, some
from ..result import Check, Finding

BRINGS = {
    "cert-manager.io": "cert-manager",
    "bitnami.com": "the Sealed Secrets controller",
    "external-secrets.io": "the External Secrets Operator",
    "istio.io": "Istio",
    "monitoring.coreos.com": "the Prometheus Operator",
    "gateway.networking.k8s.io": "the Gateway API's custom resource definitions",
    "keda.sh": "KEDA",
    "karpenter.sh": "Karpenter",
    "snapshot.storage.k8s.io": "the CSI snapshot controller",
}
"""The end of an API group to the software that installs it."""


def served(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks that each kind is served, or that the graph itself contains its definition."""
    own = {(at(b, "spec", "group"), at(b, "spec", "names", "kind")) for b in needs.of("CustomResourceDefinition")}
    used: dict[tuple[str, str], list[str]] = {}
    for body in needs.objects:
        used.setdefault((body["apiVersion"], body["kind"]), []).append(label(body))
    missing = 0
    for (version, kind), names in sorted(used.items()):
        group = version.rpartition("/")[0]
        if (group, kind) in own or kind in cluster.served(version):
            continue
        missing += 1
        by = next((what for end, what in BRINGS.items() if group == end or group.endswith(f".{end}")), None)
        builtin = "." not in group or group.endswith(".k8s.io")
        fix = f"install {by}" if by else "upgrade the cluster" if builtin else f"install what defines {kind}.{group}"
        yield Finding("failure", f"{version} {kind} is not served; needed by {some(names)}", fix)
    if not missing:
        yield Finding("ok", f"{len(used)} kinds, each of them served")


CHECKS = (Check("kinds", "Is every kind served, built-in or custom?", served),)
