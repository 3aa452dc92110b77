"""Which component resource makes which kind. A kind without an entry is declared, and not deployed yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from components.core.site import Site
from components.core.wiring import Wiring
from components.mesh.entrance import MeshGateway

from .alertmanager import Alertmanager
from .alloy import Alloy
from .cloudwatch_exporter import CloudWatchExporter
from .cockroachdb import CockroachDB
from .elasticsearch import Elasticsearch
from .grafana import Grafana
from .jaeger import Jaeger
from .jobs import CronJob, Job, TaskArgs
from .kibana import Kibana
from .kube_state_metrics import KubeStateMetrics
from .logstash import Logstash
from .loki import Loki
from .manifests import Manifests
from .oauth2_proxy import OAuth2Proxy
from .postgresql import PostgreSQL
from .prometheus import Prometheus
from .redis import Redis
from .service import Service, ServiceArgs

Builder = Callable[[str, Any, Site, pulumi.ResourceOptions], pulumi.ComponentResource]


def _wiring(name: str, component: Any, site: Site) -> Wiring:
    return Wiring(name, component, site.resolved, site.configuration, site.secrets, site.platform)


def _service(name: str, component: Any, site: Site, opts: pulumi.ResourceOptions) -> pulumi.ComponentResource:
    images = site.stack.images
    args = ServiceArgs(component, _wiring(name, component, site), images.get(name), images.get(f"{name}-canary"))
    return Service(name, args, opts)


def _task(make: Callable[..., pulumi.ComponentResource]) -> Builder:
    def build(name: str, component: Any, site: Site, opts: pulumi.ResourceOptions) -> pulumi.ComponentResource:
        args = TaskArgs(_wiring(name, component, site), site.stack.images.get(name))
        return make(name, component, args, opts)

    return build


def _cockroachdb(name: str, component: Any, site: Site, opts: pulumi.ResourceOptions) -> pulumi.ComponentResource:
    return CockroachDB(name, site.resolved, component, site.certificates, site.secrets, opts)


def _postgresql(name: str, component: Any, site: Site, opts: pulumi.ResourceOptions) -> pulumi.ComponentResource:
    return PostgreSQL(name, site.resolved, component, site.certificates, site.secrets, opts)


def _redis(name: str, component: Any, site: Site, opts: pulumi.ResourceOptions) -> pulumi.ComponentResource:
    return Redis(name, site.resolved, component, site.secrets, opts)


def _manifests(name: str, component: Any, site: Site, opts: pulumi.ResourceOptions) -> pulumi.ComponentResource:
    return Manifests(name, site.resolved, component, opts)


BUILDERS: Mapping[str, Builder] = {
    "alertmanager": Alertmanager,
    "alloy": Alloy,
    "cloudwatch-exporter": CloudWatchExporter,
    "cockroachdb": _cockroachdb,
    "cronjob": _task(CronJob),
    "data-sync": _task(CronJob),
    "elasticsearch": Elasticsearch,
    "grafana": Grafana,
    "jaeger": Jaeger,
    "job": _task(Job),
    "kibana": Kibana,
    "kube-state-metrics": KubeStateMetrics,
    "logstash": Logstash,
    "loki": Loki,
    "manifests": _manifests,
    "mesh-gateway": MeshGateway,
    "oauth2-proxy": OAuth2Proxy,
    "postgresql": _postgresql,
    "prometheus": Prometheus,
    "redis": _redis,
    "service": _service,
}
"""Kind to builder."""
