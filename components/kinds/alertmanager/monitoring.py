"""Alerts and panels on the delivery of notifications."""

from __future__ import annotations

from components.monitoring.contribution import Alert, Monitoring, Target
from components.monitoring.subject import Subject


def monitoring(subject: Subject) -> Monitoring:
    """Its own metrics (https://github.com/prometheus/alertmanager, ``notify/notify.go``)."""
    failing = Alert(
        "NotificationsFailing",
        f"sum by (integration) (rate(alertmanager_notifications_failed_total{{{subject.job}}}[5m])) > 0",
        "warning",
        "Alerts fire and people are not told",
        "5m",
        "Notifications by {{ $labels.integration }} fail.",
    )
    return Monitoring(Target(subject.component.metrics_port()), alerts=(failing,))
