"""Logs: Elasticsearch with Logstash and Kibana, or Loki with Alloy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from config.model.base import Resources, Retention, SecretKey, Text, resources, secret_variable
from config.model.workloads import PortSpec

from .backend import Backend, BackendWithSetupJob, PersistentBackend


class Elasticsearch(BackendWithSetupJob, PersistentBackend):
    """Elasticsearch as log store: one node, with TLS and a user for each client."""

    init_containers = ("configuration",)

    kind: Literal["elasticsearch"]
    image: str = "elasticsearch"
    retention: Retention
    """A data stream's backing index is deleted this long after it was rolled over, which happens daily."""
    stream: Annotated[Text, StringConstraints(pattern=r"^[a-z{][a-z0-9{}-]*$")] = "logs-{environment}"
    """Logs are in the data streams ``<stream>-*``."""
    password: SecretKey
    """Password of the superuser ``elastic``, which only the setup Jobs use."""
    writer_password: SecretKey
    """Password of the user ``logs_writer`` (Logstash)."""
    reader_password: SecretKey
    """Password of the user ``logs_reader`` (Grafana, and people in Kibana)."""
    kibana_password: SecretKey
    """Password of the user ``kibana_system``."""

    @model_validator(mode="after")
    def _apart(self) -> Elasticsearch:
        keys = (self.password, self.writer_password, self.reader_password, self.kibana_password)
        if len({(key.secret, key.key) for key in keys}) < len(keys):
            raise ValueError("two of its users have the same password: each needs a key of its own")
        return self

    def listens(self) -> tuple[PortSpec, ...]:
        return (PortSpec("https", 9200),)

    def trusted(self, name: str) -> str | None:
        return None if self.existing else f"{name}-tls"

    def secrets_read(self) -> tuple[str, ...]:
        keys = (self.password, self.writer_password, self.reader_password, self.kibana_password)
        return tuple(sorted({key.secret for key in keys}))

    def credentials(self, name: str) -> dict[str, SecretKey]:
        return {secret_variable(name, "password"): self.reader_password}

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        return {**super().environment(name, namespace), secret_variable(name, "user"): "logs_reader"}


class Logstash(Backend):
    """Log pipeline: takes JSON lines over TCP; every event leaves with ``level``, ``service`` and ``message``."""

    kind: Literal["logstash"]
    image: str = "logstash"

    def listens(self) -> tuple[PortSpec, ...]:
        return (PortSpec("tcp", 5000), PortSpec("api", 9600))


class Kibana(BackendWithSetupJob):
    """Log search, with the data view of the logs."""

    kind: Literal["kibana"]
    image: str = "kibana"
    encryption_key: SecretKey
    """Encryption key of saved objects, sessions and reports; at least 32 characters."""

    def listens(self) -> tuple[PortSpec, ...]:
        return (PortSpec("http", 5601),)

    def secrets_read(self) -> tuple[str, ...]:
        return (self.encryption_key.secret,)


class Loki(PersistentBackend):
    """Log store, single binary; Alloy fills it."""

    kind: Literal["loki"]
    image: str = "grafana/loki"
    retention: Retention

    def listens(self) -> tuple[PortSpec, ...]:
        return (PortSpec("http", 3100),)

    def metrics_port(self) -> int:
        return 3100


class Alloy(Backend):
    """Reads the log of every container of the namespace through the Kubernetes API, and sends it to the Loki that it uses."""

    kind: Literal["alloy"]
    image: str = "grafana/alloy"
    resources: Resources = resources("50m", "200m", "128M", "256M")
    needs_kubernetes_api: bool = Field(default=True, alias="needsKubernetesAPI")

    def listens(self) -> tuple[PortSpec, ...]:
        return (PortSpec("http", 12345),)

    def metrics_port(self) -> int:
        return 12345
