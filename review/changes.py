"""The effect of a commit on a stack, from two recorded graphs or from the engine's plan."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from config.errors import ConfigError, Problem
from config.paths import render

from .alignment import ENVIRONMENT, components, flat
from .graph import Node

Operation = Literal["replace", "delete", "update", "create"]
STATEFUL = (
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:PersistentVolumeClaim",
    "kubernetes:apps/v1:StatefulSet",
    "random:*",
    "aws:rds/*",
    "aws:docdb/*",
    "aws:elasticache/*",
    "aws:s3/*",
    "aws:msk/*",
    "aws:opensearch/*",
    "aws:kms/key:Key",
    "aws:route53/zone:Zone",
    "aws:secretsmanager/*",
)
"""Types that contain data, or without which data cannot be read."""
_REPLACES: Mapping[str, tuple[str, ...]] = {
    "*": ("metadata.name", "metadata.namespace", "apiVersion", "kind"),
    "kubernetes:apps/v1:StatefulSet": (
        "spec.serviceName",
        "spec.podManagementPolicy",
        "spec.selector*",
        "spec.volumeClaimTemplates*",
        "spec.revisionHistoryLimit",
    ),
    "kubernetes:apps/v1:Deployment": ("spec.selector*",),
    "kubernetes:batch/v1:Job": ("spec.selector*", "spec.template*", "spec.completions"),
    "kubernetes:core/v1:PersistentVolumeClaim": ("spec.accessModes*", "spec.storageClassName", "spec.volumeName"),
    "kubernetes:core/v1:Service": ("spec.clusterIP",),
    "kubernetes:rbac.authorization.k8s.io/v1:*": ("roleRef*",),
    "random:*": ("length", "keepers*", "special"),
    "aws:ec2/vpc:Vpc": ("cidrBlock",),
    "aws:ec2/subnet:Subnet": ("vpcId", "cidrBlock", "availabilityZone"),
    "aws:rds/cluster:Cluster": (
        "clusterIdentifier",
        "engine",
        "databaseName",
        "masterUsername",
        "dbSubnetGroupName",
        "kmsKeyId",
        "storageEncrypted",
        "availabilityZones*",
    ),
    "aws:docdb/cluster:Cluster": (
        "clusterIdentifier",
        "masterUsername",
        "dbSubnetGroupName",
        "kmsKeyId",
        "storageEncrypted",
        "availabilityZones*",
    ),
    "aws:rds/subnetGroup:SubnetGroup": ("name",),
    "aws:docdb/subnetGroup:SubnetGroup": ("name",),
    "aws:elasticache/replicationGroup:ReplicationGroup": (
        "replicationGroupId",
        "engine",
        "subnetGroupName",
        "kmsKeyId",
        "atRestEncryptionEnabled",
        "port",
    ),
    "aws:msk/cluster:Cluster": (
        "clusterName",
        "brokerNodeGroupInfo.clientSubnets*",
        "brokerNodeGroupInfo.securityGroups*",
        "encryptionInfo.encryptionAtRestKmsKeyArn",
    ),
    "aws:opensearch/domain:Domain": ("domainName", "encryptAtRest*"),
    "aws:eks/cluster:Cluster": ("name", "roleArn", "encryptionConfig*"),
    "aws:s3/bucket:Bucket": ("bucket",),
    "aws:kms/key:Key": ("keyUsage", "customerMasterKeySpec"),
    "aws:route53/zone:Zone": ("name",),
}
"""Inputs whose change replaces the resource.

Those of Kubernetes and random were recorded with the official plugins, those of AWS are from its plugin's documentation;
an engine's plan, where given, takes precedence.
"""
_DIGESTS = ("understudy.dev/configuration", "understudy.dev/secrets")


@dataclass(frozen=True)
class Leaf:
    """A changed value."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Step:
    """The planned change of one resource."""

    operation: Operation
    urn: str
    type: str
    name: str
    leaves: tuple[Leaf, ...] = ()
    reasons: tuple[str, ...] = ()
    """Inputs that force a replacement."""

    @property
    def stateful(self) -> bool:
        return any(fnmatchcase(self.type, pattern) for pattern in STATEFUL)

    @property
    def destructive(self) -> bool:
        return self.operation == "delete" or (self.operation == "replace" and self.stateful)

    @property
    def kind(self) -> str:
        return self.type.rpartition(":")[2]


@dataclass(frozen=True)
class Decision:
    """A declared value that changed."""

    path: str
    before: Any
    after: Any
    because: str | None

    @property
    def major(self) -> bool:
        """Whether another major version of an engine was declared, which cannot be reverted."""
        sides = [re.search(r"\d+", str(side)) for side in (self.before, self.after)]
        return self.path.endswith(".version") and None not in sides and sides[0][0] != sides[1][0]  # type: ignore[index]


@dataclass(frozen=True)
class StackChange:
    """The effects of a commit on one stack."""

    stack: str
    steps: tuple[Step, ...]
    decisions: tuple[Decision, ...] = ()
    source: Literal["graphs", "engine"] = "graphs"
    components: tuple[str, ...] = field(default=())

    @property
    def majors(self) -> list[Decision]:
        """Engines with another declared major version."""
        return [decision for decision in self.decisions if decision.major]

    def of(self, operation: Operation) -> list[Step]:
        return [step for step in self.steps if step.operation == operation]

    def component(self, step: Step) -> str:
        """Returns the declared component of a resource; ``environment`` for resources of none."""
        names = components((f"{step.type}::{step.name}",))
        return next((name for name in names if name in self.components), "environment")


def between(stack: str, base: Iterable[Node], head: Iterable[Node]) -> StackChange:
    """Returns the changes between two graphs of the stack; a graph is empty where the stack does not exist."""
    before, after = ({node["urn"]: node for node in nodes} for nodes in (base, head))
    steps = []
    for urn in dict.fromkeys((*before, *after)):
        old, new = before.get(urn), after.get(urn)
        if (old or new or {}).get("type") == ENVIRONMENT:
            continue
        if old is None or new is None:
            node = new or old
            assert node is not None
            steps.append(Step("delete" if new is None else "create", urn, node["type"], node["name"]))
        elif leaves := _changed(old, new):
            reasons = tuple(leaf.path for leaf in leaves if _replaces(new["type"], leaf.path))
            steps.append(Step("replace" if reasons else "update", urn, new["type"], new["name"], leaves, reasons))
    steps = _followed(steps, before, after)
    declared: dict[str, Any] = next((n["inputs"] for n in after.values() if n["type"] == ENVIRONMENT), {})
    earlier: dict[str, Any] = next((n["inputs"] for n in before.values() if n["type"] == ENVIRONMENT), {})
    names = tuple(declared.get("resolved", {}).get("components", {}))
    return StackChange(stack, tuple(steps), _decisions(earlier, declared), components=names)


def _followed(steps: list[Step], before: Mapping[str, Node], after: Mapping[str, Node]) -> list[Step]:
    """Adds resources that are replaced because a resource that they depend on is: another subnet has another id."""
    by_urn = {step.urn: step for step in steps}
    new = [step.urn for step in steps if step.operation == "replace"]
    while new:
        symbols = tuple(f"${{{urn}." for urn in new)
        new = []
        for urn in before.keys() & after.keys() - {u for u, s in by_urn.items() if s.operation == "replace"}:
            node = after[urn]
            paths = [render(path) for path, value in flat(node["inputs"]) if str(value).startswith(symbols)]
            if reasons := tuple(path for path in paths if _replaces(node["type"], path)):
                leaves = by_urn[urn].leaves if urn in by_urn else ()
                by_urn[urn] = Step("replace", urn, node["type"], node["name"], leaves, reasons)
                new.append(urn)
    return list(by_urn.values())


def _changed(old: Node, new: Node) -> tuple[Leaf, ...]:
    sides = [dict(flat(node["inputs"])) for node in (old, new)]
    paths = dict.fromkeys((*sides[0], *sides[1]))
    changed = [
        Leaf(render(path), sides[0].get(path), sides[1].get(path))
        for path in paths
        if sides[0].get(path) != sides[1].get(path)
    ]
    changed += [Leaf(f"({key})", old[key], new[key]) for key in ("protect", "retain_on_delete") if old[key] != new[key]]
    return tuple(changed)


def _replaces(type_: str, path: str) -> bool:
    patterns = [p for pattern, paths in _REPLACES.items() if fnmatchcase(type_, pattern) for p in paths]
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _decisions(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Decision, ...]:
    sides = [dict(flat(side.get("resolved", {}).get("components", {}))) for side in (before, after)]
    reasons = {entry["path"]: entry.get("because") for entry in after.get("derivation", [])}
    return tuple(
        Decision(render(path), sides[0].get(path), sides[1].get(path), reasons.get(render(path)))
        for path in dict.fromkeys((*sides[0], *sides[1]))
        if sides[0].get(path) != sides[1].get(path)
    )


def folded(leaf: Leaf) -> bool:
    """Returns whether the leaf is a digest of values that are shown elsewhere."""
    return any(leaf.path.endswith(f'["{name}"]') for name in _DIGESTS) or bool(
        leaf.path == "metadata.name" and re.fullmatch(r".+-[0-9a-f]{8}", str(leaf.after))
    )


_ENGINE: Mapping[str, Operation] = {
    "create": "create",
    "update": "update",
    "delete": "delete",
    "replace": "replace",
}
"""The engine's operations; the single steps of a replacement are left out."""


def planned(stack: str, file: Path, graphs: StackChange) -> StackChange:
    """Returns the changes from ``pulumi preview --json``: the engine's operations, with the graphs' reasons.

    Raises ``ConfigError`` for other files.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        steps = tuple(_step(step) for step in content["steps"] if step["op"] in _ENGINE)
    except (OSError, ValueError, KeyError, TypeError) as error:
        fix = f"write it with: pulumi preview --json --stack {stack} > {file.name}"
        raise ConfigError(Problem(str(file), None, "", f"not a preview: {error!r}", fix)) from None
    kept = tuple(step for step in steps if not step.type.startswith(("pulumi:pulumi:Stack", ENVIRONMENT)))
    return StackChange(stack, kept, graphs.decisions, "engine", graphs.components)


def _step(step: Mapping[str, Any]) -> Step:
    old, new = (step.get(side) or {} for side in ("oldState", "newState"))
    urn = step["urn"]
    sides = [dict(flat(_masked(state.get("inputs") or {}))) for state in (old, new)]
    paths = dict.fromkeys((*sides[0], *sides[1])) if step["op"] in ("update", "replace") else {}
    leaves = tuple(
        Leaf(render(path), sides[0].get(path), sides[1].get(path))
        for path in paths
        if sides[0].get(path) != sides[1].get(path)
    )
    type_ = (new or old).get("type", urn.split("::")[2].rpartition("$")[2])
    return Step(
        _ENGINE[step["op"]], urn, type_, urn.rpartition("::")[2], leaves, tuple(step.get("replaceReasons") or ())
    )


def _masked(value: Any) -> Any:
    """Hides secrets: the engine writes ``[secret]``, or the signature of an encrypted value."""
    if isinstance(value, dict):
        if "4dabf18193072939515e22adb298388d" in value:
            return "[secret]"
        return {key: _masked(item) for key, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value
