"""When an object counts as live, per kind, and what to say when it does not become so.

Source: the official plugin's documentation of await logic, and ``tests/local/fidelity``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import Any

from .client import Object, wait_until

TIMEOUTS = {"PersistentVolumeClaim": 300.0}
DEFAULT_TIMEOUT = 600.0
"""Seconds; the annotation ``pulumi.com/timeoutSeconds`` changes it."""


class NotReady(Exception):
    """The object exists and did not become ready; ``reasons`` are the plugin's words, ``live`` its last state."""

    def __init__(self, live: Object, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.live, self.reasons = live, reasons


class Failed(Exception):
    """It cannot become ready any more."""


def annotation(inputs: Object, name: str) -> str | None:
    """``pulumi.com/<name>``."""
    value = ((inputs.get("metadata") or {}).get("annotations") or {}).get(f"pulumi.com/{name}")
    return None if value is None else str(value)


def timeout(inputs: Object, custom: float) -> float:
    """Seconds to wait: of the resource option, the annotation, or the kind's default."""
    return custom or float(
        annotation(inputs, "timeoutSeconds") or TIMEOUTS.get(inputs.get("kind", ""), DEFAULT_TIMEOUT)
    )


def wait(live: Object, inputs: Object, read: Callable[[], Object | None], seconds: float, cancelled: Event) -> Object:
    """The object once it is ready; raises ``NotReady``. ``pulumi.com/skipAwait`` and kinds without a rule do not wait."""
    rule = _RULES.get(f"{inputs['apiVersion'].rpartition('/')[0]}/{inputs['kind']}")
    if rule is None or annotation(inputs, "skipAwait") == "true":
        return live
    deadline = time.monotonic() + seconds
    name = live["metadata"]["name"]
    while True:
        try:
            reasons = rule(live)
        except Failed as error:
            raise NotReady(live, str(error)) from None
        if reasons is None:
            return live
        if not wait_until(deadline, cancelled):
            timed_out = f"'{name}' timed out waiting to be Ready"
            first = f"Resource operation was cancelled for '{name}'" if cancelled.is_set() else timed_out
            raise NotReady(live, first, *reasons)
        found = read()
        if found is None:
            raise NotReady(live, f"'{name}' was deleted while waiting for it")
        live = found


def _conditions(live: Object) -> dict[str, dict[str, Any]]:
    return {c["type"]: c for c in (live.get("status") or {}).get("conditions") or []}


def _observed(live: Object) -> bool:
    return bool((live.get("status") or {}).get("observedGeneration", 0) >= live["metadata"].get("generation", 0))


def _deployment(live: Object) -> list[str] | None:
    conditions, status = _conditions(live), live.get("status") or {}
    replicas = live["spec"].get("replicas", 1)
    rolled_out = (
        _observed(live)
        and status.get("updatedReplicas", 0) >= replicas
        and status.get("replicas", 0) <= status.get("updatedReplicas", 0)
        and status.get("availableReplicas", 0) >= status.get("updatedReplicas", 0)
    )
    available = conditions.get("Available", {}).get("status") == "True"
    complete = conditions.get("Progressing", {}).get("reason") in (None, "NewReplicaSetAvailable")
    if rolled_out and complete and (available or replicas == 0):
        return None
    reasons = [
        f"[{c['reason']}] {c['message']}"
        for kind, c in conditions.items()
        if (kind == "Available" and c["status"] != "True") or c.get("reason") == "ProgressDeadlineExceeded"
    ]
    return [*reasons, *([] if available else ["Minimum number of live Pods was not attained"])]


def _stateful_set(live: Object) -> list[str] | None:
    status, replicas = live.get("status") or {}, live["spec"].get("replicas", 1)
    ready = status.get("readyReplicas", 0)
    current = status.get("currentRevision") == status.get("updateRevision")
    if _observed(live) and ready == replicas and status.get("updatedReplicas", replicas) == replicas and current:
        return None
    return [f"{ready} out of {replicas} replicas succeeded readiness checks"]


def _daemon_set(live: Object) -> list[str] | None:
    status = live.get("status") or {}
    wanted = status.get("desiredNumberScheduled", 0)
    done = status.get("updatedNumberScheduled", 0) == wanted and status.get("numberReady", 0) == wanted
    return None if _observed(live) and done else [f"{status.get('numberReady', 0)} of {wanted} pods are ready"]


def _job(live: Object) -> list[str] | None:
    conditions = _conditions(live)
    if conditions.get("Failed", {}).get("status") == "True":
        raise Failed(f"[{conditions['Failed'].get('reason')}] {conditions['Failed'].get('message')}")
    if conditions.get("Complete", {}).get("status") == "True":
        return None
    return ["Job has not completed"]


def _service(live: Object) -> list[str] | None:
    balancer = ((live.get("status") or {}).get("loadBalancer") or {}).get("ingress")
    if live["spec"].get("type") != "LoadBalancer" or balancer:
        return None
    return ["Service was not allocated an IP address; does your cloud provider support this?"]


def _claim(live: Object) -> list[str] | None:
    phase = (live.get("status") or {}).get("phase")
    return None if phase == "Bound" else [f"PersistentVolumeClaim is {phase}, not Bound"]


def _ingress(live: Object) -> list[str] | None:
    if ((live.get("status") or {}).get("loadBalancer") or {}).get("ingress"):
        return None
    return ["Ingress .status.loadBalancer field was not updated with a hostname/IP address."]


def _pod(live: Object) -> list[str] | None:
    ready = _conditions(live).get("Ready", {}).get("status") == "True"
    phase = (live.get("status") or {}).get("phase")
    return None if ready or phase == "Succeeded" else [f"Pod is {phase}, not Ready"]


def _quota(live: Object) -> list[str] | None:
    hard = (live.get("status") or {}).get("hard")
    return None if hard == live["spec"].get("hard") else ["Quota has not been observed"]


_RULES: dict[str, Callable[[Object], list[str] | None]] = {
    "apps/Deployment": _deployment,
    "apps/StatefulSet": _stateful_set,
    "apps/DaemonSet": _daemon_set,
    "batch/Job": _job,
    "/Service": _service,
    "/PersistentVolumeClaim": _claim,
    "/Pod": _pod,
    "/ResourceQuota": _quota,
    "networking.k8s.io/Ingress": _ingress,
}
