"""Every pod satisfies Pod Security ``restricted``, whatever its object's kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...pods import is_workload, specs
from ...references import cis_eks, nsa, pod_security
from ...resource import Path, Resource, at, child, items
from ...rule import Problem, Rule
from ...stack import Stack

# "restricted" allows csi too; its driver decides what such a volume reaches, so no rule can check it
_VOLUMES = {
    "configMap", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if not is_workload(resource):
        return
    for path, spec in specs(resource):
        yield from _pod(path, spec)


def _pod(path: Path, spec: Any) -> Iterator[Problem]:
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        value = child(spec, name)
        if value not in (None, False):
            yield (*path, name), f"{name} joins the pod to its node"
    for index, volume in items(child(spec, "volumes")):
        for kind in volume if hasattr(volume, "keys") else ():
            if kind != "name" and kind not in _VOLUMES:
                yield (*path, "volumes", index, kind), f"a volume of kind {kind} reaches out of the pod"
    for name in ("containers", "initContainers", "ephemeralContainers"):
        for index, container in items(child(spec, name)):
            yield from _container((*path, name, index), container, child(spec, "securityContext"))


def _container(path: Path, container: Any, pod_context: Any) -> Iterator[Problem]:
    context = child(container, "securityContext")
    here = (*path, "securityContext")

    def effective(name: str) -> Any:
        own = child(context, name)
        return child(pod_context, name) if own is None else own

    drops = {value for _, value in items(at(context, "capabilities", "drop"))}
    adds = {value for _, value in items(at(context, "capabilities", "add"))}
    profile = at(effective("seccompProfile"), "type")
    requirements = {
        "runAsNonRoot": (effective("runAsNonRoot") is True, "it may run as root"),
        "runAsUser": (effective("runAsUser") != 0, "it runs as root"),
        "seccompProfile": (profile in ("RuntimeDefault", "Localhost"), "it has no seccomp profile"),
        "privileged": (child(context, "privileged") in (None, False), "it is privileged"),
        "allowPrivilegeEscalation": (child(context, "allowPrivilegeEscalation") is False, "it may gain privileges"),
        "capabilities.drop": ("ALL" in drops, "it keeps capabilities"),
        "capabilities.add": (adds <= {"NET_BIND_SERVICE"}, "it adds capabilities"),
        "readOnlyRootFilesystem": (
            child(context, "readOnlyRootFilesystem") is True,
            "its root file system is writable",
        ),
        "procMount": (child(context, "procMount") in (None, "Default"), "it sees more of /proc"),
    }
    for name, (met, message) in requirements.items():
        if not met:
            yield (*here, name), message
    for index, port in items(child(container, "ports")):
        if child(port, "hostPort") not in (None, 0):
            yield (*path, "ports", index, "hostPort"), "it listens on its node"


RULE = Rule(
    id="workloads-pod-security",
    description="Every pod satisfies Pod Security 'restricted', and writes only where something is mounted.",
    severity="high",
    remediation="Set the security contexts of pod and container as 'restricted' asks.",
    check=check,
    references=(
        pod_security("Restricted"),
        nsa("Kubernetes Pod security"),
        cis_eks("4.2.5", "Minimize the admission of containers with allowPrivilegeEscalation"),
    ),
)
