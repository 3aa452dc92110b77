"""Alerts and panels on the monitoring itself, and on all pods, volumes and networks."""

from __future__ import annotations

from collections.abc import Iterator

from components.monitoring.contribution import Alert, Dashboard, Monitoring, Panel, Recording, Target, panel, rows
from components.monitoring.subject import Subject
from components.monitoring.usage import CPU, MEMORY
from config.kinds import Service
from config.kinds.stateful import Stateful

_SPACE = "kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes"


def monitoring(subject: Subject) -> Monitoring:
    """Returns the monitoring of Prometheus itself, and of the namespace from kubelets and kube-state-metrics."""
    return Monitoring(
        Target(subject.component.metrics_port()),
        (
            Recording(CPU, 'sum by (pod, container) (rate(container_cpu_usage_seconds_total{container!=""}[5m]))'),
            Recording(MEMORY, 'sum by (pod, container) (container_memory_working_set_bytes{container!=""})'),
        ),
        tuple(_alerts(subject)),
        (_overview(subject), _resources(subject)),
    )


def _alerts(subject: Subject) -> Iterator[Alert]:
    for name, alert in subject.component.alerts.items():
        yield Alert(name, alert.expr, alert.severity, alert.summary, str(alert.for_))
    yield Alert(
        "TargetDown",
        "up == 0",
        "warning",
        "Something that is watched does not answer",
        "5m",
        "{{ $labels.job }}, {{ $labels.instance }} has not been scraped.",
    )
    series = subject.size("series", subject.component.series)
    yield Alert(
        "SeriesAboveDeclared",
        f"prometheus_tsdb_head_series{{{subject.job}}} > {series.expr}",
        "warning",
        "There are more series than the volume was made for",
        "15m",
        "{{ $value }} series: the oldest samples will be deleted before their time.",
        series.derivation,
    )


def _overview(subject: Subject) -> Dashboard:
    environment = subject.resolved.environment.name
    return Dashboard(
        "overview",
        f"{environment.capitalize()} Overview",
        rows(
            Alerts=[
                panel(
                    f"Alerts: {severity}",
                    f'count(ALERTS{{alertstate="firing", severity="{severity}"}}) or vector(0)',
                    kind="stat",
                    warn=1,
                )
                for severity in ("critical", "warning")
            ]
            + [panel("Targets down", "count(up == 0) or vector(0)", kind="stat", warn=1)],
            Components=list(_components(subject)),
            Load=[
                panel("CPU", (f"sum by (container) ({CPU})", "{{container}}"), unit="suffix: cores"),
                panel("Memory", (f"sum by (container) ({MEMORY})", "{{container}}"), unit="bytes"),
                panel(
                    "Space left",
                    (
                        f"min by (persistentvolumeclaim) ({_SPACE})",
                        "{{persistentvolumeclaim}}",
                    ),
                    unit="percentunit",
                    warn=0.1,
                    bad="below",
                ),
            ],
        ),
    )


def _components(subject: Subject) -> Iterator[Panel]:
    """Yields panels with the share of each store's and service's pods that are available."""
    for name, component in subject.resolved.components.items():
        if component.existing is None and isinstance(component, Stateful | Service) and component.metrics_port():
            title, expr = component.title or name, f'avg(up{{job="{name}"}})'
            yield panel(title, expr, unit="percentunit", kind="stat", warn=1, bad="below")


def _resources(subject: Subject) -> Dashboard:
    pod = 'pod=~"$pod"'
    counted = (
        [
            panel(
                "Restarts in an hour",
                (f"sum by (pod) (increase(kube_pod_container_status_restarts_total{{{pod}}}[1h]))", "{{pod}}"),
                warn=3,
            )
        ]
        if subject.counted
        else []
    )
    return Dashboard(
        "resources",
        "System Resources",
        rows(
            CPU=[
                panel("CPU", (f"sum by (pod) ({CPU}{{{pod}}})", "{{pod}}"), unit="suffix: cores"),
                panel(
                    "Throttled",
                    (
                        f"sum by (pod) (rate(container_cpu_cfs_throttled_periods_total{{{pod}}}[$__rate_interval])) / "
                        f"sum by (pod) (rate(container_cpu_cfs_periods_total{{{pod}}}[$__rate_interval]))",
                        "{{pod}}",
                    ),
                    unit="percentunit",
                    warn=0.25,
                ),
            ],
            Memory=[
                panel("Memory", (f"sum by (pod) ({MEMORY}{{{pod}}})", "{{pod}}"), unit="bytes"),
                *counted,
            ],
            Disk=[
                panel(
                    "Space left",
                    (
                        _SPACE,
                        "{{persistentvolumeclaim}}",
                    ),
                    unit="percentunit",
                    warn=0.1,
                    bad="below",
                ),
                panel(
                    "Read and written",
                    (f"sum by (pod) (rate(container_fs_reads_bytes_total{{{pod}}}[$__rate_interval]))", "{{pod}} read"),
                    (
                        f"sum by (pod) (rate(container_fs_writes_bytes_total{{{pod}}}[$__rate_interval]))",
                        "{{pod}} written",
                    ),
                    unit="Bps",
                ),
            ],
            Network=[
                panel(
                    "Received",
                    (
                        f"sum by (pod) (rate(container_network_receive_bytes_total{{{pod}}}[$__rate_interval]))",
                        "{{pod}}",
                    ),
                    unit="Bps",
                ),
                panel(
                    "Sent",
                    (
                        f"sum by (pod) (rate(container_network_transmit_bytes_total{{{pod}}}[$__rate_interval]))",
                        "{{pod}}",
                    ),
                    unit="Bps",
                ),
            ],
        ),
        pods_of="",
    )
