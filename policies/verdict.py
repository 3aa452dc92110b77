"""Evaluates all rules on a recorded graph: the verdicts are the engine's, without an engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .exemptions import Exemption, Ledger
from .resource import Resource
from .rule import Finding, Rule
from .stack import Stack


@dataclass(frozen=True)
class Verdict:
    """The findings, and the exempted findings."""

    findings: tuple[Finding, ...]
    exempted: tuple[tuple[Finding, Exemption], ...]

    @property
    def clean(self) -> bool:
        return not self.findings


def resource(node: Mapping[str, Any]) -> Resource:
    """Returns the resource of a recorded graph's node."""
    return Resource(
        urn=node["urn"],
        type=node["type"],
        name=node["name"],
        props=node["inputs"],
        provider=node["provider"],
        protect=node["protect"],
    )


def in_order(nodes: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Returns the nodes in the engine's order: after parent, provider and dependencies."""
    waiting = {node["urn"]: node for node in nodes}
    result: list[Mapping[str, Any]] = []

    def place(urn: str | None) -> None:
        node = waiting.pop(urn, None) if urn else None
        if node is not None:
            for before in (node["parent"], node["provider"], *node["depends_on"]):
                place(before)
            result.append(node)

    for urn in list(waiting):
        place(urn)
    return result


def judge(nodes: Iterable[Mapping[str, Any]], rules: Iterable[Rule], ledger: Ledger, stack: str) -> Verdict:
    """Returns the verdict of all rules on each resource, in the engine's order."""
    seen, findings, rules = Stack(), [], list(rules)
    for node in in_order(nodes):
        shown = resource(node)
        seen.show(shown)
        for rule in rules:
            findings += rule.judge(shown, seen)
    exempted = [(finding, entry) for finding in findings if (entry := ledger.exempt(finding))]
    allowed = {id(finding) for finding, _ in exempted}
    open_findings = [finding for finding in findings if id(finding) not in allowed]
    return Verdict((*open_findings, *ledger.faults(findings, stack)), tuple(exempted))
