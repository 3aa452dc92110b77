"""Checks that nodes have the labels without which pods are not scheduled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..cluster import Cluster
from ..needs import Needs, at, some
from ..result import Check, Finding

ZONE = "topology.kubernetes.io/zone"
NODES = "/api/v1/nodes"


def _demanded(spec: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yields label and its possible values (none: any) that a pod requires of its node."""
    for term in spec.get("topologySpreadConstraints") or ():
        if term.get("whenUnsatisfiable") == "DoNotSchedule":
            yield term["topologyKey"], ()
    for key, value in (spec.get("nodeSelector") or {}).items():
        yield key, (str(value),)
    required = at(
        spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"
    )
    terms = required if isinstance(required, list) and len(required) == 1 else []  # several terms are alternatives
    for term in terms:
        for expression in term.get("matchExpressions") or ():
            if expression.get("operator") in ("In", "Exists"):
                yield expression["key"], tuple(map(str, expression.get("values") or ()))


def labelled(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks that some node has each required label, and that every node has its zone where zones are declared."""
    demanded: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name, spec in needs.pods:
        for demand in _demanded(spec):
            demanded.setdefault(demand, []).append(name)
    nodes = {node["metadata"]["name"]: at(node, "metadata", "labels") or {} for node in cluster.items(NODES)}
    wrong = 0
    for (key, values), names in sorted(demanded.items()):
        have = [node for node, labels in nodes.items() if key in labels and (not values or labels[key] in values)]
        if key == ZONE and not values:
            continue
        if not have:
            wrong += 1
            wanted_label = f"{key}={values[0]}" if values else f"{key}=<value>"
            fix = f"kubectl label node <node> {wanted_label}"
            yield Finding("failure", f"no node has the label {wanted_label}, which {some(names)} demand", fix)
    yield from _zones(needs, nodes, demanded.get((ZONE, ()), []))
    if not wrong and not any(key == ZONE for key, _ in demanded):
        yield Finding(
            "ok", "no pod asks for a zone" + (f", {len(demanded)} other labels are there" if demanded else "")
        )


def _zones(needs: Needs, nodes: Mapping[str, Mapping[str, str]], names: list[str]) -> Iterator[Finding]:
    if not names:
        return
    declared = needs.resolved.environment.cluster.nodes.zones
    bare = [node for node, labels in nodes.items() if ZONE not in labels]
    zones = {labels[ZONE] for labels in nodes.values() if ZONE in labels}
    written = f"{needs.declared('cluster', 'nodes')}: zones: {max(len(zones), 1)}"
    if not nodes:
        yield Finding("failure", f"there is no node for {some(names)}", "add nodes")
    elif bare:
        fix = f"kubectl label node {bare[0]} {ZONE}=<zone>, or {written if not zones else 'label all nodes alike'}"
        message = (
            f"{len(bare)} of {len(nodes)} nodes have no zone ({some(bare)}): pods of {some(names)} find no place there"
        )
        yield Finding("failure", message, fix)
    elif len(zones) < declared:
        yield Finding("warning", f"{len(zones)} zones ({some(sorted(zones))}), {declared} are declared", written)
    else:
        yield Finding("ok", f"{len(nodes)} nodes in {len(zones)} zones")


CHECKS = (Check("node-labels", "Have nodes the zones, and other labels, that pods demand?", labelled),)
