"""Workers on other machines: an Indexed Job whose pods copy ranges of the target's table, as local workers do.

The refresh's keys reach the pods in a Secret with the lifetime of the Job; deleting the Job deletes both. A pod runs
``jobs/sanitize/copy/worker.py``; the coordinator keeps the snapshot, the plan and the proof.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from config.errors import ExternalError
from jobs.sanitize.connection import variable


@dataclass(frozen=True)
class Place:
    """Namespace, image and service account of the pods."""

    namespace: str
    name: str
    """Name of the Job and of the Secret."""
    image: str
    """The jobs' image, with its digest."""
    service_account: str
    secret: str
    """Name of the Secret whose keys ``source`` and ``target`` are the connection strings."""
    schema: str = "public"
    """The schema that is refreshed."""


class KubernetesWorkers:
    """Workers in pods, used like ``LocalWorkers``: created with the ranges, and deleted at the end of the ``with`` block."""

    def __init__(self, place: Place, size: int, settings: Mapping[str, str], client: Any = None) -> None:
        self.place, self.size, self.settings, self.client = place, size, settings, client

    def __enter__(self) -> Self:
        from kubernetes import client as kubernetes
        from kubernetes import config

        if self.client is None:
            config.load_incluster_config()
            self.client = kubernetes.ApiClient()
        self.batch, self.core = kubernetes.BatchV1Api(self.client), kubernetes.CoreV1Api(self.client)
        self._remove()  # left by a refresh that was killed
        created = self.batch.create_namespaced_job(self.place.namespace, job(self.place, self.size))
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": created.metadata.name, "uid": created.metadata.uid}
        self.core.create_namespaced_secret(self.place.namespace, secret(self.place, self.settings, owner))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def look(self) -> None:
        """Raises ``ExternalError`` when the Job has failed, after the number of retries that it allows."""
        status = self.batch.read_namespaced_job_status(self.place.name, self.place.namespace).status
        for condition in status.conditions or []:
            if condition.type == "Failed" and condition.status == "True":
                raise ExternalError(
                    f"the Job {self.place.name} failed: {condition.message}; the old data are as they were"
                )

    def _remove(self) -> None:
        from kubernetes.client.exceptions import ApiException

        removals: tuple[tuple[Callable[..., Any], dict[str, str]], ...] = (
            (self.core.delete_namespaced_secret, {}),
            (self.batch.delete_namespaced_job, {"propagation_policy": "Foreground"}),
        )
        for remove, how in removals:
            try:
                remove(self.place.name, self.place.namespace, **how)
            except ApiException as error:
                if error.status != 404:
                    raise
        self._gone()

    def _gone(self) -> None:
        """Waits until the names are free; a Job is deleted after its pods."""
        from kubernetes.client.exceptions import ApiException
        from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

        def there() -> bool:
            try:
                self.batch.read_namespaced_job(self.place.name, self.place.namespace)
            except ApiException as error:
                return bool(error.status != 404)
            return True

        Retrying(retry=retry_if_result(bool), wait=wait_fixed(0.2), stop=stop_after_delay(60))(there)


def job(place: Place, size: int) -> dict[str, Any]:
    """Returns the Indexed Job: ``size`` pods with three retries each, under Pod Security ``restricted``."""
    own = {"name": place.secret}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": place.name, "labels": {"app.kubernetes.io/name": place.name}},
        "spec": {
            "completionMode": "Indexed",
            "completions": size,
            "parallelism": size,
            "backoffLimitPerIndex": 3,
            "podReplacementPolicy": "Failed",
            "template": {
                "metadata": {"labels": {"app.kubernetes.io/name": place.name}},
                "spec": {
                    "restartPolicy": "Never",
                    "serviceAccountName": place.service_account,
                    "automountServiceAccountToken": False,
                    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                    "containers": [
                        {
                            "name": "worker",
                            "image": place.image,
                            "command": ["python", "-m", "jobs.sanitize.copy.worker"],
                            "env": [
                                {"name": variable(side), "valueFrom": {"secretKeyRef": {**own, "key": side}}}
                                for side in ("source", "target")
                            ]
                            + [
                                {"name": "SANITIZE_SCHEMA", "value": place.schema},
                                {
                                    "name": "SANITIZE_SETTINGS",
                                    "valueFrom": {"secretKeyRef": {"name": place.name, "key": "settings"}},
                                },
                            ],
                            "resources": {
                                "requests": {"cpu": "500m", "memory": "64M"},
                                "limits": {"cpu": "1", "memory": "200M"},
                            },
                            "securityContext": {
                                "allowPrivilegeEscalation": False,
                                "readOnlyRootFilesystem": True,
                                "capabilities": {"drop": ["ALL"]},
                            },
                        }
                    ],
                },
            },
        },
    }


def secret(place: Place, settings: Mapping[str, str], owner: Mapping[str, str]) -> dict[str, Any]:
    """Returns the Secret with the keys of one refresh; the Job owns it, and it is immutable."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": place.name, "ownerReferences": [owner]},
        "immutable": True,
        "stringData": {"settings": json.dumps(dict(settings))},
    }
