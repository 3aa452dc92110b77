"""Jaeger: traces, all in one process."""

from __future__ import annotations

from components.core.backend import Backend, Pod
from components.core.pods import TEMPORARY
from components.core.rendered import as_json
from config.kinds import Jaeger as Declared

UID = 10001
"""The user of the official image."""
CONFIG = "/etc/jaeger"


def arguments(jaeger: Declared, config: str = CONFIG) -> list[str]:
    """Returns its flags (https://www.jaegertracing.io/docs/1.62/cli/#jaeger-all-in-one)."""
    listens = jaeger.ports()
    return [
        f"--memory.max-traces={jaeger.max_traces}",
        f"--sampling.strategies-file={config}/sampling.json",
        f"--collector.otlp.enabled={str(jaeger.otlp).lower()}",
        *([f"--collector.zipkin.host-port=:{listens['zipkin']}"] if jaeger.zipkin else []),
        f"--admin.http.host-port=:{listens['metrics']}",
    ]


def strategies(jaeger: Declared) -> str:
    """Returns the sampling strategies for clients (https://www.jaegertracing.io/docs/1.62/sampling/)."""
    return as_json({"default_strategy": {"type": "probabilistic", "param": float(jaeger.sampling.value)}})


class Jaeger(Backend):
    """Collector, query service and UI in one process; OpenTelemetry clients receive the sampling ratio as a variable."""

    resource_type = "understudy:jaeger:Jaeger"
    component: Declared

    def pod(self) -> Pod:
        return Pod(
            uid=UID,
            ready={"httpGet": {"path": "/", "port": "metrics"}},
            args=arguments(self.component),
            files={"sampling.json": strategies(self.component)},
            config=CONFIG,
            writable=[TEMPORARY],
        )
