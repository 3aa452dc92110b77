"""What an application needs of what it runs on: the seam between two lifecycles.

Filled by the same stack, by a reference to the platform's stack (its output ``platform``), or by values that somebody gives.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from .base import DnsLabel, Model, Port

Arn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:\S+$")]


class Access(Model):
    """How the cluster is reached."""

    name: str
    identifier: str
    """What the provider is pinned to: the cluster's ARN, or the SHA-256 of its authority. Never changes with credentials."""
    kubeconfig: str
    """Its content, without secrets: who asks gets a token from AWS, by the identity it runs with."""


class Endpoint(Model):
    """Where a store answers."""

    host: str
    port: Port
    reader: str | None = None
    """Of those that may be a moment behind."""
    secret: Arn | None = None
    """In Secrets Manager: its credentials."""


class Platform(Model):
    """Everything an application is told of its platform."""

    cluster: Access | None = None
    endpoints: dict[DnsLabel, Endpoint] = {}
    """Component to where it answers."""
    target_groups: dict[str, Arn] = {}
    """What the gateway's pods join: ``secure`` and ``redirect``."""
