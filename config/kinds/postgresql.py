"""PostgreSQL."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from config.model.base import (
    Cron,
    Model,
    Resources,
    SecretKey,
    StorageAmount,
    Text,
    resources,
    secret_variable,
    version,
)
from config.model.quantity import Duration
from config.model.scaling import Scales
from config.model.workloads import ClaimSpec, ContainerSpec, PortSpec, WorkloadSpec

from .stateful import Stateful


class Backup(Model):
    """Base backups on a schedule, and the WAL between them, on a separate volume."""

    schedule: Cron = "@daily"
    keep: Annotated[int, Field(ge=1)] = 7
    """Number of base backups kept; WAL older than the oldest of them is deleted."""
    storage: StorageAmount


class PostgreSQL(Stateful):
    """PostgreSQL: one node, or a primary and a standby that follows it (promoted by hand: ``pg_ctl promote``)."""

    backup_field = "backup"
    metric_prefixes = ("pg_",)

    kind: Literal["postgresql"]
    version: Annotated[Text, version(r"(\d+)\.\d+", "14", "15", "16", "17", "18")]
    image: str = "postgres"
    nodes: Annotated[int, Field(ge=1, le=2), Scales("members")] = 1
    database: Annotated[Text, StringConstraints(pattern=r"^([a-z_][a-z0-9_]*|[a-z0-9_]*\{environment\}[a-z0-9_]*)+$")]
    user: Text = "app"
    internal_password: SecretKey | None = None
    """Password of the superuser ``postgres`` and of replication; clients of the database do not receive it."""
    extensions: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z_0-9]+$")], ...] = ("pg_stat_statements",)
    slow_query_threshold: Duration = Duration.parse("500ms")
    """Statements that take longer are logged."""
    backup: Backup | None = None
    exporter: Text = "v0.17.1"
    """Version of postgres_exporter."""
    exporter_resources: Resources = resources("20m", "100m", "32M", "64M")

    @model_validator(mode="after")
    def _passwords(self) -> Self:
        if not self.existing and not (self.password and self.internal_password):
            raise ValueError("password and internalPassword are missing: clients could not authenticate")
        if self.password and self.password == self.internal_password:
            raise ValueError("password and internalPassword are one key: its users would be superusers")
        return self

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        return {**super().environment(name, namespace), secret_variable(name, "database"): self.database}

    def secrets_read(self) -> tuple[str, ...]:
        return tuple(sorted({key.secret for key in (self.password, self.internal_password) if key}))

    def trusted(self, name: str) -> str | None:
        return None if self.existing else f"{name}-tls"

    def workloads(self, name: str) -> tuple[WorkloadSpec, ...]:
        standby = self.nodes > 1
        archive = (ClaimSpec("archive", "backup.storage"),) if self.backup else ()
        node = WorkloadSpec(
            name,
            "StatefulSet",
            (
                ContainerSpec(name, ports=(PortSpec("sql", 5432),)),
                ContainerSpec("exporter", "exporterResources", (PortSpec("metrics", 9187, "http"),)),
            ),
            role="node",
            pods=self.nodes,
            replicas="nodes",
            claims=(ClaimSpec("data", "storage"), *archive),
            services=(f"{name}-nodes", f"{name}-0", name, *((f"{name}-standby",) if standby else ())),
        )
        setup, backup = (ContainerSpec("setup", "helperResources"),), (ContainerSpec("backup", "helperResources"),)
        helpers = [WorkloadSpec(f"{name}-setup", "Job", setup, role="job", surge=1)]
        if standby:
            helpers.append(WorkloadSpec(f"{name}-rotation", "Job", setup, role="job", surge=1))
        if self.backup:
            helpers.append(WorkloadSpec(f"{name}-backup", "CronJob", backup, role="job", surge=1))
        return (node, *helpers)
