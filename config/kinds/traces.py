"""Traces."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.model.quantity import Percent
from config.model.workloads import PortSpec

from .backend import Backend


class Jaeger(Backend):
    """Traces, all in one, in memory; with OTLP and Zipkin."""

    kind: Literal["jaeger"]
    image: str = "jaegertracing/all-in-one"
    otlp: bool = True
    zipkin: bool = True
    sampling: Annotated[Percent, Field(description="share of requests traced")] = Percent.parse("10%")
    max_traces: Annotated[int, Field(ge=1)] = 50_000
    """Number of traces in memory; the oldest are deleted first."""

    def listens(self) -> tuple[PortSpec, ...]:
        otlp = (PortSpec("otlp-grpc", 4317, "grpc"), PortSpec("otlp-http", 4318, "http")) if self.otlp else ()
        zipkin = (PortSpec("zipkin", 9411),) if self.zipkin else ()
        return (PortSpec("http", 16686), *otlp, *zipkin, PortSpec("metrics", 14269, "http"))

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        if not self.otlp:
            return super().environment(name, namespace)
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{self.host(name, namespace)}:4317",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": f"{float(self.sampling.value):g}",
        }
