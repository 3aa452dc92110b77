"""Prometheus' own configuration: https://prometheus.io/docs/prometheus/2.53/configuration/configuration/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from components.core.network import PROXY_METRICS
from components.core.pods import TRUST
from components.core.rendered import Part
from components.monitoring.contribution import Monitoring, Target
from config.derivation.mesh_topology import mesh
from config.kinds import Prometheus
from config.system import Resolved

RULES = "/etc/prometheus/rules"
CERTIFICATES = "/etc/mesh"
"""Directory to which the pod's proxy writes its mesh certificate."""
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_SD = "__meta_kubernetes_"


class Relabel(Part):
    """A step of relabelling."""

    action: Literal["replace", "keep", "drop", "labelmap"] = "replace"
    source_labels: tuple[str, ...] | None = None
    regex: str | None = None
    target_label: str | None = None
    replacement: str | None = None


class Namespaces(Part):
    """Namespaces in which targets are discovered."""

    own_namespace: bool = True


class Selector(Part):
    """Selectors of a service discovery."""

    role: Literal["pod"] = "pod"
    label: str


class KubernetesSd(Part):
    """Discovery through the API server."""

    role: Literal["pod", "node"]
    namespaces: Namespaces | None = None
    selectors: tuple[Selector, ...] | None = None


class Tls(Part):
    """TLS settings of a scrape: the trusted authority and the client certificate."""

    ca_file: str
    cert_file: str | None = None
    key_file: str | None = None
    server_name: str | None = None
    insecure_skip_verify: bool | None = None


class Authorization(Part):
    """The pod's own token."""

    credentials_file: str = f"{ACCOUNT}/token"


class StaticConfig(Part):
    """Addresses."""

    targets: tuple[str, ...]


class Scrape(Part):
    """A job."""

    job_name: str
    scheme: Literal["http", "https"] | None = None
    metrics_path: str | None = None
    honor_labels: bool | None = None
    authorization: Authorization | None = None
    tls_config: Tls | None = None
    kubernetes_sd_configs: tuple[KubernetesSd, ...] | None = None
    static_configs: tuple[StaticConfig, ...] | None = None
    relabel_configs: tuple[Relabel, ...] | None = None
    metric_relabel_configs: tuple[Relabel, ...] | None = None


class Global(Part):
    """Settings of all scrape jobs."""

    scrape_interval: str
    evaluation_interval: str
    external_labels: dict[str, str]


class Alertmanagers(Part):
    """Addresses of Alertmanager."""

    scheme: Literal["https"] | None = None
    tls_config: Tls | None = None
    static_configs: tuple[StaticConfig, ...]


class Alerting(Part):
    """Alerting settings."""

    alertmanagers: tuple[Alertmanagers, ...]


class Configuration(Part):
    """``prometheus.yml``."""

    global_: Global = Field(alias="global")
    rule_files: tuple[str, ...]
    alerting: Alerting | None = None
    scrape_configs: tuple[Scrape, ...]


def configuration(
    name: str, prometheus: Prometheus, resolved: Resolved, contributed: Mapping[str, Monitoring], rules: str = RULES
) -> Configuration:
    """Returns the jobs: Prometheus itself, every component with a target, and the kubelets."""
    receivers = tuple(
        f"{other.host(used, resolved.environment.namespace)}:{other.port()}"
        for used in prometheus.uses
        for other in [resolved.components[used]]
    )
    meshed = MESH if mesh(resolved) else None
    scheme: Literal["https"] | None = "https" if meshed else None
    alertmanagers = Alertmanagers(scheme=scheme, tls_config=meshed, static_configs=(StaticConfig(targets=receivers),))
    alerting = Alerting(alertmanagers=(alertmanagers,))
    interval = str(prometheus.scrape_interval)
    labels = {"system": resolved.system, "environment": resolved.environment.name}
    pods = [
        _pods(key, monitoring.target, meshed)
        for key, monitoring in contributed.items()
        if monitoring.target and key != name
    ]
    proxies = [_proxies()] if meshed else []
    return Configuration(
        global_=Global(scrape_interval=interval, evaluation_interval=interval, external_labels=labels),
        rule_files=(f"{rules}/*.yml",),
        alerting=alerting if receivers else None,
        scrape_configs=(
            Scrape(
                job_name=name,
                static_configs=(StaticConfig(targets=(f"localhost:{prometheus.metrics_port()}",)),),
            ),
            *pods,
            *proxies,
            *_kubelets(prometheus, resolved.environment.namespace),
        ),
    )


MESH = Tls(
    ca_file=f"{CERTIFICATES}/root-cert.pem",
    cert_file=f"{CERTIFICATES}/cert-chain.pem",
    key_file=f"{CERTIFICATES}/key.pem",
    # a proxy's certificate names a service account (SPIFFE), which Prometheus cannot compare with an address
    insecure_skip_verify=True,
)
"""https://istio.io/latest/docs/ops/integrations/prometheus/#tls-settings."""


def _pods(component: str, target: Target, meshed: Tls | None) -> Scrape:
    """Returns the job of one component: its pods that listen on the metrics port."""
    sources: Any = {"source_labels": (f"{_SD}pod_name",), "target_label": "pod"}
    own = Tls(ca_file=f"{TRUST}/ca-{component}/ca.crt", server_name=target.server_name) if target.authority else None
    return Scrape(
        job_name=component,
        scheme="https" if own or meshed else None,
        metrics_path=target.path if target.path != "/metrics" else None,
        honor_labels=target.honor_labels or None,
        tls_config=own or meshed,
        kubernetes_sd_configs=(
            KubernetesSd(role="pod", namespaces=Namespaces(), selectors=(Selector(label=f"app={component}"),)),
        ),
        relabel_configs=(
            Relabel(action="keep", source_labels=(f"{_SD}pod_container_port_number",), regex=str(target.port)),
            Relabel(action="drop", source_labels=(f"{_SD}pod_phase",), regex="Pending|Succeeded|Failed"),
            Relabel(**sources),
            Relabel(source_labels=(f"{_SD}pod_node_name",), target_label="node"),
        ),
    )


def _proxies() -> Scrape:
    """Returns the job of all pods' proxies, which keeps only Istio's series of requests and connections."""
    return Scrape(
        job_name="mesh",
        metrics_path="/stats/prometheus",
        kubernetes_sd_configs=(KubernetesSd(role="pod", namespaces=Namespaces()),),
        relabel_configs=(
            Relabel(action="keep", source_labels=(f"{_SD}pod_container_port_number",), regex=str(PROXY_METRICS)),
            Relabel(action="drop", source_labels=(f"{_SD}pod_phase",), regex="Pending|Succeeded|Failed"),
            Relabel(source_labels=(f"{_SD}pod_name",), target_label="pod"),
        ),
        metric_relabel_configs=(Relabel(action="keep", source_labels=("__name__",), regex="istio_.*"),),
    )


def _kubelets(prometheus: Prometheus, namespace: str) -> tuple[Scrape, ...]:
    """Returns the job of the kubelets, which keeps only container and volume series of this namespace."""
    own = Relabel(action="keep", source_labels=("namespace",), regex=namespace)
    return tuple(
        Scrape(
            job_name=job,
            scheme="https",
            metrics_path=path,
            honor_labels=True,
            authorization=Authorization(),
            tls_config=Tls(
                ca_file=f"{ACCOUNT}/ca.crt", insecure_skip_verify=None if prometheus.verify_kubelets else True
            ),
            kubernetes_sd_configs=(KubernetesSd(role="node"),),
            relabel_configs=(Relabel(source_labels=(f"{_SD}node_name",), target_label="node"),),
            metric_relabel_configs=(
                Relabel(action="keep", source_labels=("__name__",), regex=wanted),
                own,
            ),
        )
        for job, path, wanted in (
            ("kubelet", "/metrics", "kubelet_volume_stats_.*"),
            (
                "cadvisor",
                "/metrics/cadvisor",
                "container_(cpu_usage_seconds|cpu_cfs_periods|cpu_cfs_throttled_periods|fs_reads_bytes|fs_writes_bytes|"
                "network_receive_bytes|network_transmit_bytes)_total|container_memory_working_set_bytes",
            ),
        )
    )
