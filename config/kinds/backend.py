"""Backends of metrics, logs and traces: what they have in common."""

from __future__ import annotations

from ..base import Component, Demand, Resources, StorageAmount, Text
from ..quantity import Storage


class Backend(Component):
    """One pod behind a Service, restarted in place."""

    version: Text
    image: str
    """Without a tag: the tag is the version."""
    resources: Resources

    def demand(self) -> tuple[Demand, ...]:
        return (Demand(pods=1, resources=self.resources, volumes=tuple(self.volumes(self.kind).values())),)


class Stored(Backend):
    """A backend with a volume."""

    storage: StorageAmount
    """It can grow, and not shrink."""

    def volumes(self, name: str) -> dict[str, Storage]:
        return {f"data-{name}-0": self.storage}
