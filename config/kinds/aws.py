"""Stores that AWS manages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..base import Component, Hostname, Retention, StorageAmount, Text
from ..quantity import Duration
from ..scaling import InstanceClass, Scales

Instance = Annotated[InstanceClass, Scales("instance")]
Nodes = Annotated[int, Field(ge=1), Scales("members")]


class Managed(Component):
    """Lives in the account's network, outside the namespace."""

    namespaced = False
    version: Text
    instance: Instance
    nodes: Nodes = 3


class Aurora(Managed):
    """Aurora PostgreSQL or MySQL, Multi-AZ with a reader endpoint."""

    kind: Literal["aurora"]
    engine: Literal["postgresql", "mysql"]
    nodes: Nodes = 2
    database: Text
    backup_retention: Retention = Duration.parse("30d")

    def ports(self) -> dict[str, int]:
        return {"sql": 5432 if self.engine == "postgresql" else 3306}


class DocumentDB(Managed):
    """DocumentDB (MongoDB's protocol)."""

    kind: Literal["documentdb"]
    backup_retention: Retention = Duration.parse("30d")

    def ports(self) -> dict[str, int]:
        return {"mongodb": 27017}


class ElastiCache(Managed):
    """ElastiCache for Redis in cluster mode."""

    kind: Literal["elasticache"]
    shards: Annotated[int, Field(ge=1), Scales("members")] = 1

    def ports(self) -> dict[str, int]:
        return {"redis": 6379}


class Msk(Managed):
    """Managed Kafka; clients use TLS with SCRAM."""

    kind: Literal["msk"]
    storage: StorageAmount

    def ports(self) -> dict[str, int]:
        return {"kafka": 9096}


class OpenSearch(Managed):
    """OpenSearch in the network."""

    kind: Literal["opensearch"]
    storage: StorageAmount

    def ports(self) -> dict[str, int]:
        return {"https": 443}


class Bucket(Component):
    """An S3 bucket: versioned, private, TLS only."""

    namespaced = False
    kind: Literal["bucket"]
    retention: Retention | None = None


class Cdn(Component):
    """CloudFront in front of a bucket."""

    namespaced = False
    kind: Literal["cdn"]
    bucket: str
    host_name: Hostname
