"""The CloudWatch metrics that are exported for each managed store, from each service's documented list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Statistic = Literal["Average", "Maximum", "Minimum", "Sum"]


@dataclass(frozen=True)
class Reading:
    """The exported metrics of one kind of store."""

    namespace: str
    """CloudWatch's namespace."""
    prefix: str
    """Name prefix of the series: the exporter writes ``aws_<namespace>_<metric>_<statistic>`` in snake case."""
    metrics: Mapping[str, Statistic]
    """CloudWatch's metric to the statistic that is read."""

    def series(self, metric: str) -> str:
        """Returns the name under which Prometheus stores the metric."""
        return f"aws_{self.prefix}_{_snake(metric)}_{self.metrics[metric].lower()}"


def _snake(name: str) -> str:
    """Converts a name as the exporter's ``PromString`` does: a capital after a small letter begins a word."""
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name.replace(".", "_")).lower()


READ: Mapping[str, Reading] = {
    # Amazon Aurora User Guide, "Amazon CloudWatch metrics for Amazon Aurora"
    "aurora": Reading(
        "AWS/RDS",
        "rds",
        {
            "CPUUtilization": "Average",
            "DatabaseConnections": "Average",
            "FreeableMemory": "Minimum",
            "AuroraReplicaLagMaximum": "Maximum",
            "CommitLatency": "Average",
            "Deadlocks": "Sum",
        },
    ),
    # Amazon DocumentDB Developer Guide, "Monitoring Amazon DocumentDB with CloudWatch"
    "documentdb": Reading(
        "AWS/DocDB",
        "docdb",
        {
            "CPUUtilization": "Average",
            "DatabaseConnections": "Average",
            "FreeableMemory": "Minimum",
            "DBClusterReplicaLagMaximum": "Maximum",
        },
    ),
    # Amazon ElastiCache User Guide, "Metrics for Valkey and Redis OSS"
    "elasticache": Reading(
        "AWS/ElastiCache",
        "elasticache",
        {
            "EngineCPUUtilization": "Average",
            "DatabaseMemoryUsagePercentage": "Average",
            "Evictions": "Sum",
            "ReplicationLag": "Maximum",
            "CacheHits": "Sum",
            "CacheMisses": "Sum",
        },
    ),
    # Amazon MSK Developer Guide, "Amazon MSK metrics for monitoring with CloudWatch"
    "msk": Reading(
        "AWS/Kafka",
        "kafka",
        {
            "CpuUser": "Average",
            "KafkaDataLogsDiskUsed": "Maximum",
            "UnderReplicatedPartitions": "Maximum",
            "OfflinePartitionsCount": "Maximum",
            "ActiveControllerCount": "Maximum",
        },
    ),
    # Amazon OpenSearch Service Developer Guide, "Monitoring OpenSearch cluster metrics with Amazon CloudWatch"
    "opensearch": Reading(
        "AWS/ES",
        "es",
        {
            "ClusterStatus.red": "Maximum",
            "ClusterStatus.yellow": "Maximum",
            "CPUUtilization": "Maximum",
            "FreeStorageSpace": "Minimum",
            "JVMMemoryPressure": "Maximum",
        },
    ),
}
"""Kind to its exported metrics."""
