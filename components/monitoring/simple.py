"""Monitoring of kinds without alerts and dashboards of their own."""

from __future__ import annotations

from .contribution import Monitoring, Target
from .subject import Subject


def scraped(subject: Subject) -> Monitoring:
    """Prometheus keeps the component's metrics; no rule and no dashboard reads them."""
    port = subject.component.metrics_port()
    return Monitoring(target=Target(port, honor_labels=subject.component.kind == "kube-state-metrics"))


def without_metrics(_: Subject) -> Monitoring:
    """The component has no metrics that Prometheus understands; only its pods and volumes are watched."""
    return Monitoring()
