"""Which component resource makes which kind. A kind without an entry is declared, and not deployed yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from .alertmanager import Alertmanager
from .alloy import Alloy
from .cockroachdb import CockroachDB
from .elasticsearch import Elasticsearch
from .grafana import Grafana
from .jaeger import Jaeger
from .kibana import Kibana
from .kube_state_metrics import KubeStateMetrics
from .logstash import Logstash
from .loki import Loki
from .manifests import Manifests
from .postgresql import PostgreSQL
from .prometheus import Prometheus
from .redis import Redis
from .service import Service, ServiceArgs
from .site import Site

Builder = Callable[[str, Any, Site, pulumi.ResourceOptions], pulumi.ComponentResource]


def _service(name: str, component: Any, site: Site, opts: pulumi.ResourceOptions) -> pulumi.ComponentResource:
    args = ServiceArgs(
        resolved=site.resolved,
        service=component,
        tag=site.stack.images.get(name),
        configuration=site.configuration,
        secrets=site.secrets,
        platform=site.platform,
    )
    return Service(name, args, opts)


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
    "cockroachdb": _cockroachdb,
    "elasticsearch": Elasticsearch,
    "grafana": Grafana,
    "jaeger": Jaeger,
    "kibana": Kibana,
    "kube-state-metrics": KubeStateMetrics,
    "logstash": Logstash,
    "loki": Loki,
    "manifests": _manifests,
    "postgresql": _postgresql,
    "prometheus": Prometheus,
    "redis": _redis,
    "service": _service,
}
"""Kind to builder."""
