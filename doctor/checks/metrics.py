"""Checks that the metrics which autoscalers need are served."""

from __future__ import annotations

from collections.abc import Iterator

from ..cluster import Cluster, Object
from ..needs import Needs, at, label, some
from ..result import Check, Finding

SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
GROUPS = {
    "Resource": "metrics.k8s.io",
    "ContainerResource": "metrics.k8s.io",
    "Pods": "custom.metrics.k8s.io",
    "Object": "custom.metrics.k8s.io",
    "External": "external.metrics.k8s.io",
}
"""Type of an autoscaler's metric to the API that serves it."""
_BRINGS = {
    "metrics.k8s.io": "install metrics-server (of kubernetes-sigs), or `minikube addons enable metrics-server`",
    "custom.metrics.k8s.io": "install an adapter for custom metrics",
    "external.metrics.k8s.io": "install an adapter for external metrics",
}


def answered(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks that each API of metrics is registered and available."""
    autoscalers: dict[str, list[str]] = {}
    for body in needs.of("HorizontalPodAutoscaler"):
        for metric in at(body, "spec", "metrics") or ():
            if group := GROUPS.get(metric.get("type", "")):
                autoscalers.setdefault(group, []).append(label(body))
    services = {at(service, "spec", "group"): service for service in cluster.items(SERVICES)} if autoscalers else {}
    for group, names in autoscalers.items():
        conditions = at(services.get(group), "status", "conditions") or ()
        available: Object = next((c for c in conditions if c.get("type") == "Available"), {})
        if group not in services:
            message = f"no server answers for {group}: {some(names)} would stay at the minimum"
            yield Finding("failure", message, _BRINGS[group])
        elif available.get("status") != "True":
            message = f"{group} is registered and does not answer: {available.get('message', 'no condition')}"
            yield Finding("failure", message, "kubectl -n kube-system describe deployment metrics-server")
        else:
            yield Finding("ok", f"{group} answers, for {some(names)}")
    if not autoscalers:
        yield Finding("ok", "no autoscaler uses metrics")


CHECKS = (Check("metrics-api", "Are the metrics of autoscalers served?", answered),)
