"""The pieces every component kind is made of."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache, reduce
from ipaddress import IPv4Network
from typing import Annotated, Any, ClassVar, Literal, Self

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
from .workloads import PortSpec, Statement, WorkloadSpec


class Model(BaseModel):
    """Frozen, no unknown keys; written in camelCase in YAML."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        defer_build=True,  # most models are only parts of others, and never validate by themselves
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
"""A string; numbers and booleans are written as Kubernetes' ConfigMaps need them, ``"90"`` and ``"true"``."""


def _quorum(value: int) -> int:
    if value < 3 or value % 2 == 0:
        raise ValueError("a quorum has an odd number of members, at least 3")
    return value


Members = Annotated[int, AfterValidator(_quorum), Scales("members")]
"""Members of a quorum: odd, at least 3; topology, so a smaller environment keeps them."""
CpuAmount = Annotated[Cpu | None, Scales("cpu", floor="10m")]
MemoryAmount = Annotated[Memory | None, Scales("memory", floor="32M")]
StorageAmount = Annotated[Storage, Scales("storage", floor="1G")]
Retention = Annotated[Duration, Scales("retention", floor="1d")]
Replicas = Annotated[int, Field(ge=1), Scales("replicas", floor=1)]
Cron = Annotated[str, StringConstraints(pattern=r"^(@(hourly|daily|weekly|monthly)|\S+( \S+){4})$")]
"""Five fields of cron, or ``@hourly``, ``@daily``, ``@weekly``, ``@monthly``; UTC."""
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=8)]
"""Why something differs, for a reader; at least eight characters."""


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
        """The sum of a pod's two containers."""

        def total(part: str) -> Amounts:
            amounts = {}
            for name in ("cpu", "memory"):
                mine, more = getattr(getattr(self, part), name), getattr(getattr(other, part), name)
                amounts[name] = mine + more if mine is not None and more is not None else mine or more
            return Amounts(**amounts)

        return Resources(requests=total("requests"), limits=total("limits"))


def resources(cpu: str, cpu_limit: str, memory: str, memory_limit: str) -> Resources:
    """Resources from four written quantities; for defaults of kinds."""
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


class Egress(Model):
    """A destination outside the namespace that a component may reach; NetworkPolicies know networks, not host names."""

    cidr: Cidr
    ports: tuple[Port, ...] = (443,)
    because: Reason


class Existing(Model):
    """A component that is managed elsewhere: it is used, and not created."""

    host: Hostname
    port: Port
    cidr: Cidr | None = None
    """The network it answers from, for the NetworkPolicies."""


class Demand(Model):
    """Resources that a component's pods need in the namespace at their peak; volumes are per pod."""

    pods: int
    surge: int = 0
    """Extra pods during a rolling update."""
    resources: Resources
    volumes: tuple[Storage, ...] = ()
    claims: tuple[Storage, ...] = ()
    """Volumes that are not a pod's own."""
    services: int = 1
    each_node: bool = False
    """Whether ``pods`` and ``surge`` are counted on each node."""


class Component(Model):
    """Base model of all kinds."""

    kind: str
    title: str | None = None
    """The name that tables for people use; default: the component's key."""
    existing: Existing | None = None
    """Points to one that we do not manage, instead of creating it."""
    uses: tuple[DnsLabel, ...] = ()
    """Components this one talks to: yields its environment variables, credentials and network rules."""
    needs_kubernetes_api: bool = Field(default=False, alias="needsKubernetesAPI")
    """Lets the component reach the API server (declared CIDRs); nothing else may."""
    egress: tuple[Egress, ...] = ()

    clustered: ClassVar[bool] = False
    """Whether the component's own pods connect to each other."""
    namespaced: ClassVar[bool] = True
    """False for kinds that live outside the cluster (managed stores, buckets, hosts of others)."""
    layer: ClassVar[Literal["platform", "application"]] = "application"
    """The lifecycle to which it belongs: the platform's or the application's."""
    after: ClassVar[tuple[str, ...]] = ()
    """Kinds that are made before this one, where the system has them."""
    backup_field: ClassVar[str | None] = None
    """The field that declares a backup, for kinds whose data cannot be made again."""
    metric_prefixes: ClassVar[tuple[str, ...]] = ()
    """Beginnings of the names of the series that the kind exposes, or adds to Prometheus."""

    @model_validator(mode="after")
    def _one_name_a_port(self) -> Self:
        names: dict[int, str] = {}
        for name, number in self.ports().items():
            if number in names:
                raise ValueError(f"port {number} is both {names[number]!r} and {name!r}: one of them cannot listen")
            names[number] = name
        return self

    def needs(self) -> tuple[str, ...]:
        """Components that are made before it besides those it uses."""
        return ()

    def charts_used(self) -> dict[str, str]:
        """Helm chart to version, of each that the component is made of."""
        return {}

    def workloads(self, name: str) -> tuple[WorkloadSpec, ...]:
        """States the workloads of component ``name``; none for kinds without pods of their own in the namespace."""
        return ()

    def statement(self, name: str) -> Statement:
        """The statement of component ``name``: its workloads, and where its backup is declared."""
        return Statement(self.workloads(name), self.backup_field)

    def declared(self, path: str) -> Any:
        """Returns the value at a dotted path, as YAML spells it, such as ``resources.limits.cpu``."""
        node: Any = self
        for part in path.split("."):
            model: type[BaseModel] = type(node)
            node = getattr(node, _attributes(model)[part])
        return node

    def ports(self) -> dict[str, int]:
        """Ports the component's pods listen on, by name; the first is the one its clients use."""
        return {port.name: port.number for port in self._port_specs()}

    def protocol(self, port: str) -> str | None:
        """The application protocol of a port that Istio does not know by the port's name."""
        return next((spec.protocol for spec in self._port_specs() if spec.name == port), None)

    def _port_specs(self) -> list[PortSpec]:
        containers = [container for workload in self.workloads("") for container in workload.containers]
        return [port for container in containers for port in container.ports if port.clients]

    hosts_of_aws: ClassVar[tuple[str, ...]] = ()
    """Services of AWS that its pods call, as the first part of their names: ``rds`` for ``rds.<region>.amazonaws.com``."""
    has_reader: ClassVar[bool] = False
    """Whether the store has a separate endpoint for read-only clients."""

    def service_name(self, name: str) -> str:
        """The Kubernetes Service that clients of component ``name`` connect to."""
        return name

    def host(self, name: str, namespace: str) -> str:
        """Returns the host name under which clients reach component ``name``."""
        return self.existing.host if self.existing else f"{self.service_name(name)}.{namespace}.svc.cluster.local"

    def port(self) -> int | None:
        """The port its clients use, ``None`` when nothing connects to it."""
        return self.existing.port if self.existing else next(iter(self.ports().values()), None)

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        """Environment variables that a user of component ``name`` receives."""
        prefix = name.upper().replace("-", "_")
        port = self.port()
        return {f"{prefix}_HOST": self.host(name, namespace), f"{prefix}_PORT": str(port)} if port else {}

    def credentials(self, name: str) -> dict[str, SecretKey]:
        """Environment variables that a user of component ``name`` receives from secrets."""
        return {}

    def secrets_read(self) -> tuple[str, ...]:
        """Secrets the component itself reads."""
        return ()

    def helpers(self, name: str) -> tuple[str, ...]:
        """``app`` labels of Jobs that set the component up, rotate its passwords or back it up."""
        return tuple(workload.name for workload in self.workloads(name) if workload.ends and workload.name != name)

    def trusted(self, name: str) -> str | None:
        """The Secret whose ``ca.crt`` verifies the component; ``None`` when it does not use TLS."""
        return None

    def volumes(self, name: str) -> dict[str, Storage]:
        """PersistentVolumeClaim to size, of every volume of component ``name``."""
        claims = [claim for workload in self.workloads(name) for claim in workload.volumes()]
        return {claim: self.declared(size) for claim, size in claims}

    def demand(self) -> tuple[Demand, ...]:
        """Returns what its pods need at their peak; nothing for components outside of the namespace."""
        return tuple(self._demand(workload) for workload in self.workloads(self.kind))

    def _demand(self, workload: WorkloadSpec) -> Demand:
        containers = [self.declared(spec.resources) for spec in workload.containers if not spec.init]
        return Demand(
            pods=workload.pods,
            surge=workload.surge,
            resources=reduce(Resources.with_container, containers),
            volumes=tuple(self.declared(claim.size) for claim in workload.claims),
            services=len(workload.services),
        )

    def metrics_port(self) -> int | None:
        """Returns the port that Prometheus scrapes; ``None`` when the pods expose no metrics."""
        return self.ports().get("metrics")


@cache
def _attributes(model: type[BaseModel]) -> dict[str, str]:
    """Spelling in YAML to attribute, of each field."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


def secret_variable(name: str, suffix: str) -> str:
    """``redis``, ``password`` -> ``REDIS_PASSWORD``."""
    return f"{name}-{suffix}".upper().replace("-", "_")


def version(pattern: str, *series: str) -> AfterValidator:
    """A validator of pinned versions: of a known series, and exact to the patch."""

    def check(written: str) -> str:
        match = re.fullmatch(pattern, written)
        if match is None or match[1] not in series:
            raise ValueError(f"unknown version; known: {', '.join(series)}, each with its patch number")
        return written

    return AfterValidator(check)


Level = Literal["debug", "info", "warning", "error"]
