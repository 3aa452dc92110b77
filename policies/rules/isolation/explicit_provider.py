"""The provider of every resource is pinned to the environment's own cluster or account."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ...references import iso
from ...resource import Resource, items
from ...rule import Problem, Rule
from ...stack import Stack

_PROVIDER = "pulumi:providers:"
_COMPONENTS = ("understudy:", "pulumi:pulumi:")


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.type == f"{_PROVIDER}kubernetes":
        actual, own = resource.get("clusterIdentifier"), stack.declared("cluster")
        if not isinstance(actual, str) or actual != own:
            yield ("clusterIdentifier",), f"the provider is pinned to {actual!r}; the environment's cluster is {own!r}"
    elif resource.type == f"{_PROVIDER}aws":
        actual, own = resource.get("allowedAccountIds"), stack.declared("resolved", "environment", "account", "id")
        allowed = json.loads(actual) if isinstance(actual, str) else [item for _, item in items(actual)]
        if allowed != [own]:
            yield ("allowedAccountIds",), f"the provider is pinned to {allowed!r}; the environment's account is {own!r}"
    elif not resource.type.startswith((_PROVIDER, *_COMPONENTS)):
        package = resource.type.partition(":")[0]
        if resource.provider is None or resource.provider.rpartition("::")[2].startswith("default"):
            yield (), "its provider is a default provider, whose target depends on the machine"
        elif resource.provider not in stack.seen:
            yield (), f"its provider {resource.provider.rpartition('::')[2]!r} is none of this stack's"
        elif stack.seen[resource.provider].type != f"{_PROVIDER}{package}":
            yield (), f"its provider is one of {stack.seen[resource.provider].type.removeprefix(_PROVIDER)!r}"


RULE = Rule(
    id="isolation-explicit-provider",
    description="Every resource is made by an explicit provider of this stack, pinned to the environment's cluster or account.",
    severity="critical",
    remediation="Pass the environment's provider; pin it with cluster_identifier or allowed_account_ids.",
    check=check,
    references=(iso("A.8.31", "Separation of development, test and production environments"),),
)
