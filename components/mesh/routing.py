"""Routing to services: connection pools, outlier detection, canary shares, and hosts at the ingress gateway."""

from __future__ import annotations

from typing import Any

from components.core.labels import STABLE, TRACK, selector
from components.core.platform import Platform
from config.kinds import Service
from config.kinds.aws import Managed
from config.kinds.mesh import REDIRECT, SECURE, Cors, MeshGateway, RateLimit, Route, VirtualHost
from config.model.quantity import Duration
from config.system import Resolved

CANARY = "canary"
CERTIFICATE = "gateway-certificate"
"""The Secret beside the gateway's pods with their certificate."""
LIMIT = "envoy.filters.http.local_ratelimit"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "content-security-policy": "frame-ancestors 'none'",
}
"""OWASP's secure headers that suit any application (https://owasp.org/www-project-secure-headers/)."""


def host(resolved: Resolved, name: str) -> str:
    """Returns the component's fully qualified host name in the cluster; short names are resolved relative to the reader."""
    return resolved.components[name].host(name, resolved.environment.namespace)


def visible(resolved: Resolved) -> list[str]:
    """Returns the namespaces to which a rule applies: this one, and the ingress gateway's."""
    return [".", resolved.environment.cluster.ingress_namespace]


def destination_rule(resolved: Resolved, name: str, service: Service) -> Any:
    """Returns limits.

    A pod with five failures in a row is ejected for a while; one caller cannot use all connections of a pod.
    """
    tracks = [STABLE, *([CANARY] if service.canary else [])]
    return {
        "host": host(resolved, name),
        "exportTo": visible(resolved),
        "trafficPolicy": {
            "tls": {"mode": "ISTIO_MUTUAL"},
            "connectionPool": {
                "tcp": {"maxConnections": 1024, "connectTimeout": "2s"},
                "http": {"http1MaxPendingRequests": 1024, "http2MaxRequests": 1024},
            },
            "outlierDetection": {
                "consecutive5xxErrors": 5,
                "interval": "10s",
                "baseEjectionTime": "30s",
                "maxEjectionPercent": 50,
            },
        },
        "subsets": [{"name": track, "labels": {TRACK: track}} for track in tracks],
    }


def split(resolved: Resolved, name: str, service: Service) -> Any:
    """Returns the split of requests from callers in the mesh while a canary exists."""
    here = host(resolved, name)
    ports = [port for label, port in service.listens.items() if label != "metrics"]
    return {
        "hosts": [here],
        "gateways": ["mesh"],
        "exportTo": ["."],
        "http": [
            {"name": f"port-{port}", "match": [{"port": port}], "route": _destinations(resolved, name, port)}
            for port in ports
        ],
    }


def _destinations(resolved: Resolved, name: str, port: int) -> list[Any]:
    """Returns the destinations of the requests with their weights in percent."""
    component = resolved.components[name]
    here: dict[str, Any] = {"host": host(resolved, name), "port": {"number": port}}
    if not isinstance(component, Service):
        return [{"destination": here}]
    canary = int(component.canary.weight.value * 100) if component.canary else 0
    shares = {STABLE: 100 - canary, **({CANARY: canary} if canary else {})}
    return [{"destination": {**here, "subset": track}, "weight": share} for track, share in shares.items()]


def seconds(duration: Duration) -> str:
    """Formats a duration for Istio."""
    return f"{duration.seconds}s"


def servers(declared: MeshGateway) -> Any:
    """Returns the servers: TLS 1.2 and later for every host, and a port that only redirects."""
    names = [entry.host for entry in declared.hosts]
    return {
        "selector": {"istio": "ingress"},
        "servers": [
            {
                "port": {"number": SECURE, "name": "https", "protocol": "HTTPS"},
                "hosts": names,
                "tls": {"mode": "SIMPLE", "credentialName": CERTIFICATE, "minProtocolVersion": "TLSV1_2"},
            },
            {
                "port": {"number": REDIRECT, "name": "http", "protocol": "HTTP"},
                "hosts": names,
                "tls": {"httpsRedirect": True},
            },
        ],
    }


def virtual_service(
    resolved: Resolved, gateway: str, declared: MeshGateway, entry: VirtualHost, platform: Platform
) -> Any:
    """Returns the routes of one host."""
    signing = [Route(path="/oauth2", to=entry.authentication)] if entry.authentication else []
    return {
        "hosts": [entry.host],
        "gateways": [gateway],
        "exportTo": visible(resolved),
        "http": [_route(resolved, route, entry.cors, declared.hsts, platform) for route in (*signing, *entry.routes)],
    }


def _route(resolved: Resolved, route: Route, cors: Cors | None, hsts: Duration, platform: Platform) -> Any:
    target = resolved.components[route.to]
    port = target.port()
    assert port is not None, "config.checks.references asks for a port"
    if isinstance(target, Managed):  # outside the mesh only the store's own name is known
        name = platform.get("endpoints", route.to, "host")
        there: dict[str, Any] = {
            "route": [{"destination": {"host": name, "port": {"number": port}}}],
            "rewrite": {"authority": name},
        }
    else:
        there = {"route": _destinations(resolved, route.to, port)}
    strict = {"strict-transport-security": f"max-age={hsts.seconds}; includeSubDomains"}
    return {
        "name": (route.path or "/").strip("/").replace("/", "-") or "all",
        **({"match": [{"uri": {"prefix": route.path}}]} if route.path else {}),
        **there,
        "headers": {"response": {"set": {**strict, **_HEADERS}, "remove": ["server", "x-powered-by"]}},
        # Istio has no timeout without this field, and the API server refuses 0s
        **({"timeout": seconds(route.timeout)} if route.timeout and route.timeout.seconds else {}),
        **({"corsPolicy": _cors(cors)} if cors else {}),
    }


def _cors(cors: Cors) -> Any:
    return {
        "allowOrigins": [{"exact": origin} for origin in cors.origins],
        "allowMethods": list(cors.methods),
        "allowHeaders": list(cors.headers),
        "allowCredentials": True,
        "maxAge": seconds(cors.max_age),
    }


def rate_limit(resolved: Resolved, name: str, limit: RateLimit) -> Any:
    """Returns a filter with a token bucket in each pod's own proxy, so that no set of callers overloads the pod.

    https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/local_rate_limit_filter
    """
    factor = int(resolved.configuration.data[limit.multiplier]) if limit.multiplier else 1
    tokens = limit.requests * factor
    settings = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "http_local_rate_limiter",
        "token_bucket": {"max_tokens": tokens, "tokens_per_fill": tokens, "fill_interval": seconds(limit.per)},
        "filter_enabled": {"default_value": {"numerator": 100, "denominator": "HUNDRED"}},
        "filter_enforced": {"default_value": {"numerator": 100, "denominator": "HUNDRED"}},
    }
    manager = {"filter": {"name": "envoy.filters.network.http_connection_manager"}}
    return {
        "workloadSelector": {"labels": selector(name)},
        "priority": 10,
        "configPatches": [
            {
                "applyTo": "HTTP_FILTER",
                "match": {"context": "SIDECAR_INBOUND", "listener": {"filterChain": manager}},
                "patch": {"operation": "INSERT_FIRST", "value": {"name": LIMIT, "typed_config": settings}},
            }
        ],
    }
