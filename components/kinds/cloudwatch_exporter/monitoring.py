"""Alerts and panels on managed stores, from CloudWatch metrics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.monitoring.contribution import Alert, Dashboard, Monitoring, Panel, Row, Severity, Target, panel
from components.monitoring.subject import Subject
from config.kinds.aws import Managed

from .configuration import stores
from .metrics import READ

_UNITS = {
    "CPUUtilization": "percent",
    "EngineCPUUtilization": "percent",
    "CpuUser": "percent",
    "DatabaseMemoryUsagePercentage": "percent",
    "KafkaDataLogsDiskUsed": "percent",
    "JVMMemoryPressure": "percent",
    "FreeableMemory": "bytes",
    "FreeStorageSpace": "mbytes",
    "AuroraReplicaLagMaximum": "ms",
    "DBClusterReplicaLagMaximum": "ms",
    "CommitLatency": "ms",
    "ReplicationLag": "s",
}
"""Units of CloudWatch."""


@dataclass(frozen=True)
class _Limit:
    """An alert on a metric that crosses a threshold."""

    alert: str
    metric: str
    compared: str
    severity: Severity
    summary: str
    description: str
    for_: str = "5m"

    @property
    def number(self) -> float:
        return float(self.compared.split()[1])


_CPU = "{{ $value | humanize }} % of its CPU."
_LAG = "Its readers are {{ $value | humanize }} ms behind."
_LIMITS: dict[str, tuple[_Limit, ...]] = {
    "aurora": (
        _Limit("StoreCPUHigh", "CPUUtilization", "> 80", "warning", "{} uses most of its CPU", _CPU),
        _Limit("ReplicaLagHigh", "AuroraReplicaLagMaximum", "> 1000", "warning", "Readers of {} are behind", _LAG),
    ),
    "documentdb": (
        _Limit("StoreCPUHigh", "CPUUtilization", "> 80", "warning", "{} uses most of its CPU", _CPU),
        _Limit("ReplicaLagHigh", "DBClusterReplicaLagMaximum", "> 1000", "warning", "Readers of {} are behind", _LAG),
    ),
    "elasticache": (
        _Limit("StoreCPUHigh", "EngineCPUUtilization", "> 80", "warning", "{} uses most of its CPU", _CPU),
        _Limit(
            "CacheMemoryHigh",
            "DatabaseMemoryUsagePercentage",
            "> 80",
            "warning",
            "{} is nearly full",
            "{{ $value | humanize }} % of its memory: it will evict keys.",
        ),
    ),
    "msk": (
        _Limit("StoreCPUHigh", "CpuUser", "> 60", "warning", "{} uses most of its CPU", _CPU),
        _Limit(
            "PartitionsUnderReplicated",
            "UnderReplicatedPartitions",
            "> 0",
            "critical",
            "{} has partitions with fewer copies than declared",
            "{{ $value }} partitions: the loss of one more broker may stop their writers.",
        ),
        _Limit(
            "BrokerDiskFull",
            "KafkaDataLogsDiskUsed",
            "> 85",
            "critical",
            "A broker of {} is nearly full",
            "{{ $value | humanize }} % of its disk.",
        ),
    ),
    "opensearch": (
        _Limit("StoreCPUHigh", "CPUUtilization", "> 80", "warning", "{} uses most of its CPU", _CPU, "15m"),
        _Limit(
            "SearchClusterRed",
            "ClusterStatus.red",
            "> 0",
            "critical",
            "{} has lost a primary shard",
            "Some of what it holds is neither found nor written.",
            "1m",
        ),
        _Limit(
            "SearchStorageLow",
            "FreeStorageSpace",
            "< 20480",
            "warning",
            "{} has little space left",
            "A node has {{ $value | humanize }} MiB left; without space it takes no more documents.",
        ),
    ),
}
"""Thresholds of AWS' own guides: RDS' and DocumentDB's "best practices", ElastiCache's "which metrics should I monitor",
MSK's "best practices" (CPU 60 %, disk 85 %), OpenSearch's "recommended CloudWatch alarms"."""


def monitoring(subject: Subject) -> Monitoring:
    """Returns its scrape target, and a row of panels for each watched store."""
    watched = stores(subject.component, subject.resolved)
    store_rows = tuple(Row(store.title or name, tuple(_panels(name, store))) for name, store in watched.items())
    dashboards = (Dashboard("managed-stores", "Managed Stores", store_rows),) if store_rows else ()
    return Monitoring(Target(subject.component.metrics_port()), dashboards=dashboards)


def of_stores(subject: Subject) -> dict[str, Monitoring]:
    """Returns store to its alerts, which belong to the store and not to the exporter."""
    watched = stores(subject.component, subject.resolved)
    return {name: Monitoring(alerts=tuple(_alerts(name, store))) for name, store in watched.items()}


def _selector(name: str, store: Managed, metric: str) -> str:
    return f'{READ[store.kind].series(metric)}{{custom_tag_store="{name}"}}'


def _alerts(name: str, store: Managed) -> Iterator[Alert]:
    for limit in _LIMITS[store.kind]:
        yield Alert(
            limit.alert,
            f"{_selector(name, store, limit.metric)} {limit.compared}",
            limit.severity,
            limit.summary.format(name),
            limit.for_,
            limit.description,
        )


def _panels(name: str, store: Managed) -> Iterator[Panel]:
    limits = {limit.metric: limit for limit in _LIMITS[store.kind]}
    for metric in READ[store.kind].metrics:
        limit = limits.get(metric)
        more = {"warn": limit.number, "bad": "below" if limit.compared[0] == "<" else "above"} if limit else {}
        yield panel(metric, _selector(name, store, metric), unit=_UNITS.get(metric, "short"), **more)
