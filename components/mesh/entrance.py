"""Hosts at the mesh's gateway in."""

from __future__ import annotations

import pulumi

from components.core.context import BuildContext
from components.core.labels import metadata
from components.core.objects import KubernetesObject
from config.kinds import MeshGateway as Declared

from . import NETWORKING
from .routing import servers, virtual_service


class MeshGateway(pulumi.ComponentResource):
    """Creates a Gateway, and for each host a VirtualService, after the services of its routes."""

    def __init__(
        self, name: str, declared: Declared, context: BuildContext, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("understudy:mesh:MeshGateway", name, None, opts)
        resolved = context.resolved

        def make(
            kind: str, called: str, logical: str, spec: object, depends_on: list[pulumi.Resource]
        ) -> pulumi.Resource:
            body = {
                "apiVersion": NETWORKING,
                "kind": kind,
                "metadata": metadata(resolved, called, name),
                "spec": spec,
            }
            return KubernetesObject(logical, body, pulumi.ResourceOptions(parent=self, depends_on=depends_on))

        way_in = make("Gateway", name, name, servers(declared), [])
        for entry in declared.hosts:
            label = entry.host.removesuffix(resolved.environment.domain).rstrip(".") or "domain"
            spec = virtual_service(resolved, name, declared, entry, context.platform)
            make("VirtualService", f"{name}-{label}", f"{name}-{label}", spec, [way_in])
        self.register_outputs({"hosts": [entry.host for entry in declared.hosts]})
