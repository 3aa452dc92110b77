"""Every kind of component, one discriminated union.

A kind is a model in the file of its family. ``derive`` needs no change for a new one: fields say how they scale. A kind
that has no builder in ``components`` yet is declared, explained and counted in the quota, and named in the fidelity
statement as not deployed.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .aws import Aurora, Bucket, Cdn, DocumentDB, ElastiCache, Msk, OpenSearch
from .cockroachdb import CockroachDB
from .edge import External, Gateway, Istio
from .jobs import CronJob, Job
from .manifests import Manifests
from .monitoring import Alertmanager, Elasticsearch, Grafana, Jaeger, Kibana, Logstash, Loki, Prometheus
from .postgresql import PostgreSQL
from .redis import Redis
from .services import Service

AnyComponent = Annotated[
    Service
    | Job
    | CronJob
    | CockroachDB
    | PostgreSQL
    | Redis
    | Prometheus
    | Alertmanager
    | Grafana
    | Elasticsearch
    | Logstash
    | Kibana
    | Loki
    | Jaeger
    | Istio
    | Gateway
    | External
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
    "AnyComponent",
    "Aurora",
    "Bucket",
    "Cdn",
    "CockroachDB",
    "CronJob",
    "DocumentDB",
    "ElastiCache",
    "Elasticsearch",
    "External",
    "Gateway",
    "Grafana",
    "Istio",
    "Jaeger",
    "Job",
    "Kibana",
    "Logstash",
    "Loki",
    "Manifests",
    "Msk",
    "OpenSearch",
    "PostgreSQL",
    "Prometheus",
    "Redis",
    "Service",
]
