"""Every kind of component, as one discriminated union.

Each kind is a model in the file of its family; fields state how they scale, so ``derive`` needs no change for a new one.
A kind that has no builder in ``components`` yet is declared, explained and counted in the quota, and named in the
fidelity statement as not deployed.
"""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from config.model.component import Component

from .aws import (
    Aurora,
    Bucket,
    Cdn,
    ClientVpn,
    DocumentDB,
    Eks,
    ElastiCache,
    LoadBalancer,
    Msk,
    Network,
    OpenSearch,
    Zone,
)
from .cockroachdb import CockroachDB
from .edge import External, Gateway
from .jobs import CronJob, DataSync, Job
from .logs import Alloy, Elasticsearch, Kibana, Logstash, Loki
from .manifests import Manifests
from .mesh import Istio, MeshGateway, OAuth2Proxy
from .metrics import Alertmanager, CloudWatchExporter, Grafana, KubeStateMetrics, Prometheus
from .postgresql import PostgreSQL
from .rabbitmq import RabbitMQ
from .redis import Redis
from .services import Service
from .traces import Jaeger

AnyComponent = Annotated[
    Service
    | Job
    | CronJob
    | DataSync
    | CockroachDB
    | PostgreSQL
    | Redis
    | RabbitMQ
    | Prometheus
    | KubeStateMetrics
    | Alertmanager
    | CloudWatchExporter
    | Grafana
    | Elasticsearch
    | Logstash
    | Kibana
    | Loki
    | Alloy
    | Jaeger
    | Istio
    | MeshGateway
    | OAuth2Proxy
    | Gateway
    | External
    | Network
    | ClientVpn
    | Eks
    | Zone
    | LoadBalancer
    | Aurora
    | DocumentDB
    | ElastiCache
    | Msk
    | OpenSearch
    | Bucket
    | Cdn
    | Manifests,
    Field(discriminator="kind"),
]

__all__ = [
    "Alertmanager",
    "Alloy",
    "AnyComponent",
    "Aurora",
    "Bucket",
    "Cdn",
    "ClientVpn",
    "CloudWatchExporter",
    "CockroachDB",
    "CronJob",
    "DataSync",
    "DocumentDB",
    "Eks",
    "ElastiCache",
    "Elasticsearch",
    "External",
    "Gateway",
    "Grafana",
    "Istio",
    "Jaeger",
    "Job",
    "Kibana",
    "KubeStateMetrics",
    "LoadBalancer",
    "Logstash",
    "Loki",
    "Manifests",
    "MeshGateway",
    "Msk",
    "Network",
    "OAuth2Proxy",
    "OpenSearch",
    "PostgreSQL",
    "Prometheus",
    "RabbitMQ",
    "Redis",
    "Service",
    "Zone",
    "models",
]


def models() -> dict[str, type[Component]]:
    """Returns the model of each kind, by the kind's name."""
    union = get_args(AnyComponent)[0]
    return {get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(union)}
