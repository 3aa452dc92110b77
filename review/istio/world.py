"""A mesh as its objects describe it: future pods, Services that select them, and known hosts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from config.model.charts import chart_name

from ..graph import RELEASE, Node

Object = Mapping[str, Any]
_TEMPLATES = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


def name(body: Object) -> str:
    return str(body["metadata"]["name"])


def namespace(body: Object) -> str:
    return str(body["metadata"].get("namespace", ""))


def at(value: Any, *path: str) -> Any:
    """Returns the value, ``None`` where a part of the path is missing."""
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


@dataclass(frozen=True)
class Pod:
    """The pods of one workload."""

    workload: str
    namespace: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)

    def matches(self, selector: Mapping[str, str] | None) -> bool:
        """Returns whether it has every label."""
        return all(self.labels.get(key) == value for key, value in (selector or {}).items())


@dataclass(frozen=True)
class Service:
    """A Service, or an entry with the same function."""

    host: str
    namespace: str
    selector: Mapping[str, str]
    ports: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class World:
    """Objects of an application and of its platform."""

    objects: tuple[Object, ...]
    releases: tuple[Object, ...] = ()
    """Inputs of Helm releases, which create the gateways."""

    @classmethod
    def of(cls, *graphs: Iterable[Node]) -> World:
        """Returns the world of recorded graphs."""
        nodes = [node for graph in graphs for node in graph]
        objects = tuple(n["inputs"] for n in nodes if n["type"].startswith("kubernetes:") and "metadata" in n["inputs"])
        return cls(objects, tuple(n["inputs"] for n in nodes if n["type"] == RELEASE))

    def kind(self, kind: str, group: str = "") -> Iterator[Object]:
        """Yields objects of that kind; ``group`` is the beginning of the API version, where two groups have the kind."""
        return (o for o in self.objects if o["kind"] == kind and o["apiVersion"].startswith(group))

    @cached_property
    def pods(self) -> tuple[Pod, ...]:
        """Returns the pods of all workloads and gateways."""
        pods = []
        for kind, path in _TEMPLATES.items():
            for body in self.kind(kind):
                template = at(body, *path)
                metadata = template.get("metadata", {})
                pods.append(
                    Pod(
                        name(body),
                        namespace(body),
                        metadata.get("labels", {}),
                        metadata.get("annotations", {}),
                        template["spec"],
                    )
                )
        pods += [Pod(s.host.partition(".")[0], s.namespace, s.selector) for s in self._gateways]
        return tuple(pods)

    @cached_property
    def _gateways(self) -> tuple[Service, ...]:
        return tuple(
            Service(
                f"{release['name']}.{release['namespace']}.svc.cluster.local",
                release["namespace"],
                {"app": release["name"], **at(release, "values", "labels")},
                tuple(at(release, "values", "service", "ports")),
            )
            for release in self.releases
            if chart_name(str(release["chart"])) == "gateway"
        )

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """Returns the Services of Kubernetes and of the gateways."""
        own = tuple(
            Service(
                f"{name(body)}.{namespace(body)}.svc.cluster.local",
                namespace(body),
                at(body, "spec", "selector") or {},
                tuple(at(body, "spec", "ports") or ()),
            )
            for body in self.kind("Service", "v1")
        )
        return own + self._gateways

    @cached_property
    def hosts(self) -> Mapping[str, tuple[int, ...]]:
        """Returns every host of the mesh's registry, with its ports."""
        ports = {service.host: tuple(port["port"] for port in service.ports) for service in self.services}
        for entry in self.kind("ServiceEntry"):
            for host in at(entry, "spec", "hosts"):
                ports[host] = tuple(port["number"] for port in at(entry, "spec", "ports") or ())
        return ports

    def selected(self, body: Object, *path: str) -> list[Pod]:
        """Returns pods of the object's namespace that its selector matches; without a selector all of them."""
        return [pod for pod in self.pods if pod.namespace == namespace(body) and pod.matches(at(body, "spec", *path))]
