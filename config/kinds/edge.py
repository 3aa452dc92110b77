"""Kinds between users and services, and external services."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.model.base import Cidr, Component, Demand, DnsLabel, Hostname, Port, Resources, Text


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
    """An external service, such as Sentry or a payment provider.

    In a mesh it is reached by its name through the egress gateway; elsewhere by its network.
    """

    namespaced = False
    kind: Literal["external"]
    hosts: Annotated[tuple[Hostname, ...], Field(min_length=1)]
    cidr: Cidr | None = None
    tcp_port: Port = 443

    def host(self, name: str, namespace: str) -> str:
        return self.hosts[0]

    def ports(self) -> dict[str, int]:
        return {"https": self.tcp_port}
