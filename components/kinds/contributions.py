"""The monitoring of an environment, component by component."""

from __future__ import annotations

from components.monitoring.contribution import Monitoring
from components.monitoring.subject import Subject
from components.monitoring.usage import usage
from config.kinds import CloudWatchExporter
from config.system import Resolved

from .catalogue import CATALOGUE
from .cloudwatch_exporter.monitoring import of_stores


def contributions(resolved: Resolved, production: Resolved) -> dict[str, Monitoring]:
    """Returns the monitoring by component: of the components in the namespace, and of managed stores with an exporter."""
    own = {
        name: CATALOGUE[component.kind].monitoring(subject) + usage(subject)
        for name, component in resolved.components.items()
        if component.existing is None and component.layer == "application" and component.kind in CATALOGUE
        for subject in [Subject(name, component, resolved, production)]
    }
    stores: dict[str, Monitoring] = {}
    for name, component in resolved.components.items():
        if isinstance(component, CloudWatchExporter) and name in own:
            stores |= of_stores(Subject(name, component, resolved, production))
    return {**stores, **own}
