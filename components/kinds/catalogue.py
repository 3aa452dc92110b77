"""The catalogue of kinds that run in the namespace: how each is built and how it is monitored, one entry a kind.

The kinds of the platform layer are in ``components.aws.platform``. A kind without an entry in either is declared, explained and
counted, and is not deployed; ``fidelity`` names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pulumi

from components.core.context import BuildContext
from components.mesh import monitoring as mesh_gateway
from components.mesh.entrance import MeshGateway
from components.monitoring import tasks
from components.monitoring.contribution import Monitoring
from components.monitoring.simple import scraped, without_metrics
from components.monitoring.subject import Subject

from . import (
    alertmanager,
    alloy,
    cloudwatch_exporter,
    cockroachdb,
    elasticsearch,
    grafana,
    jaeger,
    jobs,
    kibana,
    kube_state_metrics,
    logstash,
    loki,
    manifests,
    oauth2_proxy,
    postgresql,
    prometheus,
    rabbitmq,
    redis,
    service,
)
from .alertmanager import monitoring as alertmanager_monitoring
from .cloudwatch_exporter import monitoring as cloudwatch_monitoring
from .cockroachdb import monitoring as cockroachdb_monitoring
from .postgresql import monitoring as postgresql_monitoring
from .prometheus import monitoring as prometheus_monitoring
from .rabbitmq import monitoring as rabbitmq_monitoring
from .redis import monitoring as redis_monitoring
from .service import monitoring as service_monitoring

Builder = Callable[[str, Any, BuildContext, pulumi.ResourceOptions], pulumi.ComponentResource]


class Kind(NamedTuple):
    """A kind that the program deploys."""

    build: Builder
    """The component resource, called with name, declaration, context and options."""
    monitoring: Callable[[Subject], Monitoring]
    """The scrape target, alerts and dashboards of a component of the kind."""


CATALOGUE: Mapping[str, Kind] = {
    "alertmanager": Kind(alertmanager.Alertmanager, alertmanager_monitoring.monitoring),
    "alloy": Kind(alloy.Alloy, scraped),
    "cloudwatch-exporter": Kind(cloudwatch_exporter.CloudWatchExporter, cloudwatch_monitoring.monitoring),
    "cockroachdb": Kind(cockroachdb.CockroachDB, cockroachdb_monitoring.monitoring),
    "cronjob": Kind(jobs.CronJob, tasks.monitoring),
    "data-sync": Kind(jobs.CronJob, tasks.monitoring),
    "elasticsearch": Kind(elasticsearch.Elasticsearch, without_metrics),
    "grafana": Kind(grafana.Grafana, scraped),
    "jaeger": Kind(jaeger.Jaeger, scraped),
    "job": Kind(jobs.Job, tasks.monitoring),
    "kibana": Kind(kibana.Kibana, without_metrics),
    "kube-state-metrics": Kind(kube_state_metrics.KubeStateMetrics, scraped),
    "logstash": Kind(logstash.Logstash, without_metrics),
    "loki": Kind(loki.Loki, scraped),
    "manifests": Kind(manifests.Manifests, without_metrics),
    "mesh-gateway": Kind(MeshGateway, mesh_gateway.monitoring),
    "oauth2-proxy": Kind(oauth2_proxy.OAuth2Proxy, scraped),
    "postgresql": Kind(postgresql.PostgreSQL, postgresql_monitoring.monitoring),
    "prometheus": Kind(prometheus.Prometheus, prometheus_monitoring.monitoring),
    "rabbitmq": Kind(rabbitmq.RabbitMQ, rabbitmq_monitoring.monitoring),
    "redis": Kind(redis.Redis, redis_monitoring.monitoring),
    "service": Kind(service.Service, service_monitoring.monitoring),
}
"""Kinds by name."""
