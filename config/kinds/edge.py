"""What stands between users, services and the outside."""

from __future__ import annotations

from typing import Literal

from ..base import Cidr, Component, Demand, DnsLabel, Hostname, Port, Resources, SecretKey, Text, resources


class Istio(Component):
    """The mesh: every meshed pod carries a proxy of this size."""

    kind: Literal["istio"]
    version: Text
    mtls: Literal["strict"] = "strict"
    proxy: Resources = resources("50m", "500m", "64M", "256M")


class Gateway(Component):
    """nginx in front of services: TLS, redirect, hosts."""

    kind: Literal["gateway"]
    version: Text
    resources: Resources
    replicas: int = 2
    hosts: dict[Hostname, DnsLabel]
    """Host to component."""

    def ports(self) -> dict[str, int]:
        return {"https": 8443, "http": 8080}

    def demand(self) -> tuple[Demand, ...]:
        return (Demand(pods=self.replicas, surge=1, resources=self.resources),)


class External(Component):
    """A service of somebody else, such as Sentry or a payment provider."""

    namespaced = False
    kind: Literal["external"]
    hosts: tuple[Hostname, ...]
    cidr: Cidr
    tcp_port: Port = 443
    credential: SecretKey | None = None

    def host(self, name: str, namespace: str) -> str:
        return self.hosts[0]

    def ports(self) -> dict[str, int]:
        return {"https": self.tcp_port}
