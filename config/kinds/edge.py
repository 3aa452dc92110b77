"""Kinds between users and services, and external services."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.model.base import Cidr, DnsLabel, Hostname, Port, Resources, Text
from config.model.component import Component
from config.model.workloads import ContainerSpec, PortSpec, WorkloadSpec


class Gateway(Component):
    """nginx in front of services: TLS, redirect, hosts."""

    kind: Literal["gateway"]
    version: Text
    resources: Resources
    replicas: int = 2
    hosts: dict[Hostname, DnsLabel]
    """Host to component."""

    def workloads(self, name: str) -> tuple[WorkloadSpec, ...]:
        containers = (ContainerSpec(name, ports=(PortSpec("https", 8443), PortSpec("http", 8080))),)
        return (
            WorkloadSpec(
                name, "Deployment", containers, pods=self.replicas, replicas="replicas", surge=1, services=(name,)
            ),
        )


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
