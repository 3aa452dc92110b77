"""What an application needs of what it runs on: the seam between two lifecycles.

Filled by the same stack, by a reference to the platform's stack (its output ``platform``), or by values that somebody gives.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import StringConstraints, field_validator

from .base import DnsLabel, Model, Port

Arn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:\S+$")]

_SECRET = re.compile(r"\b(token|password|client-key-data|client-key)\b[\"']?\s*:")
"""What a kubeconfig should not say itself."""


class Access(Model):
    """How the cluster is reached."""

    name: str
    identifier: str
    """What the provider is pinned to: the cluster's ARN, or the SHA-256 of its authority. Never changes with credentials."""
    endpoint: str
    """The URL of its API."""
    certificate_authority: str
    """Whom to verify it with: PEM in base64, as kubeconfigs have it."""
    kubeconfig: str
    """Its content, without secrets: who asks gets a token from AWS, by the identity it runs with."""

    @field_validator("kubeconfig")
    @classmethod
    def _no_secret(cls, kubeconfig: str) -> str:
        if found := _SECRET.search(kubeconfig):
            raise ValueError(f"the kubeconfig holds a secret, {found[1]}: let it ask for a token by a command (exec)")
        return kubeconfig


class Endpoint(Model):
    """Where a store answers."""

    host: str
    port: Port
    reader: str | None = None
    """Of those that may be a moment behind."""
    secret: Arn | None = None
    """In Secrets Manager: its credentials."""
    authority: str | None = None
    """Where the bundle is that its certificate is verified with; none: a public authority, which every system knows."""


class Platform(Model):
    """Everything an application is told of its platform."""

    cluster: Access | None = None
    endpoints: dict[DnsLabel, Endpoint] = {}
    """Component to where it answers."""
    target_groups: dict[str, Arn] = {}
    """What the gateway's pods join: ``secure`` and ``redirect``."""
