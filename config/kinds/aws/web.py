"""The entrance from the internet: names, certificates, the load balancer, the content delivery network."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from config.model.base import DnsLabel, Port

from .managed import Identifier, Platform

Host = Annotated[
    str,
    StringConstraints(
        pattern=r"^(\{domain\}|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*(\.\{domain\})?)$"
    ),
]
"""A DNS name in lower case, or one below ``{domain}``."""


class Zone(Platform):
    """The public DNS zone of the environment's domain. The zone above it delegates to it, once, by its name servers."""

    kind: Literal["zone"]
    after = ()


class LoadBalancer(Platform):
    """A network load balancer in front of the cluster's gateway, and the names that lead to it.

    It has the environment's certificate. It belongs to the platform, so that the names are known before the gateway
    exists; the gateway's pods join its target groups.
    """

    kind: Literal["load-balancer"]
    identifier: Identifier = "{system}-{environment}"
    hosts: Annotated[tuple[Host, ...], Field(min_length=1)]
    secure_port: Port = 8443
    """Port of the gateway's pods for TLS."""
    redirect_port: Port = 8080
    """Port of the gateway's pods that redirects plain HTTP to HTTPS."""
    logs: DnsLabel
    """The bucket of its access logs."""

    def needs(self) -> tuple[str, ...]:
        return (self.logs,)


class Cdn(Platform):
    """CloudFront in front of a bucket that only this distribution may read."""

    kind: Literal["cdn"]
    bucket: DnsLabel
    logs: DnsLabel
    """The bucket of its access logs."""
    host_name: Host
    price_class: Literal["PriceClass_100", "PriceClass_200", "PriceClass_All"] = "PriceClass_100"

    def needs(self) -> tuple[str, ...]:
        return (self.bucket, self.logs)
