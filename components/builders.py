"""Which component resource makes which kind. A kind without an entry is declared, and not deployed yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from config.stack import Stack
from config.system import Resolved

from .certificates import Certificates
from .cockroachdb import CockroachDB
from .configuration import Configuration
from .manifests import Manifests
from .postgresql import PostgreSQL
from .redis import Redis
from .secrets import Secrets
from .service import Service, ServiceArgs


@dataclass(frozen=True)
class Site:
    """What a builder needs of its surroundings."""

    resolved: Resolved
    stack: Stack
    configuration: Configuration
    secrets: Secrets
    certificates: Certificates


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


def _cockroachdb(name: str, component: Any, site: Site, opts: pulumi.ResourceOptions) -> pulumi.ComponentResource:
    return CockroachDB(name, site.resolved, component, site.certificates, site.secrets, opts)


def _postgresql(name: str, component: Any, site: Site, opts: pulumi.ResourceOptions) -> pulumi.ComponentResource:
    return PostgreSQL(name, site.resolved, component, site.certificates, site.secrets, opts)


def _redis(name: str, component: Any, site: Site, opts: pulumi.ResourceOptions) -> pulumi.ComponentResource:
    return Redis(name, site.resolved, component, site.secrets, opts)


def _manifests(name: str, component: Any, site: Site, opts: pulumi.ResourceOptions) -> pulumi.ComponentResource:
    return Manifests(name, site.resolved, component, opts)


BUILDERS: Mapping[str, Builder] = {
    "cockroachdb": _cockroachdb,
    "postgresql": _postgresql,
    "redis": _redis,
    "service": _service,
    "manifests": _manifests,
}
"""Kind to builder."""
