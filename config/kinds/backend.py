"""Common fields of the backends of metrics, logs and traces."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from config.model.base import Resources, StorageAmount, Text, resources
from config.model.component import Component
from config.model.workloads import ClaimSpec, ContainerSpec, PortSpec, WorkloadSpec


class Backend(Component):
    """One pod behind a Service, restarted in place."""

    version: Text
    image: str
    """Without a tag: the tag is the field ``version``."""
    resources: Resources

    init_containers: ClassVar[tuple[str, ...]] = ()
    """Names of the containers that run before the backend; each has its CPU and memory."""

    @abstractmethod
    def listens(self) -> tuple[PortSpec, ...]:
        """Returns ports of the backend's container; clients use the first."""

    def workloads(self, name: str) -> tuple[WorkloadSpec, ...]:
        before = [ContainerSpec(container, init=True) for container in self.init_containers]
        containers = (*before, ContainerSpec(name, ports=self.listens()))
        return (WorkloadSpec(name, "Deployment", containers, claims=self._claims(), services=(name,)),)

    def _claims(self) -> tuple[ClaimSpec, ...]:
        return ()


class BackendWithSetupJob(Backend):
    """A backend that a Job sets up through its API."""

    helper_resources: Resources = resources("50m", "500m", "64M", "256M")

    def workloads(self, name: str) -> tuple[WorkloadSpec, ...]:
        setup = (ContainerSpec("setup", "helperResources"),)
        return (*super().workloads(name), WorkloadSpec(f"{name}-setup", "Job", setup, role="job", surge=1))


class PersistentBackend(Backend):
    """A backend with a volume."""

    storage: StorageAmount
    """Volumes can grow, and not shrink."""

    def _claims(self) -> tuple[ClaimSpec, ...]:
        return (ClaimSpec("data", "storage"),)
