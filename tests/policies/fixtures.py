"""Recorded graphs as they should be, and ways to spoil them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import cache
from typing import Any

from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policies.exemptions import Ledger
from policies.resource import Resource
from policies.rule import Finding, Rule
from policies.rules import RULES
from policies.stack import ENVIRONMENT, Stack
from policies.verdict import in_order, judge, resource
from review.graph import Node, graph

Nodes = list[Node]
Spoil = Callable[[Nodes], None]
GONE: Any = object()
LEDGER = Ledger((), date(2026, 11, 20))


@cache
def _recorded(stack: str) -> tuple[Node, ...]:
    return tuple(graph(stack))


def good(stack: str = "staging") -> Nodes:
    """A copy, to spoil."""
    return copy.deepcopy(list(_recorded(stack)))


def find(nodes: Nodes, kind: str, name: str) -> Node:
    return next(n for n in nodes if n["type"].rpartition(":")[2] == kind and n["name"] == name)


def change(kind: str, name: str, path: str, value: Any = GONE) -> Spoil:
    """Sets or takes away one value; ``path`` as in ``spec.template.spec.containers.0.image``."""

    def spoil(nodes: Nodes) -> None:
        target = find(nodes, kind, name)["inputs"]
        *parents, last = [int(part) if part.isdigit() else part.replace("~", ".") for part in path.split(".")]
        for part in parents:
            target = target[part] if isinstance(target, list) else target.setdefault(part, {})
        if value is GONE:
            del target[last]
        elif isinstance(target, list) and last == len(target):
            target.append(value)
        else:
            target[last] = value

    return spoil


def option(kind: str, name: str, key: str, value: Any) -> Spoil:
    """Sets an option of the resource."""

    def spoil(nodes: Nodes) -> None:
        find(nodes, kind, name)[key] = value

    return spoil


def without(kind: str, name: str) -> Spoil:
    """Takes a resource away."""

    def spoil(nodes: Nodes) -> None:
        nodes.remove(find(nodes, kind, name))

    return spoil


def added(type_: str, name: str, inputs: dict[str, Any], **options: Any) -> Spoil:
    """One more resource, as a component of ours would make it."""

    def spoil(nodes: Nodes) -> None:
        environment = next(n["urn"] for n in nodes if n["type"] == ENVIRONMENT)
        maker = "pulumi:providers:aws" if type_.startswith("aws:") else "pulumi:providers:kubernetes"
        cluster = next((n["urn"] for n in nodes if n["type"] == maker), None)
        body = {"metadata": {"name": name, "namespace": "staging", "labels": {"app.kubernetes.io/name": "game-server"}}}
        node = {
            "urn": f"{environment.rpartition('::')[0]}${type_}::{name}",
            "type": type_,
            "name": name,
            "parent": environment,
            "provider": cluster,
            "inputs": {**body, **inputs} if type_.startswith("kubernetes:") else inputs,
            "depends_on": [n["urn"] for n in nodes],
            "protect": False,
            "retain_on_delete": False,
        }
        nodes.append({**node, **options})

    return spoil


def spoiled(*spoils: Spoil, stack: str = "staging") -> Nodes:
    nodes = good(stack)
    for spoil in spoils:
        spoil(nodes)
    return nodes


def findings(nodes: Nodes, rules: Iterable[Rule]) -> list[Finding]:
    """What the rules say of the recorded graph."""
    return list(judge(nodes, rules, LEDGER, "staging").findings)


def through_proxies(nodes: Nodes, rules: Iterable[Rule]) -> list[Finding]:
    """The same through the SDK's proxies, which raise at what is unknown, with what the engine does not tell left out."""
    stack, found, rules = Stack(), [], list(rules)
    for node in in_order(nodes):
        plain = resource(node)
        props = unknown_checking_proxy(as_shown(node["inputs"]))
        shown = Resource(plain.urn, plain.type, plain.name, props, plain.provider, plain.protect)
        stack.show(shown)
        for rule in rules:
            found += rule.judge(shown, stack)
    return found


def as_shown(value: Any) -> Any:
    """As the engine shows it at a first preview."""
    if isinstance(value, dict):
        if list(value) == ["[secret]"]:
            return "hidden" if value["[secret]"] is True else as_shown(value["[secret]"])
        return {key: as_shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_shown(item) for item in value]
    if isinstance(value, str) and value.startswith("${urn:") and value.endswith("}"):
        return UNKNOWN_STRING_VALUE
    return float(value) if type(value) is int else value


def strings(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every string input."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from strings(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings(item, (*path, index))
    elif isinstance(value, str):
        yield path, value


def rule(id_: str) -> Rule:
    return RULES[id_]
