"""A user's own Kubernetes objects."""

from __future__ import annotations

import copy
from typing import Any

import pulumi

from components.core.context import BuildContext
from components.core.labels import OWNER, labels
from components.core.objects import KubernetesObject
from config.kinds import Manifests as Declared
from config.model.objects import below, containers, pods
from config.system import Resolved

_EARLY = (
    "ConfigMap",
    "ServiceAccount",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
    "Service",
)
"""Kinds that are created before the workloads, because those need them or policies require them."""


class Manifests(pulumi.ComponentResource):
    """The user's own objects in the environment's namespace, with the common labels; dependencies come before workloads.

    Each pod carries the component's label, which NetworkPolicies select by. Its containers receive the endpoints of
    the components that it uses as variables; a variable that the object sets itself is kept.
    """

    def __init__(
        self, name: str, declared: Declared, context: BuildContext, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("understudy:manifests:Manifests", name, None, opts)
        resolved = context.resolved
        environment = _environment(resolved, declared)
        before: list[pulumi.Resource] = []
        later = [manifest for manifest in declared.objects if manifest.kind not in _EARLY]
        for manifest in (*(m for m in declared.objects if m.kind in _EARLY), *later):
            body = copy.deepcopy(manifest.body())
            own = body["metadata"]
            body["metadata"] = {
                **own,
                "namespace": resolved.environment.namespace,
                "labels": {**labels(resolved, name), **own.get("labels", {}), OWNER: name},
            }
            for path, spec in list(pods(body)):
                _label(body, path, name)
                _tell(spec, environment)
            logical = f"{name}-{manifest.kind.lower()}-{own['name']}"
            waits = [] if manifest.kind in _EARLY else before
            resource = KubernetesObject(logical, body, pulumi.ResourceOptions(parent=self, depends_on=waits))
            if manifest.kind in _EARLY:
                before.append(resource)
        self.register_outputs({})


def _label(body: dict[str, Any], path: tuple[str | int, ...], name: str) -> None:
    """Sets the component's label in the metadata of a pod template, or of a Pod itself."""
    holder: Any = body
    for part in path[:-1]:
        holder = holder[part]
    if isinstance(holder, dict) and path[-1:] == ("spec",) and holder is not body:
        metadata = holder.setdefault("metadata", {})
        metadata["labels"] = {**(metadata.get("labels") or {}), OWNER: name}


def _tell(spec: dict[str, Any], environment: list[dict[str, Any]]) -> None:
    for _, container in containers(spec, "containers", "initContainers"):
        own_env = list(container.get("env") or [])
        names = {below(variable, "name") for variable in own_env}
        more = [variable for variable in environment if variable["name"] not in names]
        if own_env or more:
            container["env"] = [*own_env, *more]


def _environment(resolved: Resolved, declared: Declared) -> list[dict[str, Any]]:
    """Returns variables and secret references for every used component."""
    env: list[dict[str, Any]] = []
    for used in declared.uses:
        component = resolved.components[used]
        plain = component.environment(used, resolved.environment.namespace)
        env += [{"name": name, "value": value} for name, value in sorted(plain.items())]
        env += [
            {"name": name, "valueFrom": {"secretKeyRef": {"name": key.secret, "key": key.key}}}
            for name, key in sorted(component.credentials(used).items())
        ]
    return env
