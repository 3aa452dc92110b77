"""Metrics, logs and traces."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..base import Component, Demand, Level, Resources, Retention, SecretKey, StorageAmount, Text, resources
from ..quantity import Duration, Percent, Storage


class Backend(Component):
    """One pod, restarted in place because its volume is."""

    version: Text
    resources: Resources

    def demand(self) -> tuple[Demand, ...]:
        return (Demand(pods=1, resources=self.resources, volumes=tuple(self.volumes(self.kind).values())),)


class Stored(Backend):
    """A backend with a volume."""

    storage: StorageAmount

    def volumes(self, name: str) -> dict[str, Storage]:
        return {f"data-{name}-0": self.storage}


class Prometheus(Stored):
    """Metrics."""

    kind: Literal["prometheus"]
    needs_kubernetes_api: bool = Field(default=True, alias="needsKubernetesAPI")
    retention: Retention
    scrape_interval: Duration = Duration.parse("15s")
    log_level: Level = "info"

    def ports(self) -> dict[str, int]:
        return {"http": 9090}

    def metrics_port(self) -> int:
        return 9090


class Alertmanager(Backend):
    """Alerts; without the receivers' secret a null receiver and a visible warning."""

    kind: Literal["alertmanager"]
    receivers: SecretKey | None = None

    def ports(self) -> dict[str, int]:
        return {"http": 9093}

    def metrics_port(self) -> int:
        return 9093


class Grafana(Stored):
    """Dashboards; its data sources are the backends it uses."""

    kind: Literal["grafana"]
    admin: SecretKey

    def ports(self) -> dict[str, int]:
        return {"http": 3000}

    def secrets_read(self) -> tuple[str, ...]:
        return (self.admin.secret,)

    def metrics_port(self) -> int:
        return 3000


class Elasticsearch(Stored):
    """Log store, single node."""

    kind: Literal["elasticsearch"]
    retention: Retention

    def ports(self) -> dict[str, int]:
        return {"http": 9200}


class Logstash(Backend):
    """Log pipeline."""

    kind: Literal["logstash"]

    def ports(self) -> dict[str, int]:
        return {"tcp": 5000}


class Kibana(Backend):
    """Log search."""

    kind: Literal["kibana"]

    def ports(self) -> dict[str, int]:
        return {"http": 5601}


class Loki(Stored):
    """Log store."""

    kind: Literal["loki"]
    retention: Retention
    collector_resources: Resources = resources("50m", "200m", "64M", "256M")

    def ports(self) -> dict[str, int]:
        return {"http": 3100}


class Jaeger(Backend):
    """Traces, all in one, with OTLP and Zipkin."""

    kind: Literal["jaeger"]
    otlp: bool = True
    zipkin: bool = True
    sampling: Annotated[Percent, Field(description="share of requests traced")] = Percent.parse("10%")

    def ports(self) -> dict[str, int]:
        optional = ({"otlp-grpc": 4317, "otlp-http": 4318} if self.otlp else {}) | (
            {"zipkin": 9411} if self.zipkin else {}
        )
        return {"http": 16686, **optional}

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        if not self.otlp:
            return super().environment(name, namespace)
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.host(name, namespace)}:4317",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": f"{float(self.sampling.value):g}",
        }
