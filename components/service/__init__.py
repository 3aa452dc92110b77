"""A stateless workload."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pulumi

from config.base import Component, secret_variable
from config.kinds import Service as Declared
from config.kinds.services import Probe
from config.system import Resolved

from ..configuration import Configuration, checksum
from ..labels import labels, metadata, selector
from ..objects import KubernetesObject
from ..platform import Platform
from ..pods import CONTAINER_SECURITY, TRUST, amounts, authority, security, spread
from ..secrets import Secrets


@dataclass(frozen=True)
class ServiceArgs:
    """What a service is made from."""

    resolved: Resolved
    service: Declared
    tag: str | None
    """Tag or digest of the image, from the stack's configuration; ``latest`` is never assumed."""
    configuration: Configuration
    secrets: Secrets
    platform: Platform


class Service(pulumi.ComponentResource):
    """Deployment (replicas left to the autoscaler), Service, HorizontalPodAutoscaler, PodDisruptionBudget, ServiceAccount."""

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("understudy:service:Service", name, None, opts)
        resolved, service = args.resolved, args.service
        if args.tag is None:
            raise pulumi.RunError(
                f"the stack names no image tag for {name!r}\n"
                f"    fix: pulumi config set --path 'understudy:images.{name}' <tag>"
            )

        def make(version: str, kind: str, depends_on: list[pulumi.Resource], **rest: Any) -> KubernetesObject:
            body = {"apiVersion": version, "kind": kind, "metadata": metadata(resolved, name, name), **rest}
            return KubernetesObject(name, body, pulumi.ResourceOptions(parent=self, depends_on=depends_on))

        account = make("v1", "ServiceAccount", [], automountServiceAccountToken=service.needs_kubernetes_api)
        budget = make("policy/v1", "PodDisruptionBudget", [], spec=_disruption(name, service))
        deployment = make("apps/v1", "Deployment", [account, budget], spec=_deployment(name, args))
        make("v1", "Service", [deployment], spec=_spec(name, service))
        make("autoscaling/v2", "HorizontalPodAutoscaler", [], spec=_autoscaler(name, service))
        self.register_outputs({"host": service.host(name, resolved.environment.namespace), "port": service.port()})


def _spec(name: str, service: Declared) -> Any:
    ports = [
        {"name": port, "port": number, "targetPort": port, "protocol": "TCP"}
        for port, number in service.listens.items()
    ]
    return {"selector": selector(name), "ports": ports}


def _disruption(name: str, service: Declared) -> Any:
    return {"minAvailable": service.disruption_minimum(), "selector": {"matchLabels": selector(name)}}


def _deployment(name: str, args: ServiceArgs) -> Any:
    service = args.service
    read = _secrets_read(args)
    annotations = {
        **(
            {"understudy.dev/configuration": args.configuration.checksum(service.configuration)}
            if service.configuration
            else {}
        ),
        **({"understudy.dev/secrets": checksum(args.secrets.checksums(read))} if read else {}),
    }
    return {
        "selector": {"matchLabels": selector(name)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
        "revisionHistoryLimit": 5,
        "template": {
            "metadata": {"labels": labels(args.resolved, name), "annotations": annotations},
            "spec": {
                "serviceAccountName": name,
                "automountServiceAccountToken": service.needs_kubernetes_api,
                "enableServiceLinks": False,
                "terminationGracePeriodSeconds": service.termination_grace_seconds,
                "securityContext": security(),
                "topologySpreadConstraints": spread(selector(name), "pod-template-hash"),
                "containers": [_container(name, args)],
                "volumes": [
                    *({"name": volume, "emptyDir": {}} for volume in _writable(service)),
                    *({"name": volume, "secret": authority(secret)} for volume, secret in _trusted(args).items()),
                ],
            },
        },
    }


def _writable(service: Declared) -> dict[str, str]:
    """Volume to mount path."""
    return {f"writable-{index}": path for index, path in enumerate(service.writable)}


def _trusted(args: ServiceArgs) -> dict[str, str]:
    """Volume to Secret: the authorities of what the service uses."""
    found = {used: args.resolved.components[used].trusted(used) for used in args.service.uses}
    return {f"ca-{used}": secret for used, secret in found.items() if secret}


def _container(name: str, args: ServiceArgs) -> Any:
    service = args.service
    separator = "@" if args.tag and args.tag.startswith("sha256:") else ":"
    probes = {
        f"{kind}Probe": _probe(probe)
        for kind in ("readiness", "liveness", "startup")
        if (probe := getattr(service, kind))
    }
    everything = service.configuration == "all"
    return {
        "name": name,
        "image": f"{service.image}{separator}{args.tag}",
        "ports": [
            {"name": port, "containerPort": number, "protocol": "TCP"} for port, number in service.listens.items()
        ],
        **({"envFrom": [{"configMapRef": {"name": args.configuration.name}}]} if everything else {}),
        "env": _env(name, args),
        "resources": amounts(service.resources),
        "securityContext": CONTAINER_SECURITY,
        "volumeMounts": [
            *({"name": volume, "mountPath": path} for volume, path in _writable(service).items()),
            *({"name": volume, "mountPath": f"{TRUST}/{volume}", "readOnly": True} for volume in _trusted(args)),
        ],
        **probes,
    }


def _probe(probe: Probe) -> Any:
    return {
        "httpGet": {"path": probe.path, "port": probe.port},
        "periodSeconds": probe.period_seconds,
        "timeoutSeconds": probe.timeout_seconds,
        "failureThreshold": probe.failure_threshold,
    }


def _credentials(args: ServiceArgs) -> dict[str, tuple[str, str]]:
    """Variable to secret and key: the service's own, and those of what it uses."""
    keys = dict(args.service.secrets)
    for used in args.service.uses:
        keys.update(args.resolved.components[used].credentials(used))
    return {variable: (key.secret, key.key) for variable, key in sorted(keys.items())}


def _secrets_read(args: ServiceArgs) -> list[str]:
    return sorted({secret for secret, _ in _credentials(args).values()})


def _env(name: str, args: ServiceArgs) -> list[Any]:
    service, namespace = args.service, args.resolved.environment.namespace
    # one name for logs and traces (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/)
    plain: dict[str, Any] = {"OTEL_SERVICE_NAME": name, **service.env}
    for used in service.uses:
        component = args.resolved.components[used]
        plain.update(component.environment(used, namespace))
        if component.layer == "platform" and not component.existing:
            plain.update(
                {variable: args.platform.get("endpoints", used, part) for variable, part in _told(used, component)}
            )
    for volume in _trusted(args):
        plain[secret_variable(volume.removeprefix("ca-"), "ca-file")] = f"{TRUST}/{volume}/ca.crt"
    keys = () if service.configuration == "all" else service.configuration
    return [
        *({"name": name, "value": value} for name, value in sorted(plain.items())),
        *(
            {"name": key, "valueFrom": {"configMapKeyRef": {"name": args.configuration.name, "key": key}}}
            for key in keys
        ),
        *(
            {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
            for name, (secret, key) in _credentials(args).items()
        ),
    ]


def _told(name: str, component: Component) -> Iterator[tuple[str, str]]:
    """Variable, and the part of the platform's endpoint that it says."""
    if component.port() is not None:
        yield secret_variable(name, "host"), "host"
    if component.has_reader:
        yield secret_variable(name, "read-host"), "reader"


def _autoscaler(name: str, service: Declared) -> Any:
    targets = {"cpu": service.autoscaling.cpu, "memory": service.autoscaling.memory}
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": service.replicas.min,
        "maxReplicas": service.replicas.max,
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": resource,
                    "target": {"type": "Utilization", "averageUtilization": int(target.value * 100)},
                },
            }
            for resource, target in targets.items()
            if target is not None
        ],
    }
