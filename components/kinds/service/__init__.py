"""A stateless workload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.core.labels import STABLE, TRACK, labels, metadata, selector
from components.core.objects import SKIP_AWAIT, KubernetesObject
from components.core.pods import UNTIL_UNLISTED, pause, ports, proxied, security, spread
from components.core.wiring import Wiring
from components.mesh.routing import destination_rule, split, spoken
from config.derivation.mesh_topology import mesh
from config.kinds import Service as Declared
from config.kinds.services import Probe

CANARY = "canary"


@dataclass(frozen=True)
class ServiceArgs:
    """The inputs of a service."""

    service: Declared
    wiring: Wiring
    tag: str | None
    """Tag or digest of the image, from the stack's configuration."""
    canary_tag: str | None = None


class Service(pulumi.ComponentResource):
    """Deployment (replicas left to the autoscaler), Service, HorizontalPodAutoscaler, PodDisruptionBudget, ServiceAccount.

    In a mesh also how its users meet it: pools, outlier detection, and the share of a canary.
    """

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("understudy:service:Service", name, None, opts)
        resolved, service = args.wiring.resolved, args.service

        def make(
            version: str,
            kind: str,
            depends_on: list[pulumi.Resource],
            called: str = name,
            annotations: Mapping[str, str] | None = None,
            **rest: Any,
        ) -> KubernetesObject:
            found = metadata(resolved, called, name)
            if annotations:
                found |= {"annotations": annotations}
            body = {"apiVersion": version, "kind": kind, "metadata": found, **rest}
            return KubernetesObject(called, body, pulumi.ResourceOptions(parent=self, depends_on=depends_on))

        account = make("v1", "ServiceAccount", [], automountServiceAccountToken=service.needs_kubernetes_api)
        budget = make("policy/v1", "PodDisruptionBudget", [], spec=_disruption(name, service))
        made = [make("apps/v1", "Deployment", [account, budget], spec=_deployment(name, args))]
        if service.canary:
            called = f"{name}-{CANARY}"
            made.append(make("apps/v1", "Deployment", [account, budget], called, spec=_canary(called, args)))
        # the Deployment is awaited; the provider would wait ten seconds more for the Service's endpoints
        serving = make("v1", "Service", list(made), annotations=SKIP_AWAIT, spec=_spec(name, args))
        make("autoscaling/v2", "HorizontalPodAutoscaler", [], spec=_autoscaler(name, service))
        if mesh(resolved):
            rule = destination_rule(resolved, name, service)
            known = make("networking.istio.io/v1", "DestinationRule", [serving], spec=rule)
            if service.canary:
                make("networking.istio.io/v1", "VirtualService", [known], spec=split(resolved, name, service))
        self.register_outputs({"host": service.host(name, resolved.environment.namespace), "port": service.port()})


def _spec(name: str, args: ServiceArgs) -> Any:
    ports = [
        {"name": port, "port": number, "targetPort": port, "protocol": "TCP", **spoken(args.wiring.resolved, port)}
        for port, number in args.service.listens.items()
    ]
    return {"selector": selector(name), "ports": ports}


def _disruption(name: str, service: Declared) -> Any:
    return {"minAvailable": service.disruption_minimum(), "selector": {"matchLabels": selector(name)}}


def _deployment(name: str, args: ServiceArgs) -> Any:
    # a mesh sends each track its share of the requests; the selector of a Deployment never changes
    track = {TRACK: STABLE} if mesh(args.wiring.resolved) else {}
    return _pods({**selector(name), **track}, args, args.wiring.image(args.tag))


def _canary(called: str, args: ServiceArgs) -> Any:
    """Few pods beside the others, in no autoscaler: their number is their share."""
    name = args.wiring.name
    found = _pods({**selector(name), TRACK: CANARY}, args, args.wiring.image(args.canary_tag, called))
    return {"replicas": args.service.canaries(), **found}


def _pods(selected: dict[str, str], args: ServiceArgs, image: str) -> Any:
    service, wiring = args.service, args.wiring
    annotations = wiring.annotations()
    return {
        "selector": {"matchLabels": selected},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
        "revisionHistoryLimit": 5,
        "template": {
            "metadata": {
                "labels": {**labels(wiring.resolved, wiring.name), **selected},
                "annotations": {**annotations, **proxied(wiring.resolved, wiring.name)},
            },
            "spec": {
                "serviceAccountName": wiring.name,
                "automountServiceAccountToken": service.needs_kubernetes_api,
                "enableServiceLinks": False,
                "terminationGracePeriodSeconds": UNTIL_UNLISTED + service.termination_grace_seconds,
                "securityContext": security(),
                "topologySpreadConstraints": spread(wiring.resolved, selected, "pod-template-hash"),
                "containers": [
                    wiring.container(image, ports=ports(service.listens), lifecycle=pause(), **_probes(service))
                ],
                "volumes": wiring.volumes(),
            },
        },
    }


def _probes(service: Declared) -> dict[str, Any]:
    kinds = ("readiness", "liveness", "startup")
    return {f"{kind}Probe": _probe(probe) for kind in kinds if (probe := getattr(service, kind))}


def _probe(probe: Probe) -> Any:
    return {
        "httpGet": {"path": probe.path, "port": probe.port},
        "periodSeconds": probe.period_seconds,
        "timeoutSeconds": probe.timeout_seconds,
        "failureThreshold": probe.failure_threshold,
    }


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
