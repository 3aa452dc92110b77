"""The Helm charts that an environment's components use."""

from __future__ import annotations

from config.system import Resolved


def charts_of(resolved: Resolved) -> dict[str, str]:
    """Returns chart to version, for every Helm release of the environment's components."""
    charts = (component.charts_used() for component in resolved.components.values() if not component.existing)
    return {chart: version for used in charts for chart, version in used.items()}
