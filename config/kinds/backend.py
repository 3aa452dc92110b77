"""Backends of metrics, logs and traces: what they have in common."""

from __future__ import annotations

from config.model.base import Component, Demand, Resources, StorageAmount, Text, resources
from config.model.quantity import Storage


class Backend(Component):
    """One pod behind a Service, restarted in place."""

    version: Text
    image: str
    """Without a tag: the tag is the version."""
    resources: Resources

    def demand(self) -> tuple[Demand, ...]:
        return (Demand(pods=1, resources=self.resources, volumes=tuple(self.volumes(self.kind).values())),)


class Told(Backend):
    """A backend that a Job tells something once it runs."""

    helper_resources: Resources = resources("50m", "500m", "64M", "256M")

    def helpers(self, name: str) -> tuple[str, ...]:
        return (f"{name}-setup",)

    def demand(self) -> tuple[Demand, ...]:
        return (*super().demand(), Demand(pods=1, surge=1, resources=self.helper_resources, services=0))


class Stored(Backend):
    """A backend with a volume."""

    storage: StorageAmount
    """It can grow, and not shrink."""

    def volumes(self, name: str) -> dict[str, Storage]:
        return {f"data-{name}-0": self.storage}
