"""Redis."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.model.base import Members, Resources, SecretKey, Text, resources, secret_variable, version
from config.model.quantity import Duration, Storage
from config.model.scaling import Scales
from config.model.workloads import ClaimSpec, ContainerSpec, PortSpec, WorkloadSpec

from .stateful import Stateful


class Redis(Stateful):
    """Redis: one master, the other nodes replicas, with Sentinel for failover; or a single node without."""

    backup_field = None
    metric_prefixes = ("redis_",)

    kind: Literal["redis"]
    version: Annotated[Text, version(r"(\d+\.\d+)\.\d+", "7.0", "7.2", "7.4", "8.0", "8.2")]
    image: str = "redis"
    nodes: Annotated[int, Field(ge=1), Scales("members")] = 3
    sentinel: bool = True
    sentinels: Members = 3
    """Number of Sentinels; a majority of them decides on a failover."""
    sentinel_resources: Resources = resources("50m", "100m", "64M", "128M")
    sentinel_storage: Storage = Storage.parse("1G")
    """Per Sentinel; its knowledge of the master survives a restart of all pods."""
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
            raise ValueError("without Sentinel no replica is promoted: nodes is 1, or sentinel is true")
        return self

    @model_validator(mode="after")
    def _passwords(self) -> Self:
        if not self.existing and not (self.password and self.internal_password):
            raise ValueError("password and internalPassword are missing: clients could not authenticate")
        if self.password and self.password == self.internal_password:
            raise ValueError("password and internalPassword are one key: its users would command the failover")
        return self

    @property
    def quorum(self) -> int:
        """Returns the number of Sentinels that must agree: a majority."""
        return self.sentinels // 2 + 1

    def service_name(self, name: str) -> str:
        return f"{name}-master" if self.sentinel else name

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        sentinel = {secret_variable(name, "sentinel-host"): f"{name}-sentinel.{namespace}.svc.cluster.local"}
        return {**super().environment(name, namespace), **(sentinel if self.sentinel and not self.existing else {})}

    def secrets_read(self) -> tuple[str, ...]:
        return tuple(sorted({key.secret for key in (self.password, self.internal_password) if key}))

    def workloads(self, name: str) -> tuple[WorkloadSpec, ...]:
        redis = PortSpec("redis", 6379)
        headless = f"{name}{'' if self.sentinel else '-nodes'}"
        services = (headless, *(f"{name}-{index}" for index in range(self.nodes)))
        node = WorkloadSpec(
            name,
            "StatefulSet",
            (
                ContainerSpec(name, ports=(redis,)),
                ContainerSpec("exporter", "exporterResources", (PortSpec("metrics", 9121, "http"),)),
            ),
            role="node",
            pods=self.nodes,
            replicas="nodes",
            claims=(ClaimSpec("data", "storage"),),
            services=services if self.sentinel else (*services, name),
        )
        rotation = (ContainerSpec("rotation", "helperResources"),)
        helper = WorkloadSpec(f"{name}-rotation", "Job", rotation, role="job", surge=1)
        if not self.sentinel:
            return (node, helper)
        proxied = (redis, PortSpec("replicas", 6380), PortSpec("health", 8404, clients=False))
        proxy = WorkloadSpec(
            f"{name}-proxy",
            "Deployment",
            (ContainerSpec("proxy", "proxyResources", proxied),),
            role="proxy",
            pods=self.proxies,
            replicas="proxies",
            surge=1,
            services=(f"{name}-master", f"{name}-replicas"),
        )
        watched = f"{name}-sentinel"
        sentinel = WorkloadSpec(
            watched,
            "StatefulSet",
            (ContainerSpec("sentinel", "sentinelResources", (PortSpec("sentinel", 26379),)),),
            role="sentinel",
            pods=self.sentinels,
            replicas="sentinels",
            claims=(ClaimSpec("data", "sentinelStorage"),),
            services=(watched, *(f"{watched}-{index}" for index in range(self.sentinels))),
        )
        return (node, helper, proxy, sentinel)
