"""Jobs that run once or on a schedule."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from config.model.account import AccountId
from config.model.base import Cron, DnsLabel
from config.model.quantity import Duration
from config.model.workloads import ContainerSpec, WorkloadSpec

from .workload import Workload

SnapshotName = Annotated[str, StringConstraints(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$")]


class Task(Workload):
    """A task that runs to completion."""

    command: tuple[str, ...] = ()
    """Default: the image's command."""
    timeout: Duration = Duration.parse("300s")
    """Time after which the pods are stopped and the task has failed."""
    retries: Annotated[int, Field(ge=0)] = 2
    """Number of pods that may fail before the task has failed."""
    keep: Duration = Duration.parse("7d")
    """Time after which finished Jobs are deleted, with their logs."""


class Job(Task):
    """Runs once for each image and configuration, before the components that wait for it (``waitsFor``) are replaced."""

    kind: Literal["job"]

    def workloads(self, name: str) -> tuple[WorkloadSpec, ...]:
        # the Job of the previous image may still exist when the next one starts
        return (WorkloadSpec(name, "Job", (ContainerSpec(name),), role="job", surge=1),)


class CronJob(Task):
    """A Job on a schedule (UTC); runs never overlap."""

    kind: Literal["cronjob"]
    schedule: Cron
    start_within: Duration = Duration.parse("1h")
    """A run that could not start within this time is skipped."""
    history: Annotated[int, Field(ge=1)] = 3
    """Number of runs of each outcome that are kept."""

    def workloads(self, name: str) -> tuple[WorkloadSpec, ...]:
        return (WorkloadSpec(name, "CronJob", (ContainerSpec(name),), role="job"),)


class DataSync(CronJob):
    """Copies sanitised data into an Aurora database: the only way for data of another environment.

    It copies the newest of a sanitising account's shared snapshots, re-encrypted with its own key; restores it into a
    temporary cluster, which no stack contains; copies from there into the database beside the old data; applies the
    overrides; switches; and deletes the temporary resources. A failure before the switch leaves the old data in service.
    """

    kind: Literal["data-sync"]  # type: ignore[assignment]  # a narrower literal of the discriminator
    database: DnsLabel
    """The component whose data are replaced."""
    snapshots: SnapshotName = "prod-sanitized"
    """Name prefix of the snapshots; the job's role may copy and restore no others."""
    account: AccountId
    """The sanitising account, which owns the snapshots and the key that encrypts them."""
    key: Annotated[str, StringConstraints(pattern=r"^arn:aws:kms:[a-z0-9-]+:\d{12}:key/\S+$")]
    """That key; its policy lets this environment's account use it, and production uses neither."""
    maximum_age: Duration = Duration.parse("8d")
    """Age of the data above which an alert fires."""
    needs_kubernetes_api: bool = Field(default=True, alias="needsKubernetesAPI")
    """The job writes its receipt to a ConfigMap."""

    hosts_of_aws = ("rds",)
