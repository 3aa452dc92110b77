"""Managed stores and nodes have the declared class and number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...quantity import amount
from ...references import iso
from ...resource import Path, Resource, at, child
from ...rule import Problem, Rule
from ...stack import Stack

_CLASSES: Mapping[str, Path] = {
    "aws:rds/clusterInstance:ClusterInstance": ("instanceClass",),
    "aws:docdb/clusterInstance:ClusterInstance": ("instanceClass",),
    "aws:elasticache/replicationGroup:ReplicationGroup": ("nodeType",),
    "aws:msk/cluster:Cluster": ("brokerNodeGroupInfo", "instanceType"),
    "aws:opensearch/domain:Domain": ("clusterConfig", "instanceType"),
    "aws:eks/nodeGroup:NodeGroup": ("instanceTypes", 0),
}
_COUNTS: Mapping[str, tuple[Path, int]] = {
    "aws:elasticache/replicationGroup:ReplicationGroup": (("replicasPerNodeGroup",), 1),
    "aws:msk/cluster:Cluster": (("numberOfBrokerNodes",), 0),
    "aws:opensearch/domain:Domain": (("clusterConfig", "instanceCount"), 0),
}
"""Fields with the number of nodes, and the number of nodes that each field does not count."""
_SIZES: Mapping[str, tuple[Path, str]] = {
    "aws:msk/cluster:Cluster": (("brokerNodeGroupInfo", "storageInfo", "ebsStorageInfo", "volumeSize"), "storage"),
    "aws:opensearch/domain:Domain": (("ebsOptions", "volumeSize"), "storage"),
}
"""Fields with gibibytes, and the field that declares them."""


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.type not in _CLASSES:
        return
    declared = stack.component(child(resource.get("tags"), "understudy:component"))
    if declared is None:
        yield ("tags",), "it says of no component that it is its own, so nothing is declared for it"
        return
    place = _CLASSES[resource.type]
    yield from _equal(place, resource.get(*place), child(declared, "instance"))
    if resource.type in _COUNTS:
        where, others = _COUNTS[resource.type]
        actual, declared_nodes = resource.get(*where), child(declared, "nodes")
        if not isinstance(actual, int | float) or actual + others != declared_nodes:
            yield where, f"{actual!r} and {others} more; declared are {declared_nodes!r} nodes"
    if resource.type in _SIZES:
        where, field = _SIZES[resource.type]
        actual, declared_size = at(resource.props, *where), child(declared, field)
        if amount(f"{actual}Gi") != amount(declared_size):
            yield where, f"{actual!r} GiB; declared is {declared_size!r}"


def _equal(where: Path, actual: Any, declared: Any) -> Iterator[Problem]:
    if actual != declared:
        yield where, f"{actual!r}; declared is {declared!r}"


RULE = Rule(
    id="ratios-instances",
    description="Managed stores and nodes are of the declared class, number and size: production's at its ratio.",
    severity="high",
    remediation="Change 'instance', 'nodes', 'storage' or the scale in the system's file.",
    check=check,
    references=(iso("A.8.6", "Capacity management"),),
)
