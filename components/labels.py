"""The labels every object carries; selectors use ``app`` alone, as the seeds' kubectl lines do."""

from __future__ import annotations

from typing import Any

from config.system import Resolved


def selector(component: str) -> dict[str, str]:
    """Selects the pods of one component; never changes, because a Deployment's selector cannot."""
    return {"app": component}


def labels(resolved: Resolved, component: str | None = None) -> dict[str, str]:
    """Kubernetes' recommended labels, and ``app`` for those of a component."""
    own = {**selector(component), "app.kubernetes.io/name": component} if component else {}
    return {
        **own,
        "app.kubernetes.io/part-of": resolved.system,
        "app.kubernetes.io/managed-by": "pulumi",
        "understudy.dev/environment": resolved.environment.name,
    }


def metadata(resolved: Resolved, name: str, component: str | None = None, **more: Any) -> Any:
    """Metadata of a namespaced object."""
    return {"name": name, "namespace": resolved.environment.namespace, "labels": labels(resolved, component), **more}
