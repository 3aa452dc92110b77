"""The requirements of an environment on a cluster, from its rendered graph and its declaration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from config.paths import Path
from config.system import Resolved

Node = Mapping[str, Any]
"""A resource of the graph: ``type``, ``name``, ``inputs``, …"""
TEMPLATES: Mapping[str, Path] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Kind to the path of its pod template."""


@dataclass(frozen=True)
class Pin:
    """The declared cluster of an environment; all fields are empty when none is declared."""

    ca_sha256: str | None = None
    kube_system_uid: str | None = None
    otherwise: str = ""
    """The source of the stack's cluster pin, when none is declared: the run, or the platform."""


@dataclass(frozen=True)
class Needs:
    """The rendered Kubernetes objects, and the declaration that the remedies refer to."""

    resolved: Resolved
    nodes: Sequence[Node]
    file: str
    """The system's file, for remedies."""
    pin: Pin = Pin()

    @cached_property
    def objects(self) -> list[Mapping[str, Any]]:
        """Returns every Kubernetes object of the graph; objects inside charts are not in it."""
        bodies = (node["inputs"] for node in self.nodes if node["type"].startswith("kubernetes:"))
        return [body for body in bodies if {"apiVersion", "kind", "metadata"} <= body.keys()]

    def of(self, *kinds: str) -> list[Mapping[str, Any]]:
        """Returns the objects of these kinds."""
        return [body for body in self.objects if body["kind"] in kinds]

    @property
    def namespace(self) -> str:
        """The namespace of the environment."""
        return self.resolved.environment.namespace

    @cached_property
    def pods(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Returns ``Kind/name`` and pod specification of every object that creates pods."""
        return [
            (label(body), spec)
            for body in self.of(*TEMPLATES)
            if isinstance(spec := at(body, *TEMPLATES[body["kind"]], "spec"), Mapping)
        ]

    def egress(self) -> Iterator[tuple[str, list[str], set[int]]]:
        """Yields name, networks and ports of each NetworkPolicy rule to addresses outside of the cluster."""
        for body in self.of("NetworkPolicy"):
            for rule in at(body, "spec", "egress") or ():
                networks = [cidr for peer in rule.get("to") or () if (cidr := at(peer, "ipBlock", "cidr"))]
                ports = {int(p["port"]) for p in rule.get("ports") or () if str(p.get("port", "")).isdigit()}
                if networks:
                    yield body["metadata"]["name"], networks, ports

    def declared(self, *path: str) -> str:
        """Returns the file and the path in it at which a value is declared."""
        return f"{self.file}: environments.{self.resolved.environment.name}.{'.'.join(path)}"


def label(body: Mapping[str, Any]) -> str:
    """Formats an object as ``Deployment/web``."""
    return f"{body['kind']}/{body['metadata'].get('name', '?')}"


def at(node: Any, *path: str | int) -> Any:
    """Returns the value at the path, or ``None``."""
    for part in path:
        if isinstance(node, Mapping):
            node = node.get(part)
        elif isinstance(node, Sequence) and not isinstance(node, str) and isinstance(part, int) and part < len(node):
            node = node[part]
        else:
            return None
    return node


def some(names: Sequence[str], limit: int = 3) -> str:
    """Formats a few of the names, and the number of the others."""
    listed = list(dict.fromkeys(names))
    more = len(listed) - limit
    return ", ".join(listed[:limit]) + (f" and {more} more" if more > 0 else "")
