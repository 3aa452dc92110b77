"""The statement of a kind's workloads: pods, containers, volumes, Services and ports, each stated once.

Volumes, the peak demand, the quota, the ports of NetworkPolicies and Istio's protocols are computed from the statement. It is
also part of the ``Environment`` component's inputs, where policies and parity look up the declared value behind an object's
field. A statement refers to a declared value by its dotted path in the component, as YAML spells it: ``backup.storage``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Literal

Controller = Literal["Deployment", "StatefulSet", "Job", "CronJob"]
Protocol = Literal["http", "grpc"]


@dataclass(frozen=True)
class PortSpec:
    """A TCP port that a container listens on."""

    name: str
    number: int
    protocol: Protocol | None = None
    """The application protocol in a mesh; ``None`` where Istio knows it by the port's name, or where it is plain TCP."""
    clients: bool = True
    """Whether other pods connect to it. A port for probes alone is in no Service and in no NetworkPolicy."""


@dataclass(frozen=True)
class ContainerSpec:
    """A container of a workload's pods."""

    name: str
    resources: str = "resources"
    """Path of its CPU and memory."""
    ports: tuple[PortSpec, ...] = ()
    init: bool = False
    """Whether it ends before the other containers start; the pod then needs no additional resources for it."""


@dataclass(frozen=True)
class ClaimSpec:
    """A PersistentVolumeClaim of each pod, named ``<volume>-<workload>-<index>``."""

    volume: str
    size: str
    """Path of its size."""


@dataclass(frozen=True)
class WorkloadSpec:
    """A controller and its pods."""

    name: str
    """Name of the object; the name of a Job's object has a checksum behind it (``<name>-<checksum>``)."""
    controller: Controller
    containers: tuple[ContainerSpec, ...]
    role: str = "server"
    """Value of the pods' label ``app.kubernetes.io/component``."""
    pods: int = 1
    """Number of pods at the peak, without those of a rollout."""
    replicas: str | None = None
    """Path of the declared number of pods; ``None`` where it is not declared: the object then has ``pods``."""
    minimum: str | None = None
    """Path of an autoscaler's smallest number of pods; ``replicas`` is then the path of its largest."""
    surge: int = 0
    """Additional pods during a rollout."""
    claims: tuple[ClaimSpec, ...] = ()
    services: tuple[str, ...] = ()
    """Names of the Services that lead to the pods."""

    @property
    def ends(self) -> bool:
        """Returns whether the pods run to completion."""
        return self.controller in ("Job", "CronJob")

    def volumes(self) -> Iterator[tuple[str, str]]:
        """Yields names of the PersistentVolumeClaims with the paths of their sizes, ordered by volume, then by pod."""
        for claim in self.claims:
            for index in range(self.pods):
                yield f"{claim.volume}-{self.name}-{index}", claim.size


@dataclass(frozen=True)
class Statement:
    """The statement of one component."""

    workloads: tuple[WorkloadSpec, ...] = ()
    backup: str | None = None
    """Path of the field that declares its backup, for a store whose data exist nowhere else."""


def as_inputs(spec: Any) -> Any:
    """Returns a statement as plain data, without fields that have their default value.

    The claims of a workload become ``volumes``: each PersistentVolumeClaim's name with the path of its size.
    """
    if isinstance(spec, tuple):
        return [as_inputs(item) for item in spec]
    if isinstance(spec, str | int | None):
        return spec
    values = {field.name: value for field in fields(spec) if (value := getattr(spec, field.name)) != field.default}
    volumes = {"volumes": dict(spec.volumes())} if values.pop("claims", None) else {}
    return {**{name: as_inputs(value) for name, value in values.items()}, **volumes}
