"""Checks that Pod Security is enforced for the namespaces' labels."""

from __future__ import annotations

from collections.abc import Iterator

from ..cluster import Cluster, Forbidden
from ..needs import Needs, at
from ..result import Check, Finding

ENFORCE = "pod-security.kubernetes.io/enforce"
METRIC = "pod_security_evaluations_total"
"""A counter of the admission plugin PodSecurity, which the API server exports only when the plugin is on."""


def enforced(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks that the admission plugin runs, and that no existing namespace has other labels."""
    levels = {
        body["metadata"]["name"]: level
        for body in needs.of("Namespace")
        if (level := at(body, "metadata", "labels", ENFORCE))
    }
    if not levels:
        yield Finding("ok", "no namespace requires it")
        return
    try:
        on = METRIC in cluster.text("/metrics")
    except Forbidden:
        message = "cannot tell: it is built in and on by default from 1.25; whether it is off only /metrics says"
        yield Finding("unknown", message, "ask an administrator: kubectl get --raw /metrics | grep pod_security")
        return
    if on:
        yield Finding("ok", f"the plugin PodSecurity is on; enforced: {', '.join(sorted(set(levels.values())))}")
    else:
        fix = "take PodSecurity out of the API server's --disable-admission-plugins"
        yield Finding(
            "failure", "the API server does not show the plugin PodSecurity: labels of namespaces do nothing", fix
        )


CHECKS = (Check("pod-security", "Is Pod Security enforced?", enforced),)
