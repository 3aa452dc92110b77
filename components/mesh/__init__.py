"""The environment's objects of the service mesh. The mesh itself belongs to the platform (``kind: istio``)."""

from __future__ import annotations

from typing import Any

import pulumi

from components.core.labels import metadata, selector
from components.core.objects import KubernetesObject
from components.core.platform import Platform
from config.derivation.mesh_topology import exits, runs_here, stores_outside
from config.derivation.mesh_topology import gateway as declared_gateway
from config.kinds import Istio
from config.system import Resolved

from .authorization import gateway, policies, signed_in, traced
from .egress import entry, led_to_stores, originated, passed_on, sidecar, store, way_out
from .routing import rate_limit

NETWORKING, SECURITY, TELEMETRY = "networking.istio.io/v1", "security.istio.io/v1", "telemetry.istio.io/v1"
TRACING = "tracing"
"""The mesh's provider for spans."""


class Mesh(pulumi.ComponentResource):
    """The mesh of an environment: mutual TLS, authorization, visibility of services, egress, logs and traces.

    All of its objects exist before the pods. Their names are the components', as for NetworkPolicies.
    """

    def __init__(
        self,
        name: str,
        istio: Istio,
        resolved: Resolved,
        platform: Platform,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("understudy:mesh:Mesh", name, None, opts)
        self._resolved = resolved
        self._make(SECURITY, "PeerAuthentication", "default", {"mtls": {"mode": "STRICT"}})
        for key, spec in policies(resolved).items():
            self._make(SECURITY, "AuthorizationPolicy", key, spec)
        self._signed_in()
        for key in resolved.components:
            if runs_here(resolved, key):
                self._make(NETWORKING, "Sidecar", key, sidecar(resolved, key, platform))
        self._outside(platform)
        self._limits()
        self._telemetry(istio)
        self.register_outputs({})

    def _make(self, version: str, kind: str, name: str, spec: Any, *, logical: str | None = None) -> None:
        body = {"apiVersion": version, "kind": kind, "metadata": metadata(self._resolved, name), "spec": spec}
        KubernetesObject(logical or f"{name}-mesh", body, pulumi.ResourceOptions(parent=self))

    def _signed_in(self) -> None:
        entrance = declared_gateway(self._resolved)
        for host in entrance[1].hosts if entrance else ():
            for route in host.routes if host.authentication else ():
                provider = str(host.authentication)
                spec = signed_in(route.to, provider, gateway(self._resolved))
                self._make(SECURITY, "AuthorizationPolicy", f"{route.to}-signed-in", spec)

    def _outside(self, platform: Platform) -> None:
        for key, component in stores_outside(self._resolved).items():
            self._make(NETWORKING, "ServiceEntry", key, store(self._resolved, key, component, platform))
        for key in led_to_stores(self._resolved):
            self._make(NETWORKING, "DestinationRule", key, originated(key, self._resolved, platform))
        for key, hosts in exits(self._resolved).items():
            way = f"{key}-outside"
            self._make(NETWORKING, "ServiceEntry", key, entry(hosts))
            self._make(NETWORKING, "Gateway", way, passed_on(hosts))
            self._make(NETWORKING, "VirtualService", way, way_out(way, hosts))

    def _limits(self) -> None:
        gateway = declared_gateway(self._resolved)
        if gateway is None or gateway[1].rate_limit is None:
            return
        for key in gateway[1].targets():
            if runs_here(self._resolved, key):
                spec = rate_limit(self._resolved, key, gateway[1].rate_limit)
                self._make("networking.istio.io/v1alpha3", "EnvoyFilter", f"{key}-rate-limit", spec)

    def _telemetry(self, istio: Istio) -> None:
        """Makes the access logs of all proxies, and the traces of components that use a collector."""
        if istio.access_log:
            self._make(TELEMETRY, "Telemetry", "access-log", {"accessLogging": [{"providers": [{"name": "envoy"}]}]})
        share = float(istio.sampling.value * 100)
        for key in self._resolved.components:
            if runs_here(self._resolved, key) and traced(self._resolved, key):
                tracing = {"providers": [{"name": TRACING}], "randomSamplingPercentage": share}
                spec = {"selector": {"matchLabels": selector(key)}, "tracing": [tracing]}
                self._make(TELEMETRY, "Telemetry", key, spec)
