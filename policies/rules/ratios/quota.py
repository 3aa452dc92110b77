"""The namespace's quota is the declared peak."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...quantity import amount
from ...references import nsa
from ...resource import Resource, Unknown, child, said
from ...rule import Problem, Rule
from ...stack import Stack


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.kind != "ResourceQuota":
        return
    hard, peak, most = resource.get("spec", "hard"), stack.declared("peak"), stack.declared("ceiling")
    if not isinstance(hard, Mapping) or not isinstance(peak, Mapping):
        yield ("spec", "hard"), "it limits nothing"
        return
    for name in sorted({*hard, *peak}):
        path = ("spec", "hard", name)
        actual, right, top = child(hard, name), child(peak, name), child(most, name)
        if actual is None or isinstance(actual, Unknown) or right is None or amount(actual) != amount(right):
            yield path, f"{said(actual)}; the declared peak is {said(right)}"
        elif top is not None and amount(actual) > amount(top):
            yield path, f"{actual} is above {top}, production's and what was added"


RULE = Rule(
    id="ratios-quota",
    description="The ResourceQuota is the declared peak of the environment, and not above production's with what was added.",
    severity="medium",
    remediation="Change what the components declare; the quota follows.",
    check=check,
    references=(nsa("Resource policies"),),
)
