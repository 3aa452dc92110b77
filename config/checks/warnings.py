"""Warnings about declarations that are valid and probably not intended."""

from __future__ import annotations

from collections.abc import Iterator

from config.kinds import Alertmanager, Prometheus, Service, models
from config.model.promql import selectors
from config.system import Resolved

_PREFIXES = tuple(prefix for model in models().values() for prefix in model.metric_prefixes)
"""Name prefixes of series that do not come from a service."""


def warnings(resolved: Resolved) -> Iterator[tuple[str, str]]:
    """Yields component and sentence."""
    components = resolved.components
    for name, component in components.items():
        if component.existing:
            continue
        if isinstance(component, Prometheus):
            if component.needed() > component.storage:
                yield (
                    name,
                    f"{component.series} series every {component.scrape_interval} for {component.retention} take about "
                    f"{component.needed()}, and the volume has {component.storage}: the oldest are deleted earlier",
                )
            if not any(isinstance(components[used], Alertmanager) for used in component.uses):
                yield name, "uses no alertmanager: its alerts are seen by those who look"
        if isinstance(component, Alertmanager) and not component.receivers():
            yield name, "has no receiver: no notification is sent"
        if isinstance(component, Service):
            yield from ((name, text) for text in _alerts(component, resolved))


def _alerts(service: Service, resolved: Resolved) -> Iterator[str]:
    components = resolved.components.values()
    if service.alerts and not any(isinstance(component, Prometheus) for component in components):
        yield "declares alerts, and no prometheus is declared to watch them"
    exposed = {
        series
        for other in components
        if isinstance(other, Service)
        for metric, declared in other.metrics.items()
        for series in declared.series(metric)
    }
    for name, alert in service.alerts.items():
        for selector in selectors(alert.expr):
            if selector.metric not in exposed and not selector.metric.startswith(_PREFIXES):
                yield f"alert {name!r} reads {selector.metric!r}, which no service declares among its metrics"
