"""Basic models and types of all kinds of components."""

from __future__ import annotations

import re
from decimal import Decimal
from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

from .quantity import Cpu, Duration, Memory, Storage
from .scaling import Scales


class Model(BaseModel):
    """Immutable, without unknown keys; keys are in camelCase in YAML."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        defer_build=True,  # most models are only parts of others and are not validated alone
    )


DnsLabel = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
"""A Kubernetes name (RFC 1123 label): lower case, at most 63 characters."""
Hostname = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
]
"""A DNS name in lower case."""
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Cidr = Annotated[
    str,
    AfterValidator(lambda text: str(IPv4Network(text))),
    Field(description="an IPv4 network such as 10.0.0.0/16"),
]


def _text(value: object) -> object:
    """Returns YAML's number or boolean as text: the values of a ConfigMap are strings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float | Decimal) else value


Text = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number", "boolean"]})]
"""A string; numbers and booleans become the text that Kubernetes' ConfigMaps need, ``"90"`` and ``"true"``."""


def _quorum(value: int) -> int:
    if value < 3 or value % 2 == 0:
        raise ValueError("a quorum has an odd number of members, at least 3")
    return value


Members = Annotated[int, AfterValidator(_quorum), Scales("members")]
"""Members of a quorum: odd, at least 3. They are topology, so a smaller environment keeps them."""
CpuAmount = Annotated[Cpu | None, Scales("cpu", floor="10m")]
MemoryAmount = Annotated[Memory | None, Scales("memory", floor="32M")]
StorageAmount = Annotated[Storage, Scales("storage", floor="1G")]
Retention = Annotated[Duration, Scales("retention", floor="1d")]
Replicas = Annotated[int, Field(ge=1), Scales("replicas", floor=1)]
Cron = Annotated[str, StringConstraints(pattern=r"^(@(hourly|daily|weekly|monthly)|\S+( \S+){4})$")]
"""Five fields of cron, or ``@hourly``, ``@daily``, ``@weekly``, ``@monthly``; UTC."""
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=8)]
"""The reason of a difference, for readers; at least eight characters."""


class Amounts(Model):
    """CPU (cores) and memory (bytes) of one container."""

    cpu: CpuAmount = None
    memory: MemoryAmount = None

    @model_validator(mode="after")
    def _plausible(self) -> Self:
        if self.memory is not None and self.memory.value < 1_000_000:
            raise ValueError(f"memory {self.memory} is that many bytes; write {self.memory}M or {self.memory}G")
        return self


class Resources(Model):
    """Requests and limits of a container; a request above its limit is refused."""

    requests: Amounts
    limits: Amounts

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for name in ("cpu", "memory"):
            request, limit = getattr(self.requests, name), getattr(self.limits, name)
            if request is not None and limit is not None and request > limit:
                raise ValueError(f"{name}: the request {request} is above the limit {limit}")
        return self

    def with_container(self, other: Resources) -> Resources:
        """Returns the sum of a pod's two containers."""

        def total(part: str) -> Amounts:
            amounts = {}
            for name in ("cpu", "memory"):
                mine, more = getattr(getattr(self, part), name), getattr(getattr(other, part), name)
                amounts[name] = mine + more if mine is not None and more is not None else mine or more
            return Amounts(**amounts)

        return Resources(requests=total("requests"), limits=total("limits"))


def resources(cpu: str, cpu_limit: str, memory: str, memory_limit: str) -> Resources:
    """Returns resources from four quantities; for defaults of kinds."""
    return Resources(
        requests=Amounts(cpu=Cpu.parse(cpu), memory=Memory.parse(memory)),
        limits=Amounts(cpu=Cpu.parse(cpu_limit), memory=Memory.parse(memory_limit)),
    )


class Range(Model):
    """Replicas of an autoscaled workload."""

    min: Replicas
    max: Replicas

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class SecretKey(Model):
    """A key of one of the system's secrets."""

    secret: DnsLabel
    key: str


def secret_variable(name: str, suffix: str) -> str:
    """Converts ``redis``, ``password`` to ``REDIS_PASSWORD``."""
    return f"{name}-{suffix}".upper().replace("-", "_")


def version(pattern: str, *series: str) -> AfterValidator:
    """Returns a validator of pinned versions: of a known series, with the patch number."""

    def check(written: str) -> str:
        match = re.fullmatch(pattern, written)
        if match is None or match[1] not in series:
            raise ValueError(f"unknown version; known: {', '.join(series)}, each with its patch number")
        return written

    return AfterValidator(check)


Level = Literal["debug", "info", "warning", "error"]
