"""The namespace with its Pod Security level, quota, default limits and NetworkPolicies."""

from __future__ import annotations

from typing import Any

import pulumi

from config.derivation.capacity import peak
from config.derivation.mesh_topology import mesh
from config.model.objects import DEFAULTS
from config.system import Resolved

from .labels import labels, metadata
from .network import policies
from .objects import KubernetesObject


class Namespace(pulumi.ComponentResource):
    """Creates the namespace with level ``restricted``, a quota of the declared peak, and NetworkPolicies from ``uses``."""

    def __init__(self, name: str, resolved: Resolved, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("understudy:namespace:Namespace", name, None, opts)
        settings = resolved.environment
        security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
        injected = {"istio-injection": "enabled"} if mesh(resolved) else {}
        labelled = {"name": settings.namespace, "labels": {**labels(resolved), **security, **injected}}
        namespace = KubernetesObject(
            name,
            {"apiVersion": "v1", "kind": "Namespace", "metadata": labelled},
            pulumi.ResourceOptions(parent=self, protect=settings.protect),
        )
        inside = pulumi.ResourceOptions(parent=self, depends_on=[namespace])

        def guard(logical: str, name: str, version: str, kind: str, spec: Any) -> None:
            body = {"apiVersion": version, "kind": kind, "metadata": metadata(resolved, name), "spec": spec}
            KubernetesObject(logical, body, inside)

        defaults = {"type": "Container", "defaultRequest": DEFAULTS["requests"], "default": DEFAULTS["limits"]}
        guard("quota", "quota", "v1", "ResourceQuota", {"hard": peak(resolved).hard()})
        guard("limits", "limits", "v1", "LimitRange", {"limits": [defaults]})
        for policy, spec in policies(resolved).items():
            guard(f"{policy}-network", policy, "networking.k8s.io/v1", "NetworkPolicy", spec)
        self.name = settings.namespace
        self.register_outputs({"name": self.name})
