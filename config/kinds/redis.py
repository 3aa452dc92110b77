"""Redis."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.model.base import Demand, Members, Resources, SecretKey, Text, resources, secret_variable, version
from config.model.quantity import Duration, Storage
from config.model.scaling import Scales

from .stateful import Stateful


class Redis(Stateful):
    """Redis: one master, the other nodes replicas, with Sentinel for failover; or a single node without."""

    kind: Literal["redis"]
    version: Annotated[Text, version(r"(\d+\.\d+)\.\d+", "7.0", "7.2", "7.4", "8.0", "8.2")]
    image: str = "redis"
    nodes: Annotated[int, Field(ge=1), Scales("members")] = 3
    sentinel: bool = True
    sentinels: Members = 3
    """Number of Sentinels; a majority of them decides on a failover."""
    sentinel_resources: Resources = resources("50m", "100m", "64M", "128M")
    sentinel_storage: Storage = Storage.parse("1G")
    """Per Sentinel; what it knows of the master outlives a restart of everything."""
    proxy: Text = "2.8.14"
    """Version of HAProxy."""
    proxies: Annotated[int, Field(ge=1)] = 2
    proxy_resources: Resources = resources("50m", "200m", "64M", "128M")
    exporter: Text = "v1.66.0"
    """Version of redis_exporter."""
    exporter_resources: Resources = resources("20m", "100m", "32M", "64M")
    internal_password: SecretKey | None = None
    """Password of replication, Sentinel, proxy and exporter; clients of the data do not receive it."""
    append_fsync: Literal["always", "everysec", "no"] = "everysec"
    log_level: Literal["debug", "verbose", "notice", "warning"] = "notice"
    latency_monitor_threshold: Duration = Duration.parse("100ms")

    @model_validator(mode="after")
    def _quorum(self) -> Self:
        if self.sentinel and (self.nodes < 3 or self.nodes % 2 == 0):
            raise ValueError(
                "with Sentinel, nodes are odd and at least 3: writes need a replica that is not failing over"
            )
        if not self.sentinel and self.nodes != 1:
            raise ValueError("without Sentinel nobody promotes a replica: nodes is 1, or sentinel is true")
        return self

    @model_validator(mode="after")
    def _passwords(self) -> Self:
        if not self.existing and not (self.password and self.internal_password):
            raise ValueError("password and internalPassword are missing: nobody connects without one")
        if self.password and self.password == self.internal_password:
            raise ValueError("password and internalPassword are one key: its users would command the failover")
        return self

    @property
    def quorum(self) -> int:
        """Sentinels that must agree: a majority."""
        return self.sentinels // 2 + 1

    def ports(self) -> dict[str, int]:
        single = {"redis": 6379, "metrics": 9121}
        return {**single, "replicas": 6380, "sentinel": 26379} if self.sentinel else single

    def service_name(self, name: str) -> str:
        return f"{name}-master" if self.sentinel else name

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        sentinel = {secret_variable(name, "sentinel-host"): f"{name}-sentinel.{namespace}.svc.cluster.local"}
        return {**super().environment(name, namespace), **(sentinel if self.sentinel and not self.existing else {})}

    def secrets_read(self) -> tuple[str, ...]:
        return tuple(sorted({key.secret for key in (self.password, self.internal_password) if key}))

    def helpers(self, name: str) -> tuple[str, ...]:
        return (f"{name}-rotation",)

    def volumes(self, name: str) -> dict[str, Storage]:
        count = self.sentinels if self.sentinel else 0
        sentinels = {f"data-{name}-sentinel-{index}": self.sentinel_storage for index in range(count)}
        return {**super().volumes(name), **sentinels}

    def demand(self) -> tuple[Demand, ...]:
        node = self.resources.with_container(self.exporter_resources)
        demands = [
            Demand(pods=self.nodes, resources=node, volumes=(self.storage,), services=2 + self.nodes),
            Demand(pods=1, surge=1, resources=self.helper_resources, services=0),
        ]
        if self.sentinel:
            storage = (self.sentinel_storage,)
            services = 1 + self.sentinels
            demands += [
                Demand(pods=self.sentinels, resources=self.sentinel_resources, volumes=storage, services=services),
                Demand(pods=self.proxies, surge=1, resources=self.proxy_resources, services=1),
            ]
        return tuple(demands)
