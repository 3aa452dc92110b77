"""Caches, event logs, search, and object stores that AWS manages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from config.model.base import DnsLabel, Retention, StorageAmount, secret_variable
from config.model.quantity import Duration
from config.model.scaling import Scales

from .managed import Managed, Platform

BucketName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$|\{")]


class ElastiCache(Managed):
    """ElastiCache for Redis in cluster mode, Multi-AZ, with TLS and a password; ``nodes`` are those of each shard."""

    kind: Literal["elasticache"]
    use = "elasticache"
    shards: Annotated[int, Field(ge=1), Scales("members")] = 1
    snapshot_retention: Retention = Duration.parse("7d")

    @model_validator(mode="after")
    def _replicated(self) -> ElastiCache:
        if self.nodes < 2:
            raise ValueError("Multi-AZ needs a replica: nodes is 2 at least")
        return self

    def ports(self) -> dict[str, int]:
        return {"redis": 6379}


class Msk(Managed):
    """Managed Kafka; clients use TLS with SCRAM (9096) or IAM (9098), never plaintext."""

    kind: Literal["msk"]
    use = "kafka"
    storage: StorageAmount
    """Per broker."""
    user: str = "application"
    replication_factor: Annotated[int, Field(ge=1)] = 3
    minimum_in_sync: Annotated[int, Field(ge=1)] = 2

    @model_validator(mode="after")
    def _survives(self) -> Msk:
        if not self.minimum_in_sync < self.replication_factor <= self.nodes:
            raise ValueError(
                f"minimumInSync {self.minimum_in_sync} < replicationFactor {self.replication_factor} <= nodes "
                f"{self.nodes} has to hold, or the loss of one broker stops writers"
            )
        return self

    def ports(self) -> dict[str, int]:
        return {"kafka": 9096, "kafka-iam": 9098}


class OpenSearch(Managed):
    """OpenSearch in the network, with fine-grained access; its Dashboards stand where Kibana did."""

    kind: Literal["opensearch"]
    use = "opensearch"
    storage: StorageAmount
    """Per node."""
    user: str = "master"

    def ports(self) -> dict[str, int]:
        return {"https": 443}


class Bucket(Platform):
    """An S3 bucket: versioned, encrypted, private, TLS only."""

    kind: Literal["bucket"]
    after = ()
    name: BucketName
    """A globally unique S3 bucket name."""
    retention: Annotated[Duration | None, Scales("retention", floor="1d")] = None
    """Time after which objects are deleted; default: never."""
    noncurrent_retention: Retention = Duration.parse("30d")
    """Time after which earlier versions are deleted."""
    logs: DnsLabel | None = None
    """The bucket of its access logs; a bucket that receives logs has none."""
    receives_logs: bool = False
    """Load balancers, CloudFront and the other buckets write their access logs here."""
    force_destroy: bool = False
    """Whether a deletion of the bucket also deletes its objects."""

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        return {secret_variable(name, "bucket"): self.name}

    def needs(self) -> tuple[str, ...]:
        return (self.logs,) if self.logs else ()

    @model_validator(mode="after")
    def _logged(self) -> Bucket:
        if self.receives_logs == bool(self.logs):
            raise ValueError("give it 'logs' (the bucket of its access logs) or 'receivesLogs: true'")
        return self
