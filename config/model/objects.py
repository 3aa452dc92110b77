"""Reads Kubernetes objects that a person writes, by structure: pods, amounts, replicas, volumes, ports.

Every reader accepts any tree without an error; ``flaws`` reports values whose shape differs from the API server's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import ceil
from typing import Any

from config.paths import Path

from .base import Amounts, Resources
from .quantity import Cpu, Memory, Quantity, Storage

DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"cpu": "200m", "memory": "256Mi"},
}
"""Requests and limits that the namespace's LimitRange sets for containers without any."""
QUANTITIES: Mapping[str, type[Quantity]] = {"cpu": Cpu, "memory": Memory, "storage": Storage}
_LISTS = ("containers", "initContainers", "ephemeralContainers")
_SURGES = {"Deployment": "25%", "Rollout": "25%", "DaemonSet": "0", "StatefulSet": "0", "CloneSet": "0"}
"""Additional pods during a rollout, where the object does not state a limit."""
_SCALERS = {"HorizontalPodAutoscaler": ("maxReplicas", 1), "ScaledObject": ("maxReplicaCount", 100)}
"""Kinds that set the replicas of another object, with the field of the number and its default."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_CONTROLLED = ("replicas", "minReplicas", "maxReplicas", "minReplicaCount", "maxReplicaCount", "parallelism")


def mapping(node: Any) -> dict[str, Any]:
    """Returns the node when it is a mapping, else an empty one."""
    return node if isinstance(node, dict) else {}


def listed(node: Any) -> list[Any]:
    """Returns the node when it is a list, else an empty one."""
    return list(node) if isinstance(node, list | tuple) else []


def below(node: Any, *path: str) -> Any:
    """Returns the value at the path; ``None`` where there is none."""
    for part in path:
        node = mapping(node).get(part)
    return node


def find(node: Any, key: str, path: Path = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yields every mapping below ``node`` that has ``key``, with its path, outermost first."""
    if isinstance(node, dict):
        if key in node:
            yield path, node
        for name, item in node.items():
            yield from find(item, key, (*path, name))
    elif isinstance(node, list | tuple):
        for index, item in enumerate(node):
            yield from find(item, key, (*path, index))


def pods(body: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yields path and spec of every pod in the object: each mapping with a list of containers."""
    yield from ((path, node) for path, node in find(body, "containers") if isinstance(node["containers"], list | tuple))


def containers(spec: Any, *lists: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yields path and value of every container of a pod's spec; ``lists`` selects some, default all three."""
    for name in lists or _LISTS:
        for index, container in enumerate(listed(below(spec, name))):
            yield (name, index), mapping(container)


def amount(kind: type[Quantity], written: Any) -> Any:
    """Returns the quantity, ``None`` where it is missing or cannot be read."""
    try:
        return None if written is None else kind.parse(written)
    except ValueError:
        return None


def integer(written: Any, default: int) -> int:
    """Returns a count that is written as a whole number."""
    return int(written) if isinstance(written, int) and not isinstance(written, bool) else default


def _share(written: Any, of: int) -> int:
    """Returns a number, or a percentage rounded up."""
    text = str(written)
    if re.fullmatch(r"\d{1,4}%", text, re.ASCII):
        return ceil(of * Fraction(int(text[:-1]), 100))
    return int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else 0


def scaler(body: Mapping[str, Any]) -> tuple[str, int] | None:
    """Returns the name of the object that this one scales, and its largest number of replicas."""
    if body.get("kind") not in _SCALERS:
        return None
    field, default = _SCALERS[body["kind"]]
    target = below(body, "spec", "scaleTargetRef", "name")
    return (str(target), integer(below(body, "spec", field), default)) if target else None


def replicas(body: Mapping[str, Any], path: Path, most: Mapping[str, int]) -> tuple[int, int]:
    """Returns pods with the spec at ``path``, and the additional ones in a rollout; for a DaemonSet, on each node."""
    kind, name = str(body.get("kind")), str(below(body, "metadata", "name"))
    around: list[Any] = [body]
    for part in path:
        around.append(around[-1][part])
    held: dict[str, Any] = next(
        (node for node in reversed(around) if {"replicas", "parallelism"} & mapping(node).keys()), {}
    )
    count = most.get(name, integer(held.get("replicas"), integer(held.get("parallelism"), 1)))
    strategy = below(body, "spec", "strategy") or below(body, "spec", "updateStrategy")
    if kind in ("Pod", "Job", "CronJob") or below(strategy, "type") in ("Recreate", "OnDelete"):
        return count, 0
    written = below(strategy, "rollingUpdate", "maxSurge") or below(strategy, "canary", "maxSurge")
    return count, _share(_SURGES.get(kind, "25%") if written is None else written, count)


def resources(spec: Any) -> Resources:
    """Returns the amounts that the scheduler counts for a pod: the largest sum that runs at the same time.

    Containers run together with the init containers that stay (side cars); other init containers run one by one
    before them.
    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
    """
    return Resources.model_construct(requests=_amounts(spec, "requests"), limits=_amounts(spec, "limits"))


def _amounts(spec: Any, part: str) -> Amounts:
    amounts: dict[str, Any] = {}
    for name, kind in (("cpu", Cpu), ("memory", Memory)):
        nothing: Any = kind(0, "" if kind is Cpu else "Mi")
        own = amount(kind, below(spec, "resources", part, name))
        running, highest = nothing, nothing
        for _, container in containers(spec, "initContainers"):
            need = _container(container, part, name, kind)
            highest = max(highest, running + need)
            if container.get("restartPolicy") == "Always":
                running = running + need
        for _, container in containers(spec, "containers"):
            running = running + _container(container, part, name, kind)
        amounts[name] = own or max(highest, running)
    return Amounts.model_construct(**amounts)


def _container(container: Any, part: str, name: str, kind: type[Quantity]) -> Any:
    written = below(container, "resources", part, name)
    if (
        written is None and part == "requests"
    ):  # the API server uses the limit as the request before the LimitRange applies
        written = below(container, "resources", "limits", name)
    quantity = amount(kind, DEFAULTS[part][name] if written is None else written)
    return kind(0) if quantity is None else quantity


def claims(body: Mapping[str, Any]) -> dict[str, Storage]:
    """Returns claim to size: of the object itself, or of each of its pods by the template's name."""
    name = str(below(body, "metadata", "name"))
    if body.get("kind") == "PersistentVolumeClaim":
        size = amount(Storage, below(body, "spec", "resources", "requests", "storage"))
        return {name: size} if size else {}
    sizes = {}
    for _, node in find(body, "volumeClaimTemplates"):
        for number, template in enumerate(listed(node["volumeClaimTemplates"])):
            size = amount(Storage, below(template, "spec", "resources", "requests", "storage"))
            if size:
                sizes[f"{below(template, 'metadata', 'name') or number}-{name}"] = size
    for _, node in find(body, "ephemeral"):
        template = below(node["ephemeral"], "volumeClaimTemplate")
        if size := amount(Storage, below(template, "spec", "resources", "requests", "storage")):
            sizes[f"{name}-{node.get('name')}"] = size
    return sizes


def ports(bodies: list[dict[str, Any]]) -> dict[str, int]:
    """Returns name to port that pods listen on."""
    numbers: dict[str, int] = {}
    for body in bodies:
        for _, spec in pods(body):
            for _, container in containers(spec, "containers", "initContainers"):
                for port in map(mapping, listed(container.get("ports"))):
                    number = integer(port.get("containerPort"), 0)
                    if 0 < number < 65536 and number not in numbers.values():
                        numbers.setdefault(str(port.get("name") or f"port-{number}"), number)
    return numbers


def service(bodies: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Returns the Service that clients connect to: the first with an address, else the first."""
    services = [body for body in bodies if body.get("kind") == "Service"]
    own = (body for body in services if below(body, "spec", "clusterIP") != "None")
    return next(own, next(iter(services), None))


def flaws(body: Mapping[str, Any]) -> Iterator[tuple[Path, str, str]]:
    """Yields path, problem and remedy for values that the API server would refuse or that no check understands."""
    name = below(body, "metadata", "name")
    if not isinstance(name, str) or len(name) > 253 or not _NAME.fullmatch(name):
        yield (
            ("metadata", "name"),
            f"{str(name)[:60]!r} is no name of an object",
            "lower case letters, digits and dashes",
        )
    yield from _metadata(body)
    yield from _counts(body)
    for path, spec in find(body, "containers"):
        yield from _pod(path, spec)
    for path, node in find(body, "resources"):
        if "apiGroups" not in node and not isinstance(node["resources"], list | tuple):
            yield from _requests((*path, "resources"), node["resources"])


def _metadata(body: Mapping[str, Any]) -> Iterator[tuple[Path, str, str]]:
    for path, node in find(body, "metadata"):
        for part in ("labels", "annotations"):
            if not isinstance(below(node["metadata"], part), dict | None):
                yield (*path, "metadata", part), "expected keys and values", ""


def _counts(body: Mapping[str, Any]) -> Iterator[tuple[Path, str, str]]:
    for key in _CONTROLLED:
        for path, node in find(below(body, "spec"), key, ("spec",)):
            if isinstance(node[key], bool) or not isinstance(node[key], int) or node[key] < 0:
                yield (*path, key), f"expected a whole number, found {str(node[key])[:60]!r}", ""


def _pod(path: Path, spec: dict[str, Any]) -> Iterator[tuple[Path, str, str]]:
    for name in _LISTS:
        containers = spec.get(name)
        if containers is None:
            continue
        if not isinstance(containers, list | tuple):
            yield (*path, name), "expected a list of containers", "begin each with '- name:'"
            continue
        for index, container in enumerate(containers):
            here = (*path, name, index)
            if not isinstance(container, dict):
                yield here, f"expected keys and values, found {str(container)[:60]!r}", "begin it with '- name:'"
                continue
            for part in ("env", "ports", "volumeMounts", "envFrom"):
                entries = container.get(part)
                if entries is not None and not (
                    isinstance(entries, list | tuple) and all(isinstance(entry, dict) for entry in entries)
                ):
                    yield (*here, part), "expected a list of keys and values", ""


def _requests(path: Path, requests: Any) -> Iterator[tuple[Path, str, str]]:
    if requests is not None and not isinstance(requests, dict):
        yield path, "expected keys and values", "write requests and limits"
    for part in ("requests", "limits"):
        stated = mapping(requests).get(part)
        if stated is not None and not isinstance(stated, dict):
            yield (*path, part), "expected keys and values", "write cpu and memory"
        for name, kind in QUANTITIES.items():
            written = mapping(stated).get(name)
            try:
                if written is not None:
                    kind.parse(written)
            except ValueError as error:
                yield (*path, part, name), f"found {str(written)[:60]!r}", str(error)
