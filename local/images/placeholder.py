"""Configuration of placeholders, from the containers that they replace; the program is ``local/tools/placeholder``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.kinds import Service
from config.system import Resolved

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


@dataclass(frozen=True)
class Placeholders:
    """The configurations of all placeholders of an environment."""

    objects: Sequence[Mapping[str, Any]]
    """The Kubernetes objects of the environment."""
    resolved: Resolved | None
    missing: frozenset[str]
    """Images that are missing: a pod with one of them is simulated."""

    def of(self, image: str) -> dict[str, Any]:
        """Returns the placeholder's configuration for an image; requirements of several containers are combined."""
        containers = list(self._containers(image))
        return {
            "ports": _distinct(port for _, container, _ in containers for port in _ports(container)),
            "probes": _distinct(probe for _, container, _ in containers for probe in _probes(container)),
            "commands": _distinct(c for kind, container, _ in containers for c in _commands(kind, container)),
            "metrics": self._metrics({labels.get("app", "") for _, _, labels in containers}),
            "services": self._services(),
        }

    def _pods(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yields the kind of the owner, and the pod's template."""
        for each in self.objects:
            spec = each.get("spec") or {}
            kind = str(each.get("kind"))
            if kind == "Pod":
                yield kind, each
            elif kind == "CronJob":
                yield "Job", spec["jobTemplate"]["spec"]["template"]
            elif kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"):
                yield kind, spec["template"]

    def _containers(self, image: str) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, str]]]:
        for kind, template in self._pods():
            labels = template.get("metadata", {}).get("labels") or {}
            for container in template["spec"].get("initContainers") or []:
                if container.get("image") == image:
                    yield "Job", container, labels
            for container in template["spec"]["containers"]:
                if container.get("image") == image:
                    yield kind, container, labels

    def _metrics(self, components: set[str]) -> dict[str, dict[str, str]]:
        """Returns metric to its type and help, as the components declare them."""
        declared = self.resolved.components if self.resolved else {}
        return {
            name: {"type": metric.type, "help": metric.help}
            for component in sorted(components)
            if isinstance(service := declared.get(component), Service)
            for name, metric in service.metrics.items()
        }

    def _services(self) -> dict[str, dict[str, Any]]:
        """Returns host name of each Service to its ports.

        Where a Service's pods are simulated, the reason is added why it cannot answer.
        """
        services = {}
        for each in self.objects:
            if each.get("kind") != "Service" or not (each.get("spec") or {}).get("selector"):
                continue
            metadata, spec = each["metadata"], each["spec"]
            ports = {str(port["port"]): port.get("name", "") for port in spec.get("ports") or []}
            services[f"{metadata['name']}.{metadata.get('namespace', 'default')}.svc.cluster.local"] = {
                "ports": ports,
                **({"simulated": reason} if (reason := self._simulated(spec["selector"])) else {}),
            }
        return services

    def _simulated(self, selector: Mapping[str, str]) -> str | None:
        """Returns the reason why no pod behind a Service runs; ``None`` when one does, or when there is none."""
        images: set[str] = set()
        for kind, template in self._pods():
            labels = template.get("metadata", {}).get("labels") or {}
            if kind == "Job" or not selector.items() <= labels.items():
                continue
            spec = template["spec"]
            missing = {c["image"] for c in [*(spec.get("initContainers") or []), *spec["containers"]]} & self.missing
            if not missing:
                return None
            images |= missing
        return f"its pods are simulated: no image of {', '.join(sorted(images))}" if images else None


def _distinct(items: Any) -> list[Any]:
    distinct: list[Any] = []
    for item in items:
        if item not in distinct:
            distinct.append(item)
    return distinct


def _ports(container: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for port in container.get("ports") or []:
        if port.get("protocol", "TCP") == "TCP":
            yield {"name": port.get("name", ""), "number": port["containerPort"]}


def _probes(container: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the HTTP probes, with the purpose of each path: readiness or liveness."""
    numbers = {port.get("name"): port["containerPort"] for port in container.get("ports") or []}
    for kind in PROBES:
        probe = container.get(kind) or {}
        if "httpGet" in probe:
            port = probe["httpGet"]["port"]
            ready = kind == "readinessProbe"
            yield {
                "port": numbers.get(port, port),
                "path": probe["httpGet"].get("path", "/"),
                "ready": ready,
            }


def _commands(kind: str, container: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields commands of the image's own programs, which the placeholder provides under their names."""
    if command := container.get("command"):
        program = _program(command[0])
        yield {"program": program, "arguments": list(command[1:]), "does": "task" if kind == "Job" else "serve"}
    for probe in PROBES:
        if command := ((container.get(probe) or {}).get("exec") or {}).get("command"):
            does = "ready" if probe == "readinessProbe" else "live"
            yield {"program": _program(command[0]), "arguments": list(command[1:]), "does": does}
    for hook in (container.get("lifecycle") or {}).values():
        if command := (hook.get("exec") or {}).get("command"):
            yield {"program": _program(command[0]), "arguments": list(command[1:]), "does": "nothing"}


def _program(name: str) -> str:
    """Returns the path of the program in the container."""
    return name if name.startswith("/") else f"/usr/bin/{name}"
