"""Application services."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from config.model.base import DnsLabel, Model, Port, Range
from config.model.promql import checked
from config.model.quantity import Duration, Percent
from config.model.workloads import ContainerSpec, PortSpec, Protocol, WorkloadSpec

from .workload import Workload

MetricName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")]
AlertName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]+$")]
"""Also the name of the runbook's file."""
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=8)]

PROTOCOLS: Mapping[str, Protocol] = {
    "metrics": "http",
    "telemetry": "http",
    "otlp-http": "http",
    "otlp-grpc": "grpc",
}
"""Protocols of conventional port names that do not begin with the protocol's name, as Istio expects it."""


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
    """Name of the metric; for a histogram without ``_bucket``."""
    help: Sentence
    unit: str = "short"
    """Grafana's name of the unit: ``s``, ``bytes``, ``percentunit``, ``reqps``, ``short``."""

    def series(self, name: str) -> tuple[str, ...]:
        """Returns the names under which its samples are stored."""
        return tuple(f"{name}_{part}" for part in ("bucket", "sum", "count")) if self.type == "histogram" else (name,)


class Alert(Model):
    """A rule of Prometheus on the application's metrics."""

    expr: Annotated[str, AfterValidator(checked)]
    """PromQL; the alert fires for every series in the result."""
    for_: Duration = Field(default=Duration.parse("0s"), alias="for")
    severity: Literal["critical", "warning", "info"]
    summary: Sentence


class Canary(Model):
    """A second Deployment, ``<name>-canary``, with a separate image (``understudy:images.<name>-canary``)."""

    weight: Annotated[Percent, Field(description="share of the requests")]

    @field_validator("weight")
    @classmethod
    def _some(cls, weight: Percent) -> Percent:
        if not 0 < weight.value <= Fraction(1, 2) or (weight.value * 100).denominator != 1:
            raise ValueError(f"a canary gets a whole percentage between 1% and 50%, not {weight}")
        return weight


class Service(Workload):
    """A stateless workload: Deployment, Service, HorizontalPodAutoscaler, PodDisruptionBudget."""

    kind: Literal["service"]
    listens: Annotated[dict[DnsLabel, Port], Field(min_length=1)] = {"http": 8080}
    """Ports by name; ``metrics`` is scraped, clients use the first."""
    exposed: bool = False
    """Whether the cluster's ingress namespace may reach it; otherwise only components that use it may."""
    replicas: Range
    autoscaling: Autoscaling = Autoscaling()
    min_available: Annotated[int, Field(ge=1)] | None = None
    """``minAvailable`` of the PodDisruptionBudget; default: one less than the smallest number of replicas, at least one."""
    readiness: Probe
    liveness: Probe
    startup: Probe | None = None
    canary: Canary | None = None
    """A new image for some of the requests; needs a mesh."""
    metrics: dict[MetricName, Metric] = {}
    """The metrics that the port ``metrics`` exposes."""
    alerts: dict[AlertName, Alert] = {}
    termination_grace_seconds: Annotated[int, Field(ge=0)] = 30
    """Time for the application to end after SIGTERM, which is sent when no new requests arrive."""

    @model_validator(mode="after")
    def _scraped(self) -> Self:
        if self.metrics and "metrics" not in self.listens:
            raise ValueError("metrics are declared, and listens has no port 'metrics' to scrape them from")
        return self

    def surge(self) -> int:
        """Returns extra pods of a rolling update: 25 % of the largest number of replicas, rounded up (Kubernetes' default)."""
        return ceil(self.replicas.max * 25 / 100)

    def disruption_minimum(self) -> int:
        """Returns the number of pods that a voluntary disruption leaves running."""
        return self.min_available or max(1, self.replicas.min - 1)

    def canaries(self) -> int:
        """Returns pods of the canary: its share of the smallest number of replicas, rounded up."""
        return ceil(self.replicas.min * self.canary.weight.value) if self.canary else 0

    def workloads(self, name: str) -> tuple[WorkloadSpec, ...]:
        listens = tuple(PortSpec(port, number, PROTOCOLS.get(port)) for port, number in self.listens.items())
        containers = (ContainerSpec(name, ports=listens),)
        stable = WorkloadSpec(
            name,
            "Deployment",
            containers,
            pods=self.replicas.max,
            replicas="replicas.max",
            minimum="replicas.min",
            surge=self.surge(),
            services=(name,),
        )
        if not self.canary:
            return (stable,)
        return (stable, WorkloadSpec(f"{name}-canary", "Deployment", containers, pods=self.canaries(), surge=1))
