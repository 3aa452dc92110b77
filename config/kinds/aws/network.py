"""The network, and people's access to it. Addresses are stated by the environment: ``environments.<name>.account``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.model.base import Text
from config.model.quantity import Duration

from .managed import LogRetention, Platform

Service = Literal["s3", "ecr.api", "ecr.dkr", "sts", "secretsmanager", "logs"]
"""AWS services that are reached through endpoints inside the network."""


class Network(Platform):
    """A VPC: public, private and data subnets in each zone, NAT gateways, endpoints, flow logs."""

    kind: Literal["network"]
    after = ()
    nat_gateways: Annotated[int, Field(ge=1)] = 3
    """Zones without a gateway use another zone's."""
    endpoints: tuple[Service, ...] = ("s3", "ecr.api", "ecr.dkr", "sts", "secretsmanager", "logs")
    flow_log_retention: LogRetention = 365


class ClientVpn(Platform):
    """AWS Client VPN with certificates: ``./understudy vpn`` writes the file for OpenVPN."""

    kind: Literal["client-vpn"]
    split_tunnel: bool = True
    """Only traffic to the network uses the VPN."""
    session_hours: Literal[8, 10, 12, 24] = 8
    log_retention: LogRetention = 90
    certificate_validity: Duration = Duration.parse("365d")
    renew_before: Duration = Duration.parse("60d")
    client: Text = "{system}-{environment}-client"
    """The common name of clients' certificates."""
