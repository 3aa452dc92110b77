"""Labels of all objects; selectors use ``app``, as the commands in the systems' documents do."""

from __future__ import annotations

from typing import Any

from config.system import Resolved

TRACK, STABLE = "understudy.dev/track", "stable"
"""Label that distinguishes the Deployments of a service in a mesh."""

OWNER = "understudy.dev/component"
"""Label with the declaring component's name, on objects of ``kind: manifests``, whose ``app`` label is the user's
own."""


def selector(component: str, role: str | None = None) -> dict[str, str]:
    """Returns the labels that select the pods of one component, or of one role in it.

    They are constant, as a selector must be.
    """
    return {"app": component, **({"app.kubernetes.io/component": role} if role else {})}


def labels(resolved: Resolved, component: str | None = None, role: str | None = None) -> dict[str, str]:
    """Returns Kubernetes' recommended labels, and ``app`` for objects of a component."""
    own = {**selector(component, role), "app.kubernetes.io/name": component} if component else {}
    return {
        **own,
        "app.kubernetes.io/part-of": resolved.system,
        "app.kubernetes.io/managed-by": "pulumi",
        "understudy.dev/environment": resolved.environment.name,
    }


def metadata(resolved: Resolved, name: str, component: str | None = None, role: str | None = None, **more: Any) -> Any:
    """Returns the metadata of a namespaced object."""
    all_labels = labels(resolved, component, role)
    return {"name": name, "namespace": resolved.environment.namespace, "labels": all_labels, **more}
