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
    """Default: the image's own."""
    timeout: Duration = Duration.parse("300s")
    """After it the pods are stopped and the task has failed."""
    retries: Annotated[int, Field(ge=0)] = 2
    """Pods that may fail before the task has."""
    keep: Duration = Duration.parse("7d")
    """Finished ones are deleted after it, with their logs."""


class Job(Task):
    """Done once for each image and configuration, before those that wait for it (``waitsFor``) roll."""

    kind: Literal["job"]

    def workloads(self, name: str) -> tuple[WorkloadSpec, ...]:
        # the Job of the image before may still be there when the next one starts
        return (WorkloadSpec(name, "Job", (ContainerSpec(name),), role="job", surge=1),)


class CronJob(Task):
    """A Job on a schedule (UTC); runs never overlap."""

    kind: Literal["cronjob"]
    schedule: Cron
    start_within: Duration = Duration.parse("1h")
    """A run that could not start in time is left out."""
    history: Annotated[int, Field(ge=1)] = 3
    """Runs of each outcome that are kept."""

    def workloads(self, name: str) -> tuple[WorkloadSpec, ...]:
        return (WorkloadSpec(name, "CronJob", (ContainerSpec(name),), role="job"),)


class DataSync(CronJob):
    """Brings sanitised data into a database of Aurora: the only way that data of another environment come in.

    It copies the newest of a sanitising account's shared snapshots, encrypted anew with its own key; restores that into a
    temporary cluster of its own, which no state knows; copies from it into the database beside the old data; applies the
    overrides; switches; and deletes what was temporary. Whatever fails before the switch leaves the old data serving.
    """

    kind: Literal["data-sync"]  # type: ignore[assignment]  # a narrower literal of the discriminator
    database: DnsLabel
    """The component whose data are replaced."""
    snapshots: SnapshotName = "prod-sanitized"
    """Name prefix of the snapshots; the job's role may copy and restore no others."""
    account: AccountId
    """The sanitising account: it owns the snapshots and the key that they are encrypted with."""
    key: Annotated[str, StringConstraints(pattern=r"^arn:aws:kms:[a-z0-9-]+:\d{12}:key/\S+$")]
    """That key; its policy lets this environment's account use it, and no production knows of either."""
    maximum_age: Duration = Duration.parse("8d")
    """Data older than this are said (an alert)."""
    needs_kubernetes_api: bool = Field(default=True, alias="needsKubernetesAPI")
    """It keeps its receipt in a ConfigMap."""

    hosts_of_aws = ("rds",)
