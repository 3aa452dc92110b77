"""Values of Istio's Helm charts: the whole of what differs from the charts' own.

Names are those of the charts' ``values.yaml`` (istio.io/istio, ``manifests/charts``, v0.0.0-20260827124520-eed52ebb66ad).
"""

from __future__ import annotations

from typing import Any

from components.core.pods import amounts, spread
from components.mesh import TRACING
from config.derivation.mesh_topology import runs_here
from config.kinds import Istio, Jaeger, OAuth2Proxy
from config.system import Resolved

_SECCOMP = {"type": "RuntimeDefault"}
STATUS = 15021
"""Port of the readiness probe of a gateway's pod."""


def base() -> dict[str, Any]:
    """Returns values of the chart with the custom resource definitions."""
    return {"defaultRevision": "default"}


def _images(istio: Istio) -> dict[str, Any]:
    return {"hub": istio.images, "tag": istio.version}


def agent(istio: Istio) -> dict[str, Any]:
    """Returns values of the node agent, with which no pod needs the right to change its network (restricted Pod Security)."""
    return {
        "excludeNamespaces": ["kube-system", istio.agent_namespace],
        "resources": {
            "requests": {"cpu": "50m", "memory": "100Mi"},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        },
        "global": _images(istio),
    }


def control_plane(istio: Istio, resolved: Resolved) -> dict[str, Any]:
    """Returns values of istiod, including the settings of the whole mesh."""
    return {
        "autoscaleMin": istio.replicas.min,
        "autoscaleMax": istio.replicas.max,
        "resources": amounts(istio.control_plane),
        "seccompProfile": _SECCOMP,
        "cni": {"enabled": True},
        # a Job with an ordinary sidecar never completes (Kubernetes' KEP-753)
        "env": {"ENABLE_NATIVE_SIDECARS": "true"},
        "global": {
            **_images(istio),
            "istioNamespace": istio.control_namespace,
            "logAsJson": True,
            "proxy": {"resources": amounts(istio.proxy), "seccompProfile": _SECCOMP},
        },
        "meshConfig": {
            "trustDomain": resolved.environment.domain,
            "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
            "meshMTLS": {"minProtocolVersion": "TLSV1_3"},
            "pathNormalization": {"normalization": "MERGE_SLASHES"},
            "defaultConfig": {"holdApplicationUntilProxyStarts": True},
            "extensionProviders": _providers(resolved),
        },
    }


def _providers(resolved: Resolved) -> list[Any]:
    """Returns the extension providers, by full host names because istiod runs in another namespace."""
    providers: list[Any] = []
    for name, component in resolved.components.items():
        if not runs_here(resolved, name):
            continue
        there = {"service": component.host(name, resolved.environment.namespace)}
        match component:
            case OAuth2Proxy():
                authorization: dict[str, Any] = {
                    **there,
                    "port": component.ports()["http"],
                    "includeRequestHeadersInCheck": ["authorization", "cookie"],
                    "headersToUpstreamOnAllow": ["x-auth-request-email"],
                    "headersToDownstreamOnDeny": ["content-type", "set-cookie"],
                }
                providers.append({"name": name, "envoyExtAuthzHttp": authorization})
            case Jaeger(otlp=True):
                port = component.ports()["otlp-grpc"]
                providers.append({"name": TRACING, "opentelemetry": {**there, "port": port}})
    return providers


def gateway(resolved: Resolved, istio: Istio, name: str, ports: dict[str, int]) -> dict[str, Any]:
    """Returns values of a gateway: its Service has its pods' ports and does not create a load balancer."""
    label = name.removeprefix("istio-")
    listens = {"status-port": STATUS, **ports}
    return {
        "name": name,
        "labels": {"istio": label},
        "serviceAccount": {"create": True, "name": name},
        "service": {
            "type": "ClusterIP",
            "ports": [
                {"name": key, "port": port, "targetPort": port, "protocol": "TCP"} for key, port in listens.items()
            ],
        },
        "resources": amounts(istio.gateway),
        "autoscaling": {"enabled": True, "minReplicas": istio.replicas.min, "maxReplicas": istio.replicas.max},
        "podDisruptionBudget": {"minAvailable": 1},
        "topologySpreadConstraints": spread(resolved, {"istio": label}),
        "securityContext": {"runAsNonRoot": True, "seccompProfile": _SECCOMP},
    }
