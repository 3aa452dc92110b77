"""kube-state-metrics: the state of the namespace's objects, as metrics."""

from __future__ import annotations

from typing import Any

from components.core.backend import Backend, Pod
from components.core.object_factory import Depends
from config.kinds import KubeStateMetrics as Declared

UID = 65534
"""User ID of ``nobody`` in the official image."""
RESOURCES = {
    "": ("persistentvolumeclaims", "pods", "resourcequotas"),
    "apps": ("deployments", "statefulsets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs", "jobs"),
    "policy": ("poddisruptionbudgets",),
}
"""API group to the watched resources. The default list contains Secrets; this one does not."""


def rights() -> list[Any]:
    """Returns the rights to list and watch these in the namespace."""
    return [
        {"apiGroups": [group], "resources": list(names), "verbs": ["list", "watch"]}
        for group, names in RESOURCES.items()
    ]


def arguments(namespace: str) -> list[str]:
    """Returns its flags (https://github.com/kubernetes/kube-state-metrics/blob/v2.13.0/docs/developer/cli-arguments.md)."""
    return [
        "--port=8080",
        "--telemetry-port=8081",
        f"--namespaces={namespace}",
        f"--resources={','.join(sorted(name for names in RESOURCES.values() for name in names))}",
    ]


class KubeStateMetrics(Backend):
    """Watches a single namespace, so it needs no ClusterRole."""

    resource_type = "understudy:kubestatemetrics:KubeStateMetrics"
    component: Declared

    def before(self) -> Depends:
        return self.objects.rights(rights())

    def pod(self) -> Pod:
        return Pod(
            uid=UID,
            ready={"httpGet": {"path": "/readyz", "port": "telemetry"}},
            args=arguments(self.namespace),
        )
