"""Every server says whether it is ready, and whether it lives."""

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
            yield (*path, "readinessProbe"), "nobody can tell when it is ready"
        if path[-1] == 0 and child(container, "livenessProbe") is None:
            yield (*path, "livenessProbe"), "nobody can tell that it hangs"


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
