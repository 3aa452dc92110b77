"""The platform's values for an application: the interface between the two lifecycles.

The values come from the same stack, from the platform's stack (its output ``platform``), or from the stack's
configuration.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import StringConstraints, field_validator

from .base import DnsLabel, Model, Port

Arn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:\S+$")]

_SECRET = re.compile(r"\b(token|password|client-key-data|client-key)\b[\"']?\s*:")
"""Keys of a kubeconfig that must not stand in it directly."""


class Access(Model):
    """Access to the cluster."""

    name: str
    identifier: str
    """The cluster's identity for the provider: its ARN, or the SHA-256 of its authority. New credentials do not change it."""
    endpoint: str
    """The URL of the cluster's API."""
    certificate_authority: str
    """The cluster's certificate authority: PEM in base64, as in a kubeconfig."""
    kubeconfig: str
    """The kubeconfig without secrets; clients get a token from AWS with their own identity."""

    @field_validator("kubeconfig")
    @classmethod
    def _no_secret(cls, kubeconfig: str) -> str:
        if secret := _SECRET.search(kubeconfig):
            raise ValueError(f"the kubeconfig holds a secret, {secret[1]}: let it ask for a token by a command (exec)")
        return kubeconfig


class Endpoint(Model):
    """The endpoint of a store."""

    host: str
    port: Port
    reader: str | None = None
    """Endpoint of read replicas, whose data may lag."""
    secret: Arn | None = None
    """The credentials, in Secrets Manager."""
    authority: str | None = None
    """URL of the certificate bundle; none for a public authority, which operating systems trust."""


class Platform(Model):
    """All values of the platform that an application receives."""

    cluster: Access | None = None
    endpoints: dict[DnsLabel, Endpoint] = {}
    """Component to its endpoint."""
    target_groups: dict[str, Arn] = {}
    """Target groups that the gateway's pods join: ``secure`` and ``redirect``."""
