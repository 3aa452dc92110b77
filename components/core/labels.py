"""The labels every object carries; selectors use ``app``, as the seeds' kubectl lines do."""

from __future__ import annotations

from typing import Any

from config.system import Resolved

TRACK, STABLE = "understudy.dev/track", "stable"
"""Which of a service's Deployments a pod belongs to, where a mesh tells them apart."""

OWNER = "understudy.dev/component"
"""Label with the declaring component's name, on objects of ``kind: manifests``, whose ``app`` label is the user's
own."""


def selector(component: str, role: str | None = None) -> dict[str, str]:
    """Selects the pods of one component, or those of one role in it; never changes, because a Deployment's cannot."""
    return {"app": component, **({"app.kubernetes.io/component": role} if role else {})}


def labels(resolved: Resolved, component: str | None = None, role: str | None = None) -> dict[str, str]:
    """Kubernetes' recommended labels, and ``app`` for those of a component."""
    own = {**selector(component, role), "app.kubernetes.io/name": component} if component else {}
    return {
        **own,
        "app.kubernetes.io/part-of": resolved.system,
        "app.kubernetes.io/managed-by": "pulumi",
        "understudy.dev/environment": resolved.environment.name,
    }


def metadata(resolved: Resolved, name: str, component: str | None = None, role: str | None = None, **more: Any) -> Any:
    """Metadata of a namespaced object."""
    all_labels = labels(resolved, component, role)
    return {"name": name, "namespace": resolved.environment.namespace, "labels": all_labels, **more}
