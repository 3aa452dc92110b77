"""A stateless workload."""

from __future__ import annotations

from typing import Any

import pulumi

from components.core.context import BuildContext
from components.core.labels import STABLE, TRACK, labels, selector
from components.core.object_factory import ObjectFactory, app_protocol
from components.core.objects import SKIP_AWAIT
from components.core.pods import UNTIL_UNLISTED, pause, ports, proxied, security, spread
from components.core.wiring import Wiring
from components.mesh.routing import destination_rule, split
from config.derivation.mesh_topology import mesh
from config.kinds import Service as Declared
from config.kinds.services import Probe
from config.system import Resolved

CANARY = "canary"


class Service(pulumi.ComponentResource):
    """A stateless workload with its Service, autoscaler, disruption budget and ServiceAccount.

    The autoscaler sets the Deployment's replicas. In a mesh the component also has connection pools, outlier detection,
    and the share of a canary.
    """

    def __init__(
        self, name: str, service: Declared, context: BuildContext, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("understudy:service:Service", name, None, opts)
        resolved, wiring = context.resolved, Wiring(name, service, context)

        make = ObjectFactory(self, resolved, name).make
        account = make("v1", "ServiceAccount", name, automountServiceAccountToken=service.needs_kubernetes_api)
        budget = make("policy/v1", "PodDisruptionBudget", name, spec=_disruption(name, service))
        deployments = [make("apps/v1", "Deployment", name, [account, budget], spec=_deployment(service, wiring))]
        if service.canary:
            called = f"{name}-{CANARY}"
            deployments.append(
                make("apps/v1", "Deployment", called, [account, budget], spec=_canary(called, service, wiring))
            )
        # the Deployment is awaited; the provider would wait ten more seconds for the Service's endpoints
        serving = make("v1", "Service", name, deployments, annotations=SKIP_AWAIT, spec=_spec(name, service, resolved))
        make("autoscaling/v2", "HorizontalPodAutoscaler", name, spec=_autoscaler(name, service))
        if mesh(resolved):
            spec = destination_rule(resolved, name, service)
            rule = make("networking.istio.io/v1", "DestinationRule", name, [serving], spec=spec)
            if service.canary:
                make("networking.istio.io/v1", "VirtualService", name, [rule], spec=split(resolved, name, service))
        self.register_outputs({"host": service.host(name, resolved.environment.namespace), "port": service.port()})


def _spec(name: str, service: Declared, resolved: Resolved) -> Any:
    listens = [
        {"name": port, "port": number, "targetPort": port, "protocol": "TCP", **app_protocol(resolved, service, port)}
        for port, number in service.listens.items()
    ]
    return {"selector": selector(name), "ports": listens}


def _disruption(name: str, service: Declared) -> Any:
    return {"minAvailable": service.disruption_minimum(), "selector": {"matchLabels": selector(name)}}


def _deployment(service: Declared, wiring: Wiring) -> Any:
    # a mesh distributes requests between the tracks; the selector of a Deployment never changes
    track = {TRACK: STABLE} if mesh(wiring.resolved) else {}
    return _pods({**selector(wiring.name), **track}, service, wiring, wiring.image())


def _canary(called: str, service: Declared, wiring: Wiring) -> Any:
    """Creates the canary's Deployment; it has no autoscaler, because its number of pods is its share."""
    spec = _pods({**selector(wiring.name), TRACK: CANARY}, service, wiring, wiring.image(called))
    return {"replicas": service.canaries(), **spec}


def _pods(selected: dict[str, str], service: Declared, wiring: Wiring, image: str) -> Any:
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
