"""Checks the objects of ``kind: manifests``: their shapes, their amounts, and unique names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from config.kinds.manifests import Manifest, Manifests
from config.model.component import Component
from config.model.objects import flaws
from config.paths import Path
from config.system import Configuration, System

_MADE = ("Deployment", "StatefulSet", "Service", "ServiceAccount", "PodDisruptionBudget", "NetworkPolicy")
"""Objects that components of other kinds create under the component's name."""
_GUARDS = (
    ("Namespace", "namespace"),
    ("ResourceQuota", "quota"),
    ("LimitRange", "limits"),
    ("NetworkPolicy", "default-deny"),
    ("NetworkPolicy", "allow-dns"),
    ("NetworkPolicy", "allow-mesh"),
)


def object_flaws(
    system: System, components: Mapping[str, Component], configuration: Configuration
) -> Iterator[tuple[Path, str, str]]:
    """Yields path below the components, problem and remedy."""
    seen = dict(_made(system, components, configuration))
    for name, component in components.items():
        if not isinstance(component, Manifests) or component.existing:
            continue
        for index, manifest in enumerate(component.objects):
            here: Path = (name, "objects", index)
            yield from (((*here, *path), message, fix) for path, message, fix in flaws(manifest.body()))
            key = _key(manifest)
            if key in seen:
                message = f"a second {manifest.kind} {key[2]!r}, beside that of {seen[key]}"
                yield (*here, "metadata", "name"), message, "give it another name"
            seen[key] = f"{name!r}"


def _key(manifest: Manifest) -> tuple[str, str, Any]:
    """Returns the API server's key of an object; the version of Kubernetes' own groups is not part of it."""
    group = manifest.api_version.rpartition("/")[0]
    return group, manifest.kind, manifest.metadata.get("name")


def _made(
    system: System, components: Mapping[str, Component], configuration: Configuration
) -> Iterator[tuple[tuple[str, str, Any], str]]:
    """Yields the objects that the program itself creates, and the component of each."""
    groups = {"Deployment": "apps", "StatefulSet": "apps", "PodDisruptionBudget": "policy"}
    groups |= {"NetworkPolicy": "networking.k8s.io"}
    for kind, name in _GUARDS:
        yield (groups.get(kind, ""), kind, name), "the environment itself"
    for name in (configuration.name, *configuration.also):
        yield ("", "ConfigMap", name), "the configuration"
    for name in system.secrets:
        yield ("", "Secret", name), "the system's secrets"
    for name, component in components.items():
        if component.namespaced and not component.existing:
            kinds = ("NetworkPolicy",) if isinstance(component, Manifests) else _MADE
            yield from (((groups.get(kind, ""), kind, name), f"{name!r}") for kind in kinds)
