"""Creates the Kubernetes objects of a component from the statement of its workloads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from config.derivation.mesh_topology import mesh
from config.kinds import CronJob
from config.model.component import Component
from config.system import Resolved

from . import pods
from .configuration import checksum
from .labels import labels, metadata, selector
from .objects import SKIP_AWAIT, KubernetesObject
from .pods import security, spread

Depends = Sequence[pulumi.Resource]
POD = "statefulset.kubernetes.io/pod-name"
"""Label with the pod's name, which Kubernetes sets on a StatefulSet's pods."""
_CLUSTERED = ("ClusterRole", "ClusterRoleBinding")
"""Kinds that are not namespaced."""


def app_protocol(resolved: Resolved, component: Component, port: str) -> dict[str, str]:
    """Returns a Service port's ``appProtocol``, from which Istio selects the protocol; empty without a mesh."""
    protocol = component.protocol(port) if mesh(resolved) else None
    return {"appProtocol": protocol} if protocol else {}


class ObjectFactory:
    """Makes the objects of one component, as children of it.

    Numbers of pods, amounts, ports and volumes come from the component's statement of its workloads. A workload or a Service
    that is not stated raises ``KeyError``, and a container ``ValueError``: the quota and the NetworkPolicies would lack it.
    """

    def __init__(self, owner: pulumi.ComponentResource, resolved: Resolved, component: str) -> None:
        self._owner = owner
        self._resolved = resolved
        self._component = component
        self._declared = resolved.components[component]
        self._workloads = {workload.name: workload for workload in self._declared.workloads(component)}
        self._services = {service for workload in self._workloads.values() for service in workload.services}

    def container(self, workload: str, name: str, image: str, **more: Any) -> Any:
        """Returns a container of a workload, with its stated amounts and ports; ``more`` are the other fields."""
        [spec] = [container for container in self._workloads[workload].containers if container.name == name]
        listens = {"ports": pods.ports({port.name: port.number for port in spec.ports})} if spec.ports else {}
        return pods.container(name, image, self._declared.declared(spec.resources), **listens, **more)

    def make(
        self,
        version: str,
        kind: str,
        name: str,
        depends_on: Depends = (),
        *,
        logical: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
        annotations: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> KubernetesObject:
        """Creates an object of the component.

        ``logical`` is its Pulumi name where the cluster's name changes with the content.
        """
        own_metadata = metadata(self._resolved, name, self._component)
        if kind in _CLUSTERED:
            del own_metadata["namespace"]
        if annotations:
            own_metadata |= {"annotations": dict(annotations)}
        body = {"apiVersion": version, "kind": kind, "metadata": own_metadata, **rest}
        own = pulumi.ResourceOptions(parent=self._owner, depends_on=list(depends_on))
        return KubernetesObject(logical or name, body, pulumi.ResourceOptions.merge(own, opts))

    def account(self, annotations: Mapping[str, str] | None = None) -> KubernetesObject:
        """Creates the ServiceAccount of all the component's pods, without a token."""
        return self.make(
            "v1", "ServiceAccount", self._component, annotations=annotations, automountServiceAccountToken=False
        )

    def files(self, name: str, data: Mapping[str, str]) -> KubernetesObject:
        """Creates a ConfigMap of files; readers carry the ``checksum`` of the same files."""
        return self.make("v1", "ConfigMap", name, data=dict(data))

    def service(
        self,
        name: str,
        ports: Mapping[str, tuple[int, int]],
        select: Mapping[str, str],
        depends_on: Depends = (),
        *,
        headless: bool = False,
        early: bool = False,
    ) -> KubernetesObject:
        """Creates a Service; ``ports`` maps a name to the Service's and the pod's port.

        ``headless`` Services have no address, and lead, as ``early`` ones do, to pods before they are Ready and while
        they stop, because members of a cluster connect to each other before they are Ready.
        """
        spec: dict[str, Any] = {
            "selector": dict(select),
            "ports": [
                {
                    "name": port,
                    "port": outer,
                    "targetPort": inner,
                    "protocol": "TCP",
                    **app_protocol(self._resolved, self._declared, port),
                }
                for port, (outer, inner) in ports.items()
            ],
            **({"clusterIP": "None"} if headless else {}),
            **({"publishNotReadyAddresses": True} if headless or early else {}),
        }
        if name not in self._services:
            raise KeyError(name)
        # the provider would wait ten seconds for the endpoints of each Service; the workload behind it is awaited
        return self.make("v1", "Service", name, depends_on, annotations=SKIP_AWAIT, spec=spec)

    def addresses(
        self, name: str, ports: Mapping[str, tuple[int, int]], select: Mapping[str, str], members: int | None = None
    ) -> list[KubernetesObject]:
        """Creates a Service ``<name>-<index>`` for each member of the StatefulSet ``name``, or for the first ``members``.

        A recreated pod has another address, which other members see only after the DNS name's time to live; the Service's
        address stays.
        """
        return [
            self.service(f"{name}-{index}", ports, {**select, POD: f"{name}-{index}"}, early=True)
            for index in range(self._workloads[name].pods if members is None else members)
        ]

    def claims(self) -> list[KubernetesObject]:
        """Creates volume claims as separate resources.

        Growing one is an update, and protection and retention apply to it.
        """
        settings = self._resolved.environment
        storage_class = settings.cluster.storage_class
        opts = pulumi.ResourceOptions(protect=settings.protect, retain_on_delete=settings.retain_volumes)
        return [
            self.make(
                "v1",
                "PersistentVolumeClaim",
                name,
                opts=opts,
                # a class with WaitForFirstConsumer binds the volume only when the pod, which depends on the claim, exists
                annotations=SKIP_AWAIT,
                spec={
                    "accessModes": ["ReadWriteOnce"],
                    **({"storageClassName": storage_class} if storage_class else {}),
                    "resources": {"requests": {"storage": str(size)}},
                },
            )
            for name, size in self._declared.volumes(self._component).items()
        ]

    def _template(self, app: str, role: str, pod: Mapping[str, Any], annotations: Mapping[str, Any] | None) -> Any:
        spec = {
            "serviceAccountName": self._component,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": security(),
            **pod,
        }
        own_metadata = {"labels": labels(self._resolved, app, role)}
        return {
            "metadata": {**own_metadata, **({"annotations": dict(annotations)} if annotations else {})},
            "spec": spec,
        }

    def statefulset(
        self,
        name: str,
        service: str,
        pod: Mapping[str, Any],
        depends_on: Depends,
        annotations: Mapping[str, Any] | None = None,
        min_ready_seconds: int = 0,
    ) -> KubernetesObject:
        """Creates a StatefulSet whose members start in parallel.

        A member that waits for a quorum needs the others. ``min_ready_seconds`` is how long a replaced member is Ready
        before the next one is replaced. ``claims`` creates the volume claims under the names that the controller expects.
        The claim template never changes (a change would replace the StatefulSet) and names no class, so that a pod whose
        claim is missing waits instead of starting on a small volume.
        """
        stated = self._workloads[name]
        selected = selector(self._component, stated.role)
        pod = {"topologySpreadConstraints": spread(self._resolved, selected), **pod}
        claim = {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "",
            "resources": {"requests": {"storage": "1Gi"}},
        }
        spec = {
            "serviceName": service,
            "replicas": stated.pods,
            "podManagementPolicy": "Parallel",
            **({"minReadySeconds": min_ready_seconds} if min_ready_seconds else {}),
            "updateStrategy": {"type": "RollingUpdate"},
            "selector": {"matchLabels": selected},
            "template": self._template(self._component, stated.role, pod, annotations),
            "volumeClaimTemplates": [{"metadata": {"name": own.volume}, "spec": claim} for own in stated.claims],
        }
        return self.make("apps/v1", "StatefulSet", name, depends_on, spec=spec)

    def deployment(self, name: str, pod: Mapping[str, Any], depends_on: Depends, annotations: Any) -> KubernetesObject:
        """Creates a Deployment of pods without a volume, replaced one by one."""
        stated = self._workloads[name]
        selected = selector(self._component, stated.role)
        pod = {"topologySpreadConstraints": spread(self._resolved, selected, "pod-template-hash"), **pod}
        spec = {
            "replicas": stated.pods,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": stated.surge, "maxUnavailable": 0}},
            "revisionHistoryLimit": 5,
            "selector": {"matchLabels": selected},
            "template": self._template(self._component, stated.role, pod, annotations),
        }
        return self.make("apps/v1", "Deployment", name, depends_on, spec=spec)

    def single(
        self, name: str, pod: Mapping[str, Any], depends_on: Depends, annotations: Mapping[str, Any]
    ) -> KubernetesObject:
        """Creates a Deployment of one pod, which stops before its successor starts.

        Both would use one volume or Service.
        """
        role = self._workloads[name].role
        spec = {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "revisionHistoryLimit": 5,
            "selector": {"matchLabels": selector(self._component, role)},
            "template": self._template(self._component, role, pod, annotations),
        }
        return self.make("apps/v1", "Deployment", name, depends_on, spec=spec)

    def rights(self, rules: Sequence[Any], cluster_rules: Sequence[Any] = ()) -> list[KubernetesObject]:
        """Creates RBAC rules of the component's service account: those of the namespace, and those of the cluster."""
        namespace = self._resolved.environment.namespace
        subject = {"kind": "ServiceAccount", "name": self._component, "namespace": namespace}
        objects = []
        for kind, name, rules_of_kind in (
            ("Role", self._component, rules),
            ("ClusterRole", f"{namespace}-{self._component}", cluster_rules),
        ):
            if not rules_of_kind:
                continue
            version = "rbac.authorization.k8s.io/v1"
            objects.append(self.make(version, kind, name, logical=self._component, rules=list(rules_of_kind)))
            reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
            objects.append(
                self.make(
                    version,
                    f"{kind}Binding",
                    name,
                    objects[-1:],
                    logical=self._component,
                    subjects=[subject],
                    roleRef=reference,
                )
            )
        return objects

    def disruption(self, name: str) -> KubernetesObject:
        """Creates a PodDisruptionBudget that lets one pod of the workload at a time be evicted."""
        spec = {"maxUnavailable": 1, "selector": {"matchLabels": selector(self._component, self._workloads[name].role)}}
        return self.make("policy/v1", "PodDisruptionBudget", name, spec=spec)

    def job(
        self,
        app: str,
        pod: Mapping[str, Any],
        content: object,
        depends_on: Depends,
        *,
        retries: int = 10,
        seconds: int = 900,
        annotations: Mapping[str, Any] | None = None,
        whole: bool = True,
    ) -> KubernetesObject:
        """A Job that runs again when ``content`` (its inputs without secret values) changes.

        A Job is immutable: its name contains a checksum, and a new Job replaces the old one. Its pods carry the label
        ``app: <app>`` and not the component's: the component's pods are awaited until they are Ready, and the pods of
        a Job never become Ready. ``whole=False``: the checksum covers ``content`` only, for a pod with inputs that
        are not known in a preview.
        """
        template = self._template(app, self._workloads[app].role, {"restartPolicy": "OnFailure", **pod}, annotations)
        spec = {"backoffLimit": retries, "activeDeadlineSeconds": seconds, "template": template}
        patience = pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create=f"{seconds}s"))
        name = f"{app}-{checksum([template, content] if whole else content)[:8]}"
        return self.make("batch/v1", "Job", name, depends_on, logical=app, spec=spec, opts=patience)

    def cronjob(self, app: str, schedule: str, pod: Mapping[str, Any], depends_on: Depends) -> KubernetesObject:
        """Creates a CronJob (UTC) whose runs never overlap."""
        template = self._template(app, self._workloads[app].role, {"restartPolicy": "Never", **pod}, None)
        spec = {
            "schedule": schedule,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 2,
            "jobTemplate": {"spec": {"backoffLimit": 2, "template": template}},
        }
        return self.make("batch/v1", "CronJob", app, depends_on, spec=spec)

    def scheduled(
        self, app: str, declared: CronJob, pod: Mapping[str, Any], depends_on: Depends, annotations: Mapping[str, Any]
    ) -> KubernetesObject:
        """Creates a CronJob as its component declares it."""
        template = self._template(app, self._workloads[app].role, {"restartPolicy": "OnFailure", **pod}, annotations)
        spec = {
            "schedule": declared.schedule,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": int(declared.start_within.seconds),
            "successfulJobsHistoryLimit": declared.history,
            "failedJobsHistoryLimit": declared.history,
            "jobTemplate": {
                "spec": {
                    "backoffLimit": declared.retries,
                    "activeDeadlineSeconds": int(declared.timeout.seconds),
                    "ttlSecondsAfterFinished": int(declared.keep.seconds),
                    "template": template,
                }
            },
        }
        return self.make("batch/v1", "CronJob", app, depends_on, spec=spec)
