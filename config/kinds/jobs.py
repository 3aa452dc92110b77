"""Jobs that run once or on a schedule."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..base import Component, Demand, EnvironmentName, Resources, SecretKey, Text
from ..quantity import Duration


class Job(Component):
    """A task that runs to completion before the services that name it roll."""

    kind: Literal["job"]
    image: str
    command: tuple[str, ...] = ()
    resources: Resources
    timeout: Duration = Duration.parse("300s")
    parallelism: Annotated[int, Field(ge=1)] = 1
    env: dict[EnvironmentName, Text] = {}
    secrets: dict[EnvironmentName, SecretKey] = {}

    def secrets_read(self) -> tuple[str, ...]:
        return tuple(sorted({key.secret for key in self.secrets.values()}))

    def demand(self) -> tuple[Demand, ...]:
        return (Demand(pods=self.parallelism, resources=self.resources, services=0),)


class CronJob(Job):
    """A Job on a schedule (cron syntax, UTC); runs never overlap."""

    kind: Literal["cronjob"]  # type: ignore[assignment]  # a narrower literal of the discriminator
    schedule: Annotated[str, Field(pattern=r"^\S+( \S+){4}$")]
