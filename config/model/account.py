"""The AWS account of an environment: its number and its networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from config.paths import Path

from .base import Cidr, Model

TIERS = ("public", "private", "data")


def _digits(value: object) -> object:
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) == 12):
        raise ValueError(f"an AWS account id has 12 digits, this has {len(text)}; write it in quotes")
    return text


AccountId = Annotated[str, BeforeValidator(_digits, json_schema_input_type=str)]
Zone = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d[a-z]$")]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
Principal = Annotated[str, StringConstraints(pattern=r"^arn:aws:iam::\d{12}:(role|user)/\S+$")]
"""ARN of a role or user that may use the cluster."""


class Subnets(Model):
    """A network for each zone, in the order of ``zones``."""

    public: tuple[Cidr, ...]
    """Load balancers and NAT gateways."""
    private: tuple[Cidr, ...]
    """Nodes and pods."""
    data: tuple[Cidr, ...]
    """Stores; no way to the internet."""

    def all(self) -> Iterator[tuple[Path, str]]:
        """Yields field and network."""
        for tier in TIERS:
            for index, network in enumerate(getattr(self, tier)):
                yield ("subnets", tier, index), network


class Account(Model):
    """The AWS account and region to which the provider is pinned, and the environment's networks."""

    id: AccountId
    region: Region = "us-east-1"
    zones: Annotated[tuple[Zone, ...], Field(min_length=2)]
    cidr: Cidr
    """CIDR of the whole network."""
    subnets: Subnets
    vpn_cidr: Cidr | None = Field(default=None, alias="vpnCidr")
    """People's machines, while they are connected; between /12 and /22 (AWS Client VPN)."""
    public_access_cidrs: tuple[Cidr, ...] = ()
    """Networks outside of the VPC that may reach the cluster's API; none: it is reachable inside the VPC only."""
    deployers: tuple[Principal, ...] = ()
    """Administrators of the cluster."""
    readers: tuple[Principal, ...] = ()
    """Readers of all objects in the cluster except Secrets."""

    @model_validator(mode="after")
    def _one_region(self) -> Self:
        if outside := [zone for zone in self.zones if zone[:-1] != self.region]:
            raise ValueError(f"zones: {', '.join(outside)} is not in {self.region}")
        return self

    def networks(self) -> Iterator[tuple[Path, str]]:
        """Yields field and network, of those that must belong to this environment only."""
        yield ("cidr",), self.cidr
        if self.vpn_cidr:
            yield ("vpnCidr",), self.vpn_cidr
