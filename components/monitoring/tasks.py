"""Alerts on Jobs and CronJobs, from kube-state-metrics."""

from __future__ import annotations

from collections.abc import Iterator

from config.kinds import DataSync

from .contribution import Alert, Monitoring
from .subject import Subject


def monitoring(subject: Subject) -> Monitoring:
    """Returns no alerts where kube-state-metrics is not part of the environment."""
    return Monitoring(alerts=tuple(_alerts(subject)) if subject.counted else ())


def _alerts(subject: Subject) -> Iterator[Alert]:
    name, component = subject.name, subject.component
    yield Alert(
        "JobFailed",
        f'kube_job_status_failed{{job_name=~"{name}-.+"}} > 0',
        "warning",
        f"{name} has failed",
        "0s",
        "{{ $labels.job_name }} has {{ $value }} failed pods; what was there before goes on.",
        absent=("kube_job_info",),
    )
    if isinstance(component, DataSync):
        size = subject.size("maximumAge", component.maximum_age)
        yield Alert(
            "DataStale",
            f'time() - kube_cronjob_status_last_successful_time{{cronjob="{name}"}} > {size.expr}',
            "warning",
            f"{name} has not brought new data for longer than its schedule allows",
            "0s",
            "The last success was {{ $value | humanizeDuration }} ago; the data of then are still served.",
            size.derivation,
        )
