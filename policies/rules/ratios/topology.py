"""Components, versions and members equal production's, unless a change gives a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...references import iso
from ...resource import Resource, child, items
from ...rule import Problem, Rule
from ...stack import ENVIRONMENT, Stack

FIELDS = (
    "kind",
    "version",
    "engine",
    "nodes",
    "sentinel",
    "sentinels",
    "isolation",
    "exporter",
    "proxy",
    "existing",
    "image",
)
"""Fields of the topology or the engine."""


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.type != ENVIRONMENT:
        return
    ours, theirs = stack.declared("resolved", "components"), stack.declared("production", "components")
    if not isinstance(ours, Mapping) or not isinstance(theirs, Mapping):
        yield ("resolved",), "the declaration has no components"
        return
    reasons, only_in_one = _reasons(stack)
    for name in sorted({*ours, *theirs}):
        mine, other = child(ours, name), child(theirs, name)
        if mine is None or other is None:
            if name not in only_in_one:
                what = "has no" if other is None else "has a"
                yield ("resolved", "components", name), f"production {what} {name!r}, and no change says why"
            continue
        for field in FIELDS:
            left, right = child(mine, field), child(other, field)
            if isinstance(left, Mapping) or isinstance(right, Mapping):
                left, right = (None if side is None else "there" for side in (left, right))
            if left != right and not reasons.get(f"{name}.{field}"):
                where = ("resolved", "components", name, field)
                yield where, f"{left!r}, production's is {right!r}, and no change gives a reason"


def _reasons(stack: Stack) -> tuple[dict[str, object], set[str]]:
    """Returns path to reason, and the components that a change with a reason added or removed."""
    reasons: dict[str, object] = {}
    only_in_one: set[str] = set()
    for _, entry in items(stack.declared("derivation")):
        path, decided = str(child(entry, "path")), child(entry, "rule")
        if decided in ("changed", "scaled"):
            reasons[path] = child(entry, "because")
        elif decided in ("added", "removed") and child(entry, "because"):
            only_in_one.add(path.partition(".")[0])
    return reasons, only_in_one


RULE = Rule(
    id="ratios-topology",
    description="Components, engines, versions and numbers of members are production's, unless a change gives a reason.",
    severity="high",
    remediation="Take the difference back, or declare it as a change with 'because'.",
    check=check,
    references=(iso("A.8.31", "Separation of development, test and production environments"),),
)
