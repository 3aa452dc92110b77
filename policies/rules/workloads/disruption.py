"""Several pods of a server are not evicted at once, and do not run on one node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...declared import scaled_to
from ...pods import component, is_server, labels, namespace, pod
from ...references import kubernetes_docs
from ...resource import Resource, Unknown, at, child, items
from ...rule import Problem, Rule
from ...stack import Stack

ZONE, NODE = "topology.kubernetes.io/zone", "kubernetes.io/hostname"


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if not is_server(resource) or resource.kind == "DaemonSet":
        return
    own = labels(resource)
    if _alone(resource, stack):
        return
    candidates = stack.selecting("PodDisruptionBudget", child(own, "app"))
    budgets = [budget for budget in candidates if namespace(budget) == namespace(resource)]
    if not any(_selects(budget, own) for budget in budgets):
        yield ("spec", "template", "metadata", "labels"), "no PodDisruptionBudget protected its pods before it"
    path, spec = pod(resource)
    spread = {at(term, "topologyKey") for _, term in items(child(spec, "topologySpreadConstraints"))}
    for key in (ZONE, NODE) if _zones(stack) else (NODE,):
        if key not in spread:
            yield (*path, "topologySpreadConstraints"), f"its pods are not spread over {key}"


def _zones(stack: Stack) -> bool:
    """Returns whether the environment declares several zones; on nodes without the label a zone constraint blocks pods."""
    return int(stack.declared("resolved", "environment", "cluster", "nodes", "zones")) > 1


def _alone(resource: Resource, stack: Stack) -> bool:
    """Returns whether the workload has one pod.

    It cannot be spread, and a budget would block its node's maintenance.
    """
    replicas = resource.get("spec", "replicas")
    if replicas is None:
        declared = stack.component(component(resource))
        replicas = scaled_to(declared, resource.get("metadata", "name")) or at(declared, "replicas", "max") or 1
    return not isinstance(replicas, Unknown) and int(replicas) == 1


def _selects(budget: Resource, own: object) -> bool:
    labels = budget.get("spec", "selector", "matchLabels")
    return isinstance(labels, Mapping) and len(labels) > 0 and all(child(own, k) == child(labels, k) for k in labels)


RULE = Rule(
    id="workloads-disruption",
    description="Servers with several pods have a PodDisruptionBudget before them, and are spread over nodes and zones.",
    severity="medium",
    remediation="Make the budget before the workload; add topologySpreadConstraints for hostname, and for declared zones.",
    check=check,
    references=(kubernetes_docs("concepts/workloads/pods/disruptions", "Disruptions"),),
)
