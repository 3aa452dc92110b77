"""CockroachDB."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, StringConstraints, model_validator

from config.model.base import Cron, Members, Model, SecretKey, Text, secret_variable, version
from config.model.quantity import Duration, Storage
from config.model.workloads import ClaimSpec, ContainerSpec, PortSpec, WorkloadSpec

from .stateful import Stateful

Uri = Annotated[
    str,
    StringConstraints(pattern=r"^(s3|gs|azure-blob)://[^\s']+$"),
    AfterValidator(lambda text: _without_keys(text)),
]
"""An object store as CockroachDB writes it: ``s3://bucket/path?AUTH=implicit``. It must not contain keys."""


def _without_keys(text: str) -> str:
    for word in ("SECRET_ACCESS_KEY", "CREDENTIALS=", "ACCOUNT_KEY", "SESSION_TOKEN"):
        if word in text:
            raise ValueError(f"{word.rstrip('=')} is a secret; write AUTH=implicit and give the pods an identity")
    return text


class Backup(Model):
    """A schedule of full backups, and of incremental ones between them."""

    destination: Uri
    full: Cron = "@daily"
    incremental: Cron = "@hourly"


class CockroachDB(Stateful):
    """A CockroachDB cluster in secure mode; isolation is serializable.

    ``licence``: from v24.3 a cluster of several nodes without one is throttled after seven days; before it, incremental
    backups need one (https://www.cockroachlabs.com/docs/stable/licensing-faqs). The model asks for it where it is needed.
    """

    smallest_volume = Storage.parse("10G")
    backup_field = "backup"
    metric_prefixes = ("sql_",)

    kind: Literal["cockroachdb"]
    version: Annotated[
        Text,
        version(r"v(\d+\.\d)\.\d+", "22.2", "23.1", "23.2", "24.1", "24.2", "24.3", "25.1", "25.2", "25.3", "25.4"),
    ]
    image: str = "cockroachdb/cockroach"
    nodes: Members = 3
    database: Annotated[Text, StringConstraints(pattern=r"^([a-z_][a-z0-9_]*|[a-z0-9_]*\{environment\}[a-z0-9_]*)+$")]
    isolation: Literal["serializable"] = "serializable"
    query_execution_logging: bool = False
    """Logs every statement."""
    trace_threshold: Duration = Duration.parse("0s")
    """Traces statements, and logs the trace of those that take longer; ``0s`` traces none."""
    performance_statistics: bool = True
    slow_query_threshold: Duration = Duration.parse("500ms")
    backup: Backup | None = None
    licence: SecretKey | None = None

    @model_validator(mode="after")
    def _licensed(self) -> Self:
        if self.licence is None and not self.existing:
            if self.series >= (24, 3):
                raise ValueError(f"licence is missing: {self.version} without one is throttled after seven days")
            if self.backup:
                raise ValueError("licence is missing: incremental backups need one")
        return self

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.backup and not self.egress:
            raise ValueError("egress is missing: the backup's object store is outside the namespace")
        return self

    @model_validator(mode="after")
    def _user(self) -> Self:
        if not self.existing and not (self.user and self.password):
            raise ValueError("user and password are missing: the secure mode has no other way in")
        return self

    @property
    def series(self) -> tuple[int, int]:
        """Converts ``v23.1.13`` to ``(23, 1)``."""
        year, minor, _ = self.version.removeprefix("v").split(".")
        return int(year), int(minor)

    def service_name(self, name: str) -> str:
        return f"{name}-public"

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        return {**super().environment(name, namespace), secret_variable(name, "database"): self.database}

    def secrets_read(self) -> tuple[str, ...]:
        return tuple(sorted({key.secret for key in (self.password, self.licence) if key}))

    def metrics_port(self) -> int:
        return 8080

    def trusted(self, name: str) -> str | None:
        return None if self.existing else f"{name}-tls"

    def workloads(self, name: str) -> tuple[WorkloadSpec, ...]:
        listens = (PortSpec("sql", 26257), PortSpec("http", 8080))
        node = WorkloadSpec(
            name,
            "StatefulSet",
            (ContainerSpec("certificates", init=True), ContainerSpec(name, ports=listens)),
            role="node",
            pods=self.nodes,
            replicas="nodes",
            claims=(ClaimSpec("data", "storage"),),
            services=(name, self.service_name(name)),
        )
        setup = (
            ContainerSpec("certificates", "helperResources", init=True),
            ContainerSpec("setup", "helperResources"),
        )
        return (node, WorkloadSpec(f"{name}-setup", "Job", setup, role="job", surge=1))
