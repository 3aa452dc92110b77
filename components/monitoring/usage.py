"""Alerts and panels on each component's CPU, memory, disk and pods.

The series are those of the kubelet (cAdvisor and volume statistics) and of kube-state-metrics.
"""

from __future__ import annotations

from collections.abc import Iterator

from config.kinds.backend import Backend
from config.kinds.services import Service

from .contribution import Alert, Monitoring, Size
from .subject import Subject

CPU = "pod_container:container_cpu_usage_seconds:rate5m"
MEMORY = "pod_container:container_memory_working_set_bytes:sum"


def usage(subject: Subject) -> Monitoring:
    """Returns alerts from the component's declared limits, volumes and replicas."""
    return Monitoring(alerts=(*_amounts(subject), *_disk(subject), *_pods(subject)))


def down(subject: Subject, alert: str, metric: str, noun: str) -> Alert:
    """Returns a critical alert for a store's members; ``metric`` has fewer series of value 1 than members are declared."""
    nodes = subject.size("nodes", subject.component.nodes)
    return Alert(
        alert,
        f"sum({metric}{{{subject.job}}}) < {nodes.expr}",
        "critical",
        f"{noun} of {subject.name} does not answer",
        "1m",
        "{{ $value }} answer.",
        nodes.derivation,
    )


def _amounts(subject: Subject) -> Iterator[Alert]:
    resources = getattr(subject.component, "resources", None)
    if resources is None:
        return
    own = f'{{container="{subject.name}"}}'
    if resources.limits.cpu is not None:
        size = subject.size("resources.limits.cpu", resources.limits.cpu, "0.8 * {}", "80 % of {}")
        yield Alert(
            "HighCPUUsage",
            f"{CPU}{own} > {size.expr}",
            "warning",
            f"A pod of {subject.name} uses more than 80 % of its CPU",
            "5m",
            "{{ $labels.pod }} uses {{ $value | humanize }} cores.",
            size.derivation,
        )
    if resources.limits.memory is not None:
        size = subject.size("resources.limits.memory", resources.limits.memory, "0.9 * {}", "90 % of {}")
        yield Alert(
            "HighMemoryUsage",
            f"{MEMORY}{own} > {size.expr}",
            "warning",
            f"A pod of {subject.name} uses more than 90 % of its memory",
            "5m",
            "{{ $labels.pod }} uses {{ $value | humanize1024 }}B; at its limit it is killed.",
            size.derivation,
        )


def _disk(subject: Subject) -> Iterator[Alert]:
    claims = sorted(subject.component.volumes(subject.name))
    if not claims:
        return
    chosen = f'{{persistentvolumeclaim=~"{"|".join(claims)}"}}'
    yield Alert(
        "DiskSpaceLow",
        f"kubelet_volume_stats_available_bytes{chosen} / kubelet_volume_stats_capacity_bytes{chosen} < 0.1",
        "warning",
        f"A volume of {subject.name} has less than 10 % of its space left",
        "5m",
        "{{ $labels.persistentvolumeclaim }} has {{ $value | humanizePercentage }} left.",
        absent=tuple(f'kubelet_volume_stats_available_bytes{{persistentvolumeclaim="{claim}"}}' for claim in claims),
    )


def _pods(subject: Subject) -> Iterator[Alert]:
    component = subject.component
    if not subject.counted or not isinstance(component, Service | Backend):
        return
    size = _least(subject, component) if isinstance(component, Service) else Size("1", "")
    yield Alert(
        "ReplicasUnavailable",
        f'kube_deployment_status_replicas_available{{deployment="{subject.name}"}} < {size.expr}',
        "critical" if isinstance(component, Service) else "warning",
        f"{subject.name} has fewer pods than it needs",
        "5m",
        "{{ $value }} of its pods are available.",
        size.derivation,
    )


def _least(subject: Subject, service: Service) -> Size:
    """Returns the number of pods that a disruption leaves."""
    if service.min_available is not None:
        return subject.size("minAvailable", service.min_available)
    if service.replicas.min == 1:
        return subject.size("replicas.min", service.replicas.min)
    return subject.size("replicas.min", service.replicas.min, "{} - 1", "one less than {}")
