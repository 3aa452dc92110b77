"""Roles are specific, and permit neither reading Secrets nor running commands on nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...pods import component, is_workload, namespace, specs
from ...references import cis_eks, nsa
from ...resource import Resource, Unknown, child, items, said
from ...rule import Problem, Rule
from ...stack import Stack

_READS = {"get", "list", "watch", "*"}


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.kind in ("Role", "ClusterRole"):
        yield from _role(resource)
    elif resource.kind in ("RoleBinding", "ClusterRoleBinding"):
        yield from _bound(resource, stack)
        for index, subject in items(resource.get("subjects")):
            if child(subject, "kind") != "ServiceAccount":
                yield (
                    ("subjects", index, "kind"),
                    f"it is for a {said(child(subject, 'kind'))}, and not an account here",
                )
            elif child(subject, "namespace") != stack.namespace:
                yield ("subjects", index, "namespace"), "it is for an account of another namespace"
    elif is_workload(resource):
        yield from _token(resource, stack)


def _bound(resource: Resource, stack: Stack) -> Iterator[Problem]:
    """Checks the bound role, which this stack has to have created before."""
    kind, name = resource.get("roleRef", "kind"), resource.get("roleRef", "name")
    namespaces = {None} if kind == "ClusterRole" else {namespace(resource)}
    roles = (role for role in stack.of_kind(str(kind)) if namespace(role) in namespaces)
    if not any(role.get("metadata", "name") == name for role in roles):
        yield (
            ("roleRef", "name"),
            f"it gives the rights of {said(kind)} {said(name)}, which this stack has not made before it",
        )


def _aggregated(resource: Resource) -> Iterator[Problem]:
    if resource.get("aggregationRule") is not None:
        yield ("aggregationRule",), "its rules are those of other roles"
    labels = resource.get("metadata", "labels")
    for key in labels if isinstance(labels, Mapping) else ():
        if key.startswith("rbac.authorization.k8s.io/aggregate-to-"):
            yield ("metadata", "labels", key), "it adds its rights to a role of the cluster's"


def _role(resource: Resource) -> Iterator[Problem]:
    yield from _aggregated(resource)
    for index, rule in items(resource.get("rules")):
        path = ("rules", index)
        names = {part: {value for _, value in items(child(rule, part))} for part in ("apiGroups", "resources", "verbs")}
        for part, values in names.items():
            if any(isinstance(value, Unknown) for value in values):
                yield (*path, part), "its rules are not known"
            elif any("*" in str(value) for value in values):
                yield (*path, part), f"{part} is a wildcard"
        if "secrets" in names["resources"] and names["verbs"] & _READS and not child(rule, "resourceNames"):
            yield (*path, "resources"), "it reads every Secret"
        for danger in (
            "nodes/proxy",
            "pods/exec",
            "pods/attach",
            "pods/ephemeralcontainers",
            "pods/portforward",
            "serviceaccounts/token",
        ):
            if danger in names["resources"]:
                yield (*path, "resources"), f"{danger} permits running commands or impersonation"
        if names["verbs"] & {"escalate", "bind", "impersonate"}:
            yield (*path, "verbs"), "it permits escalating its own rights"


def _token(resource: Resource, stack: Stack) -> Iterator[Problem]:
    declared = stack.component(component(resource))
    for path, spec in specs(resource):
        mounted = child(spec, "automountServiceAccountToken")
        if mounted is not False and child(declared, "needsKubernetesAPI") is not True:
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
