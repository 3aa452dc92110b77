"""Metrics kinds: collection, alerting and dashboards."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from config.model.base import DnsLabel, Level, Model, Resources, Retention, SecretKey, StorageAmount, resources
from config.model.quantity import Duration, Storage
from config.model.workloads import PortSpec

from .backend import Backend, PersistentBackend
from .services import Alert, AlertName

BYTES_PER_SAMPLE = 2
"""Prometheus' own estimate is 1 to 2 (https://prometheus.io/docs/prometheus/latest/storage/#operational-aspects)."""
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+[^/\s]$")]
"""Without a slash at the end."""


class Prometheus(PersistentBackend):
    """Collects metrics of all components that expose some, of the kubelets, and of itself.

    Evaluates the components' alerts.
    """

    metric_prefixes = ("up", "prometheus_", "container_", "kubelet_", "pod_container:")

    kind: Literal["prometheus"]
    image: str = "prom/prometheus"
    needs_kubernetes_api: bool = Field(default=True, alias="needsKubernetesAPI")
    retention: Retention
    scrape_interval: Duration = Duration.parse("15s")
    series: Annotated[int, Field(ge=1000)] = 100_000
    """Expected active series, with which the volume's size and an alert on the number of series are compared."""
    log_level: Level = "info"
    alerts: dict[AlertName, Alert] = {}
    """Alert rules of the whole system; rules of a service are declared with the service."""
    runbooks: Url
    """URL of ``docs/runbooks``: an alert's ``runbook_url`` is ``<runbooks>/<Alert>.md``."""
    verify_kubelets: bool = True
    """Whether kubelet certificates are verified with the cluster's authority;

    false where kubelets sign for themselves (kubeadm's default).
    """

    def listens(self) -> tuple[PortSpec, ...]:
        return (PortSpec("http", 9090),)

    def metrics_port(self) -> int:
        return 9090

    def needed(self) -> Storage:
        """Returns the disk space that the declared series take until their retention ends."""
        samples = self.series * self.retention.value / self.scrape_interval.value
        return Storage(-(-int(samples * BYTES_PER_SAMPLE) // 1_000_000_000) * 1_000_000_000, "G")


class KubeStateMetrics(Backend):
    """kube-state-metrics: the state of the namespace's objects as metrics; it may not read Secrets."""

    metric_prefixes = ("kube_",)

    kind: Literal["kube-state-metrics"]
    image: str = "rancher/mirrored-kube-state-metrics-kube-state-metrics"
    resources: Resources = resources("20m", "100m", "64M", "128M")
    needs_kubernetes_api: bool = Field(default=True, alias="needsKubernetesAPI")

    def listens(self) -> tuple[PortSpec, ...]:
        return (PortSpec("metrics", 8080, "http"), PortSpec("telemetry", 8081, "http"))


class CloudWatchExporter(Backend):
    """YACE: CloudWatch metrics of managed stores, read with a role that may read metrics only."""

    metric_prefixes = ("aws_",)

    kind: Literal["cloudwatch-exporter"]
    image: str = "quay.io/prometheuscommunity/yet-another-cloudwatch-exporter"
    resources: Resources = resources("50m", "200m", "64M", "256M")
    stores: Annotated[tuple[DnsLabel, ...], Field(min_length=1)]
    """Managed stores whose metrics are read; it connects to CloudWatch, not to the stores."""
    period: Duration = Duration.parse("60s")
    """Interval of the readings; CloudWatch has most of these metrics once a minute."""
    hosts_of_aws = ("monitoring", "tagging")

    def listens(self) -> tuple[PortSpec, ...]:
        return (PortSpec("metrics", 5000, "http"),)


class Slack(Model):
    """An incoming webhook."""

    url: SecretKey
    channel: Annotated[str, StringConstraints(pattern=r"^[#@].+")]


class PagerDuty(Model):
    """An integration of the Events API v2."""

    routing_key: SecretKey


class Alertmanager(PersistentBackend):
    """Alertmanager: critical alerts go to PagerDuty, all but ``info`` to Slack.

    A receiver whose optional secret the stack does not give is left out with a warning; without any receiver no
    notification is sent.
    """

    metric_prefixes = ("alertmanager_",)

    kind: Literal["alertmanager"]
    image: str = "prom/alertmanager"
    storage: StorageAmount = Storage.parse("1G")
    """Volume of silences and of the notification log."""
    slack: Slack | None = None
    pagerduty: PagerDuty | None = None
    proxy: Url | None = None
    """HTTP proxy to the receivers, because NetworkPolicies select networks, and the receivers' addresses change."""

    def listens(self) -> tuple[PortSpec, ...]:
        return (PortSpec("http", 9093),)

    def metrics_port(self) -> int:
        return 9093

    def receivers(self) -> dict[str, SecretKey]:
        """Returns receiver to the secret that it needs."""
        slack = {"slack": self.slack.url} if self.slack else {}
        return {**({"pagerduty": self.pagerduty.routing_key} if self.pagerduty else {}), **slack}

    def secrets_read(self) -> tuple[str, ...]:
        return tuple(sorted({key.secret for key in self.receivers().values()}))


class Grafana(PersistentBackend):
    """Dashboards; its data sources are the backends it uses."""

    kind: Literal["grafana"]
    image: str = "grafana/grafana"
    admin: SecretKey
    """The password of the user ``admin``."""

    def listens(self) -> tuple[PortSpec, ...]:
        return (PortSpec("http", 3000),)

    def secrets_read(self) -> tuple[str, ...]:
        return (self.admin.secret,)

    def metrics_port(self) -> int:
        return 3000
