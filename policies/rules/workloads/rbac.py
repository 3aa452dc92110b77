"""Roles name what they allow, and allow neither reading Secrets nor running things on nodes."""

from __future__ import annotations

from collections.abc import Iterator

from ...pods import is_workload, pod
from ...references import cis_eks, nsa
from ...resource import Resource, Unknown, child, items
from ...rule import Problem, Rule
from ...stack import Stack

_READS = {"get", "list", "watch", "*"}
_EVERYBODY = {"system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts"}


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.kind in ("Role", "ClusterRole"):
        yield from _role(resource)
    elif resource.kind in ("RoleBinding", "ClusterRoleBinding"):
        if resource.get("roleRef", "name") in ("cluster-admin", "admin"):
            yield ("roleRef", "name"), f"it makes its subjects {resource.get('roleRef', 'name')}"
        for index, subject in items(resource.get("subjects")):
            if child(subject, "name") in _EVERYBODY:
                yield ("subjects", index, "name"), "it is for everybody"
            if child(subject, "kind") == "ServiceAccount" and child(subject, "namespace") != stack.namespace:
                yield ("subjects", index, "namespace"), "it is for an account of another namespace"
    elif is_workload(resource):
        yield from _token(resource, stack)


def _role(resource: Resource) -> Iterator[Problem]:
    for index, rule in items(resource.get("rules")):
        path = ("rules", index)
        names = {part: {value for _, value in items(child(rule, part))} for part in ("apiGroups", "resources", "verbs")}
        for part, values in names.items():
            if any(isinstance(value, Unknown) for value in values):
                yield (*path, part), "nobody can tell what it allows"
            elif any("*" in str(value) for value in values):
                yield (*path, part), f"{part} is a wildcard"
        if "secrets" in names["resources"] and names["verbs"] & _READS and not child(rule, "resourceNames"):
            yield (*path, "resources"), "it reads every Secret"
        for danger in ("nodes/proxy", "pods/exec", "pods/attach", "serviceaccounts/token"):
            if danger in names["resources"]:
                yield (*path, "resources"), f"{danger} runs commands, or becomes somebody else"
        if names["verbs"] & {"escalate", "bind", "impersonate"}:
            yield (*path, "verbs"), "it can take more rights than it has"


def _token(resource: Resource, stack: Stack) -> Iterator[Problem]:
    path, spec = pod(resource)
    labels = resource.get("metadata", "labels")
    declared = stack.component(child(labels, "app.kubernetes.io/name"))
    if child(spec, "automountServiceAccountToken") is not False and child(declared, "needsKubernetesAPI") is not True:
        yield (*path, "automountServiceAccountToken"), "it carries a token of the API server that it does not need"
    if child(spec, "serviceAccountName") in (None, "default"):
        yield (*path, "serviceAccountName"), "it uses the namespace's default account"


RULE = Rule(
    id="workloads-rbac",
    description="Roles have no wildcards, read no Secrets but named ones, and neither exec nor nodes/proxy; pods carry a token "
    "only where that is declared.",
    severity="high",
    remediation="Name API groups, resources and verbs; use nodes/metrics instead of nodes/proxy; declare needsKubernetesAPI.",
    check=check,
    references=(
        cis_eks("4.1.3", "Minimize wildcard use in Roles and ClusterRoles"),
        cis_eks("4.1.2", "Minimize access to secrets"),
        cis_eks("4.1.6", "Ensure that Service Account Tokens are only mounted where necessary"),
        nsa("Authentication and authorization"),
    ),
)
