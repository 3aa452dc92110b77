"""Application services."""

from __future__ import annotations

from math import ceil
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from ..base import Component, Demand, DnsLabel, EnvironmentName, Model, Port, Range, Resources, SecretKey, Text
from ..promql import checked
from ..quantity import Duration, Percent

MetricName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")]
AlertName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]+$")]
"""It names the runbook's file too."""
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=8)]


class Probe(Model):
    """An HTTP probe; times in seconds."""

    path: Annotated[str, Field(pattern="^/")]
    port: str = "http"
    """The port's name."""
    period_seconds: Annotated[int, Field(ge=1)] = 10
    timeout_seconds: Annotated[int, Field(ge=1)] = 2
    failure_threshold: Annotated[int, Field(ge=1)] = 3


class Autoscaling(Model):
    """Targets of the HorizontalPodAutoscaler, as a share of the requests."""

    cpu: Percent = Percent.parse("70%")
    memory: Percent | None = Percent.parse("80%")


class Metric(Model):
    """A metric that the service exposes on its port ``metrics``: a panel of its dashboard."""

    type: Literal["counter", "gauge", "histogram"]
    """Of a histogram the name is without ``_bucket``."""
    help: Sentence
    unit: str = "short"
    """Grafana's name of it: ``s``, ``bytes``, ``percentunit``, ``reqps``, ``short``."""

    def series(self, name: str) -> tuple[str, ...]:
        """The names under which its samples are stored."""
        return tuple(f"{name}_{part}" for part in ("bucket", "sum", "count")) if self.type == "histogram" else (name,)


class Alert(Model):
    """A rule of Prometheus, in the application's own terms."""

    expr: Annotated[str, AfterValidator(checked)]
    """PromQL; it fires for every series that it gives."""
    for_: Duration = Field(default=Duration.parse("0s"), alias="for")
    severity: Literal["critical", "warning", "info"]
    summary: Sentence


class Service(Component):
    """A stateless workload: Deployment, Service, HorizontalPodAutoscaler, PodDisruptionBudget."""

    kind: Literal["service"]
    image: str
    """Without a tag: the tag comes from the stack's configuration."""
    listens: Annotated[dict[DnsLabel, Port], Field(min_length=1)] = {"http": 8080}
    """Ports by name; ``metrics`` is scraped, the first is the one its clients use."""
    exposed: bool = False
    """Reached from outside, through the cluster's ingress namespace; any other service only by those that use it."""
    replicas: Range
    autoscaling: Autoscaling = Autoscaling()
    resources: Resources
    min_available: Annotated[int, Field(ge=1)] | None = None
    """Of the PodDisruptionBudget; default: one less than the smallest number of replicas, at least one."""
    readiness: Probe
    liveness: Probe
    startup: Probe | None = None
    configuration: tuple[str, ...] | Literal["all"] = ()
    """Keys of the system's configuration that the pods receive; a change of any other leaves them running."""
    secrets: dict[EnvironmentName, SecretKey] = {}
    """Environment variables from keys of the system's secrets."""
    env: dict[EnvironmentName, Text] = {}
    """Environment variables of its own."""
    metrics: dict[MetricName, Metric] = {}
    """What it exposes on its port ``metrics``."""
    alerts: dict[AlertName, Alert] = {}
    termination_grace_seconds: Annotated[int, Field(ge=0)] = 30
    writable: tuple[Annotated[str, Field(pattern="^/")], ...] = ("/tmp",)  # noqa: S108 - a mount point in the container
    """Paths with an emptyDir; the rest of the file system is read-only."""

    @model_validator(mode="after")
    def _scraped(self) -> Self:
        if self.metrics and "metrics" not in self.listens:
            raise ValueError("metrics are declared, and listens has no port 'metrics' to scrape them from")
        return self

    def ports(self) -> dict[str, int]:
        return self.listens

    def secrets_read(self) -> tuple[str, ...]:
        return tuple(sorted({key.secret for key in self.secrets.values()}))

    def surge(self) -> int:
        """Extra pods of a rolling update: 25 % of the largest number of replicas, rounded up (Kubernetes' default)."""
        return ceil(self.replicas.max * 25 / 100)

    def disruption_minimum(self) -> int:
        """Pods that a voluntary disruption leaves running."""
        return self.min_available or max(1, self.replicas.min - 1)

    def demand(self) -> tuple[Demand, ...]:
        return (Demand(pods=self.replicas.max, surge=self.surge(), resources=self.resources),)
