"""Every server has readiness and liveness probes."""

from __future__ import annotations

from collections.abc import Iterator

from ...pods import containers, is_server
from ...references import kubernetes_docs
from ...resource import Resource, child
from ...rule import Problem, Rule
from ...stack import Stack


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if not is_server(resource):
        return
    for path, container in containers(resource, "containers"):
        if child(container, "readinessProbe") is None:
            yield (*path, "readinessProbe"), "it has no readiness probe"
        if path[-1] == 0 and child(container, "livenessProbe") is None:
            yield (*path, "livenessProbe"), "it has no liveness probe"


RULE = Rule(
    id="workloads-probes",
    description="Every container of a server has a readiness probe, the main one a liveness probe.",
    severity="medium",
    remediation="Add readiness and liveness to the service, or probes to the manifest.",
    check=check,
    references=(
        kubernetes_docs(
            "concepts/configuration/liveness-readiness-startup-probes", "Liveness, Readiness, and Startup Probes"
        ),
    ),
)
