"""Which component resource makes which kind. A kind without an entry is declared, and not deployed yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from config.stack import Stack
from config.system import Resolved

from .configuration import Configuration
from .manifests import Manifests
from .secrets import Secrets
from .service import Service, ServiceArgs


@dataclass(frozen=True)
class Site:
    """What a builder needs of its surroundings."""

    resolved: Resolved
    stack: Stack
    configuration: Configuration
    secrets: Secrets


Builder = Callable[[str, Any, Site, pulumi.ResourceOptions], pulumi.ComponentResource]


def _service(name: str, component: Any, site: Site, opts: pulumi.ResourceOptions) -> pulumi.ComponentResource:
    args = ServiceArgs(
        resolved=site.resolved,
        service=component,
        tag=site.stack.images.get(name),
        configuration=site.configuration,
        secrets=site.secrets,
    )
    return Service(name, args, opts)


def _manifests(name: str, component: Any, site: Site, opts: pulumi.ResourceOptions) -> pulumi.ComponentResource:
    return Manifests(name, site.resolved, component, opts)


BUILDERS: Mapping[str, Builder] = {"service": _service, "manifests": _manifests}
"""Kind to builder."""
