"""Common fields of stores that run in the namespace."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from config.model.base import Resources, SecretKey, StorageAmount, Text, resources, secret_variable
from config.model.component import Component
from config.model.quantity import Duration, Storage
from config.model.scaling import Scales

_HELPER = resources("50m", "500m", "64M", "256M")


class Stateful(Component):
    """A store that runs in the namespace: members with a volume each."""

    clustered = True
    smallest_volume: ClassVar[Storage] = Storage.parse("1G")

    version: Text
    image: str
    """Without a tag: the tag is the field ``version``."""
    nodes: Annotated[int, Field(ge=1), Scales("members")] = 1
    resources: Resources
    storage: StorageAmount
    """Per node. Volumes can grow, and not shrink."""
    password: SecretKey | None = None
    """The generated password, which users receive as ``<NAME>_PASSWORD``."""
    user: Text | None = None
    helper_resources: Resources = _HELPER
    """Resources of the Jobs that wait for the store and set it up."""
    latency_objective: Duration | None = None
    """Expected latency of a statement or command; the threshold of an alert and a line in dashboards."""
    service_account_annotations: dict[str, str] = {}
    """For clouds that give a pod an identity by its service account."""

    @field_validator("storage")
    @classmethod
    def _large_enough(cls, storage: Storage) -> Storage:
        if storage < cls.smallest_volume:
            raise ValueError(f"{storage} is below the floor: at least {cls.smallest_volume}")
        return storage

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        user = {secret_variable(name, "user"): self.user} if self.user else {}
        return {**super().environment(name, namespace), **user}

    def credentials(self, name: str) -> dict[str, SecretKey]:
        return {secret_variable(name, "password"): self.password} if self.password else {}

    def secrets_read(self) -> tuple[str, ...]:
        return (self.password.secret,) if self.password else ()
