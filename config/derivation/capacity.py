"""The resources that an environment needs at its declared peak, and whether its nodes can provide them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from config.kinds import Service
from config.model.base import Resources
from config.model.component import Demand
from config.model.quantity import Bytes, Cpu, Memory, Quantity, Storage
from config.system import Resolved

from .mesh_topology import mesh

Amounts = tuple[Fraction, Fraction, Fraction]
_NO_CPU, _NO_MEMORY, _NO_STORAGE = Cpu(0), Memory(0, "M"), Storage(0, "G")


@dataclass(frozen=True)
class Peak:
    """Sums over every component at once: autoscaler maxima, rolling-update surge, concurrent jobs, proxies, volumes."""

    pods: int
    requests_cpu: Cpu
    requests_memory: Memory
    limits_cpu: Cpu
    limits_memory: Memory
    volumes: int
    storage: Storage
    services: int

    def hard(self) -> dict[str, str]:
        """Returns the ``hard`` limits of a ResourceQuota."""
        return {
            "pods": str(self.pods),
            "requests.cpu": str(self.requests_cpu),
            "requests.memory": _rounded(self.requests_memory),
            "limits.cpu": str(self.limits_cpu),
            "limits.memory": _rounded(self.limits_memory),
            "persistentvolumeclaims": str(self.volumes),
            "requests.storage": _rounded(self.storage),
            "services": str(self.services),
            "services.nodeports": "0",
            "services.loadbalancers": "0",
        }


def _rounded(amount: Bytes) -> str:
    """Rounds a sum of decimal and binary amounts up to whole megabytes."""
    unit = 1024**2 if amount.suffix.endswith("i") else 1000**2
    return str(type(amount)(-(-amount.value // unit) * unit, amount.suffix))


def demands(resolved: Resolved) -> Iterator[tuple[str, Demand]]:
    """Yields every component's demand in the namespace."""
    for name, component in resolved.components.items():
        if component.namespaced and component.existing is None:
            for demand in component.demand():
                yield name, _everywhere(demand, resolved.environment.cluster.nodes.count)


def _everywhere(demand: Demand, nodes: int) -> Demand:
    """Returns the demand with the pods of all nodes."""
    if not demand.each_node:
        return demand
    surge = min(demand.surge, demand.pods) * nodes
    return demand.model_copy(update={"pods": demand.pods * nodes, "surge": surge, "each_node": False})


def _proxies(resolved: Resolved) -> list[Resources]:
    """Returns the demand of the proxies that a mesh adds to all pods."""
    istio = mesh(resolved)
    return [istio.proxy] if istio else []


def peak(resolved: Resolved) -> Peak:
    """Returns the declared peak of the environment."""
    proxies = _proxies(resolved)
    all_demands = [demand for _, demand in demands(resolved)]

    def total(part: str, name: str, nothing: Quantity) -> Any:
        result = nothing
        for demand in all_demands:
            for container in (demand.resources, *proxies):
                result += (getattr(getattr(container, part), name) or nothing) * (demand.pods + demand.surge)
        return result

    claims = [(volume, demand.pods) for demand in all_demands for volume in demand.volumes]
    claims += [(volume, 1) for demand in all_demands for volume in demand.claims]
    return Peak(
        pods=sum(demand.pods + demand.surge for demand in all_demands),
        requests_cpu=total("requests", "cpu", _NO_CPU),
        requests_memory=total("requests", "memory", _NO_MEMORY),
        limits_cpu=total("limits", "cpu", _NO_CPU),
        limits_memory=total("limits", "memory", _NO_MEMORY),
        volumes=sum(pods for _, pods in claims),
        storage=sum((volume * pods for volume, pods in claims), start=_NO_STORAGE),
        services=sum(demand.services for demand in all_demands),
    )


def ceiling(resolved: Resolved, production: Resolved) -> Peak:
    """Returns the limit of the environment's peak: production's, plus components and canaries that only it has."""
    added = {name: c for name, c in resolved.components.items() if name not in production.components}
    canaries = {
        name: declared.model_copy(update={"canary": c.canary})
        for name, c in resolved.components.items()
        if isinstance(c, Service) and c.canary and isinstance(declared := production.components.get(name), Service)
    }
    return peak(production.model_copy(update={"components": {**production.components, **added, **canaries}}))


def unfit(resolved: Resolved) -> list[str]:
    """Returns why the peak's requests do not fit the declared nodes; empty when they do."""
    nodes = resolved.environment.cluster.nodes
    missing = unschedulable(
        requested(resolved), [[nodes.cpu.value, nodes.memory.value, nodes.storage.value] for _ in range(nodes.count)]
    )
    size = f"{nodes.count} nodes of {nodes.cpu} CPU, {nodes.memory} memory, {nodes.storage} storage"
    return [f"{count} pod(s) of {name!r} find no room on {size}" for name, count in missing.items()]


def requested(resolved: Resolved) -> list[tuple[Amounts, str]]:
    """Returns CPU, memory and storage that each pod of the peak requests, and its component."""
    proxies = [proxy.requests for proxy in _proxies(resolved)]
    pods = []
    for name, demand in demands(resolved):
        requests = [demand.resources.requests, *proxies]
        need = (
            sum((amounts.cpu.value for amounts in requests if amounts.cpu), start=Fraction(0)),
            sum((amounts.memory.value for amounts in requests if amounts.memory), start=Fraction(0)),
            sum((volume.value for volume in demand.volumes), start=Fraction(0)),
        )
        pods += [(need, name)] * (demand.pods + demand.surge)
    return pods


def unschedulable(pods: Sequence[tuple[Amounts, str]], nodes: Sequence[Sequence[Fraction]]) -> dict[str, int]:
    """Returns component to the number of its pods that fit no node with these free amounts of CPU and memory.

    First fit decreasing by memory then CPU; a pod is placed on one node, as the scheduler does.
    """
    free = [list(node) for node in nodes]
    missing: dict[str, int] = {}
    for need, name in sorted(pods, key=lambda pod: (pod[0][1], pod[0][0]), reverse=True):
        node = next((node for node in free if all(n <= f for n, f in zip(need, node, strict=True))), None)
        if node is None:
            missing[name] = missing.get(name, 0) + 1
        else:
            node[:] = [f - n for f, n in zip(node, need, strict=True)]
    return missing
