"""Monitoring of kinds without alerts and dashboards of their own."""

from __future__ import annotations

from .contribution import Monitoring, Target
from .subject import Subject


def scraped(subject: Subject) -> Monitoring:
    """Returns a scrape target only: no rule and no dashboard reads the metrics."""
    port = subject.component.metrics_port()
    return Monitoring(target=Target(port, honor_labels=subject.component.kind == "kube-state-metrics"))


def without_metrics(_: Subject) -> Monitoring:
    """Returns nothing: the component has no metrics in Prometheus' format; its pods and volumes are watched like all."""
    return Monitoring()
