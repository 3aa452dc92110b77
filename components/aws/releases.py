"""Pinned Helm releases in the platform's cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pulumi
import pulumi_kubernetes as kubernetes

from components.core.objects import KubernetesObject
from config.model.charts import source

from .context import PlatformComponent


def release(
    component: PlatformComponent,
    chart: str,
    version: str,
    charts: str,
    values: dict[str, Any],
    provider: kubernetes.Provider,
    depends_on: Sequence[pulumi.Resource],
    *,
    name: str | None = None,
    namespace: str = "kube-system",
) -> kubernetes.helm.v3.Release:
    """Creates a release atomically: a failed installation is rolled back.

    ``charts`` is the system's repository, which the stack may replace; ``name`` is by default the chart's.
    """
    place, called = source(component.context.charts or charts, chart, version), name or chart
    return kubernetes.helm.v3.Release(
        f"{component.key}-{called}",
        name=called,
        namespace=namespace,
        chart=place.chart,
        version=version,
        values=values,
        atomic=True,
        timeout=600,
        repository_opts={"repo": place.repository} if place.repository else None,
        opts=pulumi.ResourceOptions.merge(
            component.child_options(*depends_on), pulumi.ResourceOptions(provider=provider)
        ),
    )


def inside(
    component: PlatformComponent,
    provider: kubernetes.Provider,
    name: str,
    body: Mapping[str, Any],
    depends_on: Sequence[pulumi.Resource],
) -> KubernetesObject:
    """Creates an object of the platform in its cluster."""
    opts = pulumi.ResourceOptions.merge(component.child_options(*depends_on), pulumi.ResourceOptions(provider=provider))
    return KubernetesObject(name, body, opts)


def namespace(
    component: PlatformComponent,
    provider: kubernetes.Provider,
    name: str,
    security: Literal["restricted", "privileged"],
    depends_on: Sequence[pulumi.Resource],
    labels: Mapping[str, str] | None = None,
) -> KubernetesObject:
    """Creates a namespace of the platform with its level of Pod Security."""
    levels = {f"pod-security.kubernetes.io/{mode}": security for mode in ("enforce", "audit", "warn")}
    own = {"app.kubernetes.io/managed-by": "pulumi", **levels, **(labels or {})}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": own}}
    own_opts = component.child_options(*depends_on, protect=component.context.resolved.environment.protect)
    opts = pulumi.ResourceOptions.merge(own_opts, pulumi.ResourceOptions(provider=provider))
    return KubernetesObject(f"{component.key}-{name}", body, opts)
