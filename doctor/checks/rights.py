"""Checks that the caller has the rights that the program needs."""

from __future__ import annotations

from collections.abc import Iterator

from ..cluster import Access, Cluster
from ..needs import TEMPLATES, Needs, at, some
from ..result import Check, Finding

VERBS = ("get", "list", "watch", "create", "patch", "delete")
"""Verbs that the provider uses on each object: apply (create, patch), read, wait (list, watch) and delete."""
WATCHED = (("", "pods"), ("", "events"), ("apps", "replicasets"))
"""Resources that the provider reads while it waits for pods."""
_RBAC = "rbac.authorization.k8s.io"


def _wanted(needs: Needs, cluster: Cluster) -> set[Access]:
    accesses = set()
    for body in needs.objects:
        kind = cluster.served(body["apiVersion"]).get(body["kind"])
        if kind is None:
            continue  # the check of kinds reports it
        group = body["apiVersion"].rpartition("/")[0]
        namespace = str(body["metadata"].get("namespace", "default")) if kind.namespaced else ""
        accesses |= {Access(verb, group, kind.plural, namespace) for verb in VERBS}
        if body["kind"] in TEMPLATES:
            accesses |= {Access(v, g, resource, namespace) for g, resource in WATCHED for v in ("get", "list", "watch")}
    return accesses


def _granted(needs: Needs) -> dict[Access, set[Access]]:
    """Returns, for ``escalate`` in a namespace, the rights that its roles grant: creating a role needs one of both."""
    grants: dict[Access, set[Access]] = {}
    for body in needs.of("Role", "ClusterRole"):
        namespace = str(body["metadata"].get("namespace", "")) if body["kind"] == "Role" else ""
        escalate = Access("escalate", _RBAC, f"{body['kind'].lower()}s", namespace)
        for rule in at(body, "rules") or ():
            groups, resources = rule.get("apiGroups") or (), rule.get("resources") or ()
            grants.setdefault(escalate, set()).update(
                Access(verb, group, resource, namespace)
                for group in groups
                for resource in resources
                for verb in rule.get("verbs") or ()
            )
    return grants


def may(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks every right with a SelfSubjectAccessReview.

    One for each kind, verb and namespace, and for each right that the graph's roles grant.
    """
    used, granted = _wanted(needs, cluster), _granted(needs)
    accesses = sorted(used | set(granted))
    answers = dict(zip(accesses, cluster.allowed(accesses), strict=True))
    held = sorted({one for escalate, some_ in granted.items() if not answers[escalate] for one in some_})
    answers |= dict(zip(held, cluster.allowed(held), strict=True))
    denied = sorted(access for access in {*used, *held} if not answers[access])
    by_verbs: dict[tuple[str, str, str], list[str]] = {}
    for access in denied:
        by_verbs.setdefault((access.group, access.resource, access.namespace), []).append(access.verb)
    for (group, resource, namespace), verbs in by_verbs.items():
        kind = "Role" if namespace else "ClusterRole"
        where = f" in {namespace}" if namespace else ""
        rule = f'{{apiGroups: ["{group}"], resources: [{resource}], verbs: [{", ".join(verbs)}]}}'
        yield Finding("failure", f"you may not {some(verbs, 6)} {resource}{where}", f"rules of a {kind}{where}: {rule}")
    if not denied:
        yield Finding("ok", f"{len(accesses) + len(held)} rights asked for, all of them granted")


CHECKS = (Check("rights", "May the caller do everything that the program does?", may),)
