"""Dependencies between components for metrics, logs and traces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from config.kinds import (
    Alertmanager,
    Alloy,
    Elasticsearch,
    Grafana,
    Jaeger,
    Kibana,
    Logstash,
    Loki,
    Prometheus,
    Service,
)
from config.model.component import Component
from config.paths import Path
from config.system import System

Finding = tuple[Path, str, str]
"""Path, problem, and remedy."""
NEEDS: Mapping[type[Component], tuple[type[Component], str]] = {
    Alloy: (Loki, "loki"),
    Kibana: (Elasticsearch, "elasticsearch"),
    Logstash: (Elasticsearch, "elasticsearch"),
}
"""The backends that each kind requires."""
DATA_SOURCES: Mapping[type[Component], str] = {
    Prometheus: "prometheus",
    Elasticsearch: "elasticsearch",
    Loki: "loki",
    Jaeger: "jaeger",
}
"""Kinds that Grafana reads."""


def telemetry(here: Path, component: Component, system: System) -> Iterator[Finding]:
    """Yields the mistakes of the component at ``here``."""
    used = {name: system.components[name] for name in component.uses if name in system.components}
    if type(component) in NEEDS:
        kind, written = NEEDS[type(component)]
        if sum(isinstance(other, kind) for other in used.values()) != 1:
            yield here, f"uses no {written}, or several", f"name one component of kind {written} in 'uses'"
    match component:
        case Grafana():
            yield from _grafana((*here, "uses"), used)
        case Prometheus():
            yield from _prometheus((*here, "uses"), used, system)
        case Service():
            yield from _service(here, used, system)


def _grafana(here: Path, used: Mapping[str, Component]) -> Iterator[Finding]:
    for name, other in used.items():
        if type(other) not in DATA_SOURCES:
            kinds = ", ".join(sorted(DATA_SOURCES.values()))
            yield here, f"uses {name!r}, of kind {other.kind}: not a data source", f"data sources are of kind {kinds}"


def _prometheus(here: Path, used: Mapping[str, Component], system: System) -> Iterator[Finding]:
    for name, other in used.items():
        if not isinstance(other, Alertmanager):
            message = (
                f"uses {name!r}, of kind {other.kind}; it sends alerts to Alertmanagers, and finds all else itself"
            )
            yield here, message, f"remove {name!r}"
    for name, environment in system.environments.items():
        if not environment.cluster.node_cidrs:
            message = "nodeCidrs is missing: Prometheus reads the kubelets, and NetworkPolicies know networks"
            yield ("environments", name, "cluster"), message, "add 'nodeCidrs:', the networks of the nodes"


def _service(here: Path, used: Mapping[str, Component], system: System) -> Iterator[Finding]:
    collectors = [name for name, other in system.components.items() if isinstance(other, Logstash)]
    if collectors and not set(collectors) & used.keys():
        message = f"its logs go nowhere: {collectors[0]!r} waits for them, and nothing else reads them"
        yield here, message, f"add {collectors[0]!r} to 'uses'"
