"""A user's own Kubernetes objects."""

from __future__ import annotations

from typing import Any

import pulumi

from config.kinds import Manifests as Declared
from config.system import Resolved

from .labels import labels
from .objects import KubernetesObject


class Manifests(pulumi.ComponentResource):
    """Each object in the environment's namespace, with the common labels added."""

    def __init__(
        self, name: str, resolved: Resolved, declared: Declared, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("understudy:manifests:Manifests", name, None, opts)
        for manifest in declared.objects:
            body: dict[str, Any] = manifest.body()
            own = body["metadata"]
            body["metadata"] = {
                **own,
                "namespace": resolved.environment.namespace,
                "labels": {**labels(resolved, name), **own.get("labels", {})},
            }
            logical = f"{name}-{manifest.kind.lower()}-{own['name']}"
            KubernetesObject(logical, body, pulumi.ResourceOptions(parent=self))
        self.register_outputs({})
