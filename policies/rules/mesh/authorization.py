"""Calls between services in a mesh are authorized by name."""

from __future__ import annotations

from collections.abc import Iterator

from ...pods import is_workload
from ...references import istio, nsa
from ...resource import Path, Resource, Unknown, child, items
from ...rule import Problem, Rule
from ...stack import Stack


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if stack.mesh is None:
        return
    if resource.kind == "AuthorizationPolicy":
        yield from _policy(resource, stack)
    elif resource.kind == "ServiceEntry":
        yield from _entry(resource)
    elif (
        is_workload(resource)
        and resource.get("metadata", "namespace") == stack.namespace
        and not any(_denies(other, stack) for other in stack.of_kind("AuthorizationPolicy"))
    ):
        yield ("metadata", "namespace"), "no AuthorizationPolicy that allows nothing comes before it"


def _denies(resource: Resource, stack: Stack) -> bool:
    """Whether a policy denies all calls in the namespace that no other policy allows."""
    spec = resource.get("spec")
    empty = spec is None or (not isinstance(spec, Unknown) and not list(spec))
    return empty and resource.get("metadata", "namespace") == stack.namespace


def _policy(resource: Resource, stack: Stack) -> Iterator[Problem]:
    action = resource.get("spec", "action")
    if action not in (None, "ALLOW"):
        return  # actions that refuse requests, or demand another check, allow nothing
    domain = str(stack.declared("resolved", "environment", "domain"))
    here = resource.get("metadata", "namespace") == stack.namespace
    for index, rule in items(resource.get("spec", "rules")):
        at_: Path = ("spec", "rules", index)
        if not here:
            yield from _conditions(at_, rule)
            continue
        yield from _callers(at_, rule, domain)


def _callers(at_: Path, rule: object, domain: str) -> Iterator[Problem]:
    """Yields problems with the callers: they are identified by service account, and may call single ports."""
    sources = [child(entry, "source") for _, entry in items(child(rule, "from"))]
    if not sources:
        yield (*at_, "from"), "everybody may call"
    for position, source in enumerate(sources):
        path = (*at_, "from", position, "source", "principals")
        principals = [text for _, text in items(child(source, "principals"))]
        if not principals:
            yield path, "it names no service account"
        for number, text in enumerate(principals):
            if not isinstance(text, str) or "*" in text:
                yield (*path, number), f"{text!r} is more than one service account"
            elif not text.startswith(f"{domain}/ns/"):
                yield (*path, number), f"{text!r} is not of this mesh, whose trust domain is {domain}"
    if not [port for _, to in items(child(rule, "to")) for _, port in items(child(child(to, "operation"), "ports"))]:
        yield (*at_, "to"), "every port is open, not the one that is used"


def _conditions(path: Path, rule: object) -> Iterator[Problem]:
    """Conditions of the egress gateway on host names; it cannot see more of the TLS that it forwards."""
    values = [
        text
        for _, condition in items(child(rule, "when"))
        if child(condition, "key") == "connection.sni"
        for _, text in items(child(condition, "values"))
    ]
    if not values or any(not isinstance(text, str) or "*" in text for text in values):
        yield (*path, "when"), "it does not say which hosts may be reached"


def _entry(resource: Resource) -> Iterator[Problem]:
    for index, host in items(resource.get("spec", "hosts")):
        if isinstance(host, str) and host.startswith("*"):
            yield ("spec", "hosts", index), f"{host!r} is any host below it: name the one that is called"


RULE = Rule(
    id="mesh-authorization",
    description="In a meshed environment nothing may be called but by the service accounts, at the ports, that a policy names; "
    "nothing outside but by its name.",
    severity="critical",
    remediation="Declare the caller's 'uses'; the policies follow.",
    check=check,
    references=(
        istio("best-practices/security", "Authorization policies: default-deny pattern"),
        nsa("Authentication and authorization"),
    ),
)
