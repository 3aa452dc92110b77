"""Checks that the nodes have the resources of the environment's declared peak."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from config.derivation.capacity import peak, requested, unschedulable

from ..cluster import Cluster, Forbidden, Object
from ..needs import Needs, at, some
from ..result import Check, Finding

NODES, PODS = "/api/v1/nodes", "/api/v1/pods"
STATUS = "/api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status"
"""ConfigMap of the cluster autoscaler, also of the one that a cloud runs."""
_UNITS = {"m": Fraction(1, 1000), "": Fraction(1), "k": Fraction(1000), "M": Fraction(1000**2), "G": Fraction(1000**3)}
_UNITS |= {"T": Fraction(1000**4), "Ki": Fraction(1024), "Mi": Fraction(1024**2), "Gi": Fraction(1024**3)}
_UNITS |= {"Ti": Fraction(1024**4)}


def amount(written: object) -> Fraction:
    """Returns a Kubernetes quantity in its base unit; 0 for a missing one."""
    text = str(written or "0")
    unit = next((unit for unit in ("Ki", "Mi", "Gi", "Ti", "m", "k", "M", "G", "T") if text.endswith(unit)), "")
    return Fraction(text.removesuffix(unit)) * _UNITS[unit]


def _schedulable(node: Object) -> bool:
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in at(node, "status", "conditions") or ())
    taints = [t for t in at(node, "spec", "taints") or () if t.get("effect") in ("NoSchedule", "NoExecute")]
    return ready and not at(node, "spec", "unschedulable") and not taints


def _free(needs: Needs, cluster: Cluster) -> tuple[list[list[Fraction]], bool]:
    """Returns free CPU, memory and pods of each node without the environment's own pods.

    And whether other pods could be read.
    """
    free = {
        node["metadata"]["name"]: [
            amount(at(node, "status", "allocatable", part)) for part in ("cpu", "memory", "pods")
        ]
        for node in cluster.items(NODES)
        if _schedulable(node)
    }
    try:
        pods = cluster.items(PODS)
    except Forbidden:
        return list(free.values()), False
    for pod in pods:
        node = free.get(at(pod, "spec", "nodeName") or "")
        done = at(pod, "status", "phase") in ("Succeeded", "Failed")
        if node is None or done or pod["metadata"].get("namespace") == needs.namespace:
            continue
        for index, part in enumerate(("cpu", "memory")):
            containers = at(pod, "spec", "containers") or ()
            node[index] -= sum((amount(at(c, "resources", "requests", part)) for c in containers), start=Fraction(0))
        node[2] -= 1
    return list(free.values()), True


def _grows(cluster: Cluster) -> bool:
    """Returns whether the cluster autoscaler or Karpenter adds nodes."""
    try:
        return bool(cluster.served("karpenter.sh/v1")) or cluster.one(STATUS) is not None
    except Forbidden:
        return False


def holds(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks that every pod of the peak fits a node, beside the pods that run already."""
    free, seen = _free(needs, cluster)
    most = peak(needs.resolved)
    peak_text = f"the peak requests {most.requests_cpu} CPU and {most.requests_memory} memory in {most.pods} pods"
    cpu, memory = (sum((node[part] for node in free), start=Fraction(0)) for part in (0, 1))
    available = f"{len(free)} nodes have {float(cpu):.1f} CPU and {float(memory) / 1024**3:.1f}Gi free"
    missing = unschedulable([((n[0], n[1], Fraction(1)), name) for n, name in requested(needs.resolved)], free)
    if missing:
        unplaced = some([f"{count} of {name}" for name, count in missing.items()])
        message = f"{peak_text}; {available}: no room for {unplaced}"
        fix = f"more or larger nodes, or a smaller scale: {needs.declared('scale')}"
        if _grows(cluster):
            yield Finding("warning", f"{message}, until the autoscaler adds nodes", fix)
        else:
            yield Finding("failure", message, fix)
    else:
        yield Finding("ok", f"{peak_text}; {available}" + ("" if seen else " (what others use was not seen)"))


CHECKS = (Check("capacity", "Do the nodes hold the declared peak?", holds),)
