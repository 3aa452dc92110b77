"""Databases and caches that run in the namespace."""

from __future__ import annotations

from typing import Literal

from ..base import Demand, Members, Resources, Stateful, Text, resources, secret_variable
from ..quantity import Duration


class CockroachDB(Stateful):
    """A CockroachDB cluster; isolation is serializable, as CockroachDB's always is."""

    kind: Literal["cockroachdb"]
    nodes: Members = 3
    database: Text
    isolation: Literal["serializable"] = "serializable"
    query_execution_logging: bool = False
    query_tracing: bool = False
    performance_statistics: bool = True
    slow_query_threshold: Duration = Duration.parse("500ms")

    def ports(self) -> dict[str, int]:
        return {"sql": 26257, "http": 8080}

    def service_name(self, name: str) -> str:
        return f"{name}-public"

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        return {**super().environment(name, namespace), secret_variable(name, "database"): self.database}

    def metrics_port(self) -> int:
        return 8080


class PostgreSQL(Stateful):
    """PostgreSQL: one node, or a primary and standbys."""

    kind: Literal["postgresql"]
    database: Text
    extensions: tuple[str, ...] = ("pg_stat_statements",)
    backup_schedule: str | None = None

    def ports(self) -> dict[str, int]:
        return {"sql": 5432, "metrics": 9187}

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        return {**super().environment(name, namespace), secret_variable(name, "database"): self.database}


class Redis(Stateful):
    """Redis: one master, the other nodes replicas, with Sentinel for failover."""

    kind: Literal["redis"]
    nodes: Members = 3
    sentinel: bool = True
    sentinel_resources: Resources = resources("50m", "100m", "64M", "128M")
    proxy_resources: Resources = resources("50m", "200m", "64M", "128M")
    append_fsync: Literal["always", "everysec", "no"] = "everysec"
    log_level: Literal["debug", "verbose", "notice", "warning"] = "notice"
    latency_monitor_threshold: Duration = Duration.parse("100ms")

    def ports(self) -> dict[str, int]:
        return {"redis": 6379, "sentinel": 26379, "metrics": 9121}

    def service_name(self, name: str) -> str:
        return f"{name}-master"

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        sentinel = {secret_variable(name, "sentinel-host"): f"{name}-sentinel.{namespace}.svc.cluster.local"}
        return {**super().environment(name, namespace), **(sentinel if self.sentinel and not self.existing else {})}

    def demand(self) -> tuple[Demand, ...]:
        sentinels = (Demand(pods=self.nodes, resources=self.sentinel_resources),) if self.sentinel else ()
        return (*super().demand(), *sentinels, Demand(pods=2, surge=1, resources=self.proxy_resources))
