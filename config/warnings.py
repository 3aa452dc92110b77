"""What is allowed, and probably not meant."""

from __future__ import annotations

from collections.abc import Iterator

from .kinds import Alertmanager, Prometheus, Service
from .system import Resolved


def warnings(resolved: Resolved) -> Iterator[tuple[str, str]]:
    """Component and sentence."""
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
            yield name, "has no receiver: nobody is told of an alert"
        if isinstance(component, Service) and component.alerts and not _alerting(resolved):
            yield name, "declares alerts, and no prometheus is declared to watch them"


def _alerting(resolved: Resolved) -> bool:
    return any(isinstance(component, Prometheus) for component in resolved.components.values())
