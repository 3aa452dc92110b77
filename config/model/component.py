"""The base model of all kinds of components."""

from __future__ import annotations

from functools import cache, reduce
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, Field, model_validator

from .base import Cidr, DnsLabel, Hostname, Model, Port, Reason, Resources, SecretKey
from .quantity import Storage
from .workloads import PortSpec, Statement, WorkloadSpec


class Egress(Model):
    """A destination outside the namespace that a component may reach; NetworkPolicies select networks, not host names."""

    cidr: Cidr
    ports: tuple[Port, ...] = (443,)
    because: Reason


class Existing(Model):
    """A component that is managed elsewhere: it is used, and not created."""

    host: Hostname
    port: Port
    cidr: Cidr | None = None
    """The network of its addresses, for the NetworkPolicies."""


class Demand(Model):
    """Resources that a component's pods need in the namespace at their peak; volumes are per pod."""

    pods: int
    surge: int = 0
    """Extra pods during a rolling update."""
    resources: Resources
    volumes: tuple[Storage, ...] = ()
    claims: tuple[Storage, ...] = ()
    """Volumes that do not belong to a pod."""
    services: int = 1
    each_node: bool = False
    """Whether ``pods`` and ``surge`` are counted on each node."""


class Component(Model):
    """Base model of all kinds."""

    kind: str
    title: str | None = None
    """The name in tables for people; default: the component's key."""
    existing: Existing | None = None
    """The address of a component that is managed elsewhere, instead of a new one."""
    uses: tuple[DnsLabel, ...] = ()
    """Components that this one connects to: it receives their environment variables, credentials and network rules."""
    needs_kubernetes_api: bool = Field(default=False, alias="needsKubernetesAPI")
    """Lets the component reach the API server (declared CIDRs); no other component may."""
    egress: tuple[Egress, ...] = ()

    clustered: ClassVar[bool] = False
    """Whether the component's own pods connect to each other."""
    namespaced: ClassVar[bool] = True
    """False for kinds outside the cluster (managed stores, buckets, external hosts)."""
    layer: ClassVar[Literal["platform", "application"]] = "application"
    """The lifecycle of the kind: the platform's or the application's."""
    after: ClassVar[tuple[str, ...]] = ()
    """Kinds that are created before this one, where the system has them."""
    backup_field: ClassVar[str | None] = None
    """The field that declares a backup; ``None`` for kinds whose data need none."""
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
        """Returns components that are created before it besides those that it uses."""
        return ()

    def charts_used(self) -> dict[str, str]:
        """Returns Helm chart to version, for each chart of the component."""
        return {}

    def workloads(self, name: str) -> tuple[WorkloadSpec, ...]:
        """Returns the workloads of component ``name``; none for kinds without pods of their own in the namespace."""
        return ()

    def statement(self, name: str) -> Statement:
        """Returns the statement of component ``name``: its workloads, and where its backup is declared."""
        return Statement(self.workloads(name), self.backup_field)

    def declared(self, path: str) -> Any:
        """Returns the value at a dotted path, as YAML spells it, such as ``resources.limits.cpu``."""
        node: Any = self
        for part in path.split("."):
            model: type[BaseModel] = type(node)
            node = getattr(node, _attributes(model)[part])
        return node

    def ports(self) -> dict[str, int]:
        """Returns ports that the component's pods listen on, by name; clients use the first."""
        return {port.name: port.number for port in self._port_specs()}

    def protocol(self, port: str) -> str | None:
        """Returns the application protocol of a port that Istio does not know by the port's name."""
        return next((spec.protocol for spec in self._port_specs() if spec.name == port), None)

    def _port_specs(self) -> list[PortSpec]:
        containers = [container for workload in self.workloads("") for container in workload.containers]
        return [port for container in containers for port in container.ports if port.clients]

    hosts_of_aws: ClassVar[tuple[str, ...]] = ()
    """AWS services that its pods call, as the first part of their host names: ``rds`` for ``rds.<region>.amazonaws.com``."""
    has_reader: ClassVar[bool] = False
    """Whether the store has a separate endpoint for read-only clients."""

    def service_name(self, name: str) -> str:
        """Returns the Kubernetes Service that clients of component ``name`` connect to."""
        return name

    def host(self, name: str, namespace: str) -> str:
        """Returns the host name under which clients reach component ``name``."""
        return self.existing.host if self.existing else f"{self.service_name(name)}.{namespace}.svc.cluster.local"

    def port(self) -> int | None:
        """Returns the port that clients use, ``None`` when nothing connects to it."""
        return self.existing.port if self.existing else next(iter(self.ports().values()), None)

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        """Returns environment variables that a user of component ``name`` receives."""
        prefix = name.upper().replace("-", "_")
        port = self.port()
        return {f"{prefix}_HOST": self.host(name, namespace), f"{prefix}_PORT": str(port)} if port else {}

    def credentials(self, name: str) -> dict[str, SecretKey]:
        """Returns environment variables that a user of component ``name`` receives from secrets."""
        return {}

    def secrets_read(self) -> tuple[str, ...]:
        """Returns the secrets that the component itself reads."""
        return ()

    def helpers(self, name: str) -> tuple[str, ...]:
        """Returns ``app`` labels of Jobs that set the component up, rotate its passwords or back it up."""
        return tuple(workload.name for workload in self.workloads(name) if workload.ends and workload.name != name)

    def trusted(self, name: str) -> str | None:
        """Returns the Secret whose ``ca.crt`` verifies the component; ``None`` when it does not use TLS."""
        return None

    def volumes(self, name: str) -> dict[str, Storage]:
        """Returns PersistentVolumeClaim to size, for every volume of component ``name``."""
        claims = [claim for workload in self.workloads(name) for claim in workload.volumes()]
        return {claim: self.declared(size) for claim, size in claims}

    def demand(self) -> tuple[Demand, ...]:
        """Returns what its pods need at their peak; empty for components outside of the namespace."""
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
    """Returns spelling in YAML to attribute, of each field."""
    return {field.alias or name: name for name, field in model.model_fields.items()}
