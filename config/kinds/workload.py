"""Workloads that run an image of the user's: services and jobs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.model.base import DnsLabel, EnvironmentName, Resources, SecretKey, Text
from config.model.component import Component


class Workload(Component):
    """An image with its configuration, secrets and resources."""

    image: str
    """Without a tag: the tag comes from the stack's configuration."""
    resources: Resources
    configuration: tuple[str, ...] | Literal["all"] = ()
    """Keys of the system's configuration that the pods receive; a change of other keys does not replace the pods."""
    secrets: dict[EnvironmentName, SecretKey] = {}
    """Environment variables from keys of the system's secrets."""
    env: dict[EnvironmentName, Text] = {}
    """Additional environment variables."""
    writable: tuple[Annotated[str, Field(pattern="^/")], ...] = ("/tmp",)  # noqa: S108 - a mount point in the container
    """Paths with an emptyDir; the rest of the file system is read-only."""
    waits_for: tuple[DnsLabel, ...] = ()
    """Jobs that finish before its pods start or are replaced."""

    def needs(self) -> tuple[str, ...]:
        return self.waits_for

    def secrets_read(self) -> tuple[str, ...]:
        return tuple(sorted({key.secret for key in self.secrets.values()}))
