"""The monitoring of each kind. A new kind adds its own here; Prometheus and Grafana need no change."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from components.kinds.alertmanager.monitoring import monitoring as alertmanager
from components.kinds.cloudwatch_exporter.monitoring import monitoring as cloudwatch
from components.kinds.cloudwatch_exporter.monitoring import of_stores
from components.kinds.cockroachdb.monitoring import monitoring as cockroachdb
from components.kinds.postgresql.monitoring import monitoring as postgresql
from components.kinds.prometheus.monitoring import monitoring as prometheus
from components.kinds.redis.monitoring import monitoring as redis
from components.kinds.service.monitoring import monitoring as service
from components.mesh.monitoring import monitoring as mesh_gateway
from config.kinds import CloudWatchExporter
from config.system import Resolved

from . import tasks
from .contribution import Dashboard, Monitoring, Target
from .subject import Subject
from .usage import usage


def _scraped(subject: Subject) -> Monitoring:
    """Its metrics are kept; nothing is said of them."""
    port = subject.component.metrics_port()
    return Monitoring(target=Target(port, honor_labels=subject.component.kind == "kube-state-metrics"))


def _nothing(_: Subject) -> Monitoring:
    """It has no metrics of its own that Prometheus understands; how it does is seen by its pod and its volume."""
    return Monitoring()


MONITORING: Mapping[str, Callable[[Subject], Monitoring]] = {
    "alertmanager": alertmanager,
    "alloy": _scraped,
    "cloudwatch-exporter": cloudwatch,
    "cockroachdb": cockroachdb,
    "cronjob": tasks.monitoring,
    "data-sync": tasks.monitoring,
    "elasticsearch": _nothing,
    "grafana": _scraped,
    "jaeger": _scraped,
    "job": tasks.monitoring,
    "kibana": _nothing,
    "kube-state-metrics": _scraped,
    "logstash": _nothing,
    "loki": _scraped,
    "manifests": _nothing,
    "mesh-gateway": mesh_gateway,
    "oauth2-proxy": _scraped,
    "postgresql": postgresql,
    "prometheus": prometheus,
    "redis": redis,
    "service": service,
}


def contributions(resolved: Resolved, production: Resolved) -> dict[str, Monitoring]:
    """Returns the monitoring by component: of the components in the namespace, and of managed stores with an exporter."""
    found = {
        name: MONITORING[component.kind](subject) + usage(subject)
        for name, component in resolved.components.items()
        if component.existing is None and component.layer == "application" and component.kind in MONITORING
        for subject in [Subject(name, component, resolved, production)]
    }
    stores: dict[str, Monitoring] = {}
    for name, component in resolved.components.items():
        if isinstance(component, CloudWatchExporter) and name in found:
            stores |= of_stores(Subject(name, component, resolved, production))
    return {**stores, **found}


def dashboards(contributed: Mapping[str, Monitoring]) -> dict[str, tuple[Dashboard, ...]]:
    """Component to its dashboards; of several with one title, each has its component's name behind it."""
    titles = [dashboard.title for found in contributed.values() for dashboard in found.dashboards]
    return {
        name: tuple(
            Dashboard(d.uid, d.title if titles.count(d.title) == 1 else f"{d.title} ({name})", d.rows, d.pods_of)
            for d in found.dashboards
        )
        for name, found in contributed.items()
        if found.dashboards
    }
