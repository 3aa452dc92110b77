"""A workload starts in the environment's namespace, after a NetworkPolicy that denies all traffic there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...pods import is_workload, namespace
from ...references import cis_eks, nsa
from ...resource import Resource, items
from ...rule import Problem, Rule
from ...stack import Stack


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if not is_workload(resource):
        return
    own_namespace = namespace(resource)
    if own_namespace != stack.namespace:
        yield ("metadata", "namespace"), f"{own_namespace!r} is not the environment's namespace {stack.namespace!r}"
    if not any(_closes(policy, own_namespace) for policy in stack.of_kind("NetworkPolicy")):
        yield ("metadata", "namespace"), f"no NetworkPolicy closed {own_namespace!r} both ways before it"


def _closes(policy: Resource, namespace_name: object) -> bool:
    selector = policy.get("spec", "podSelector")
    types = {value for _, value in items(policy.get("spec", "policyTypes"))}
    empty = isinstance(selector, Mapping) and not len(selector)
    opened = policy.get("spec", "ingress"), policy.get("spec", "egress")
    return namespace(policy) == namespace_name and empty and types == {"Ingress", "Egress"} and opened == (None, None)


RULE = Rule(
    id="isolation-default-deny",
    description="Every workload runs in the environment's namespace, where a NetworkPolicy has closed both ways before.",
    severity="critical",
    remediation="Make workloads in the environment's namespace, after its component.",
    check=check,
    references=(
        cis_eks("4.3.2", "Ensure that all Namespaces have Network Policies defined"),
        nsa("Network separation and hardening"),
    ),
)
