"""Alerts and panels on a service, from its declared metrics."""

from __future__ import annotations

from collections.abc import Iterator

from components.monitoring.contribution import Alert, Dashboard, Monitoring, Panel, Row, Target, panel
from components.monitoring.subject import Subject
from config.kinds.services import Metric
from config.kinds.services import Service as Declared
from config.model.promql import selectors, threshold


def monitoring(subject: Subject) -> Monitoring:
    """Returns its declared metrics and alerts, and a dashboard of both."""
    service: Declared = subject.component
    port = service.metrics_port()
    alerts = tuple(
        Alert(name, alert.expr, alert.severity, alert.summary, str(alert.for_))
        for name, alert in service.alerts.items()
    )
    dashboards = (_dashboard(subject, service),) if service.metrics else ()
    return Monitoring(Target(port) if port else None, alerts=alerts, dashboards=dashboards)


def _dashboard(subject: Subject, service: Declared) -> Dashboard:
    job = f'{subject.job}, pod=~"$pod"'
    metrics = tuple(_panel(name, metric, job, service) for name, metric in service.metrics.items())
    pods = Row("Pods", tuple(_pods(subject)))
    return Dashboard(
        subject.name, "Application Metrics", (Row(service.title or subject.name, metrics), pods), subject.name
    )


def _panel(name: str, metric: Metric, job: str, service: Declared) -> Panel:
    limits = dict(_limits(name, metric, service))
    match metric.type:
        case "counter":
            queries = [(f"sum by (pod) (rate({name}{{{job}}}[$__rate_interval]))", "{{pod}}")]
        case "gauge":
            queries = [(f"{name}{{{job}}}", "{{pod}}")]
        case "histogram":
            rate = f"sum by (le) (rate({name}_bucket{{{job}}}[$__rate_interval]))"
            queries = [(f"histogram_quantile({part}, {rate})", f"p{part * 100:g}") for part in (0.5, 0.95, 0.99)]
    return panel(metric.help, *queries, unit=metric.unit, description=name, **limits)


def _limits(name: str, metric: Metric, service: Declared) -> Iterator[tuple[str, object]]:
    """Yields the thresholds of the metric's alerts, as lines of the panel."""
    for alert in service.alerts.values():
        limit = threshold(alert.expr)
        if limit and {selector.metric for selector in selectors(alert.expr)} <= set(metric.series(name)):
            yield "warn", limit[1]
            yield "bad", "below" if limit[0].startswith("<") else "above"
            return


def _pods(subject: Subject) -> Iterator[Panel]:
    own = f'{{container="{subject.name}", pod=~"$pod"}}'
    if subject.counted:
        yield panel(
            "Pods available",
            f'kube_deployment_status_replicas_available{{deployment="{subject.name}"}} / '
            f'kube_deployment_spec_replicas{{deployment="{subject.name}"}}',
            unit="percentunit",
            kind="stat",
            warn=1,
            bad="below",
        )
    cpu = f"sum by (pod) (rate(container_cpu_usage_seconds_total{own}[$__rate_interval]))"
    yield panel("CPU", (cpu, "{{pod}}"), unit="suffix: cores")
    yield panel("Memory", (f"sum by (pod) (container_memory_working_set_bytes{own})", "{{pod}}"), unit="bytes")
