"""Hosts at the mesh's gateway, on the graph."""

from __future__ import annotations

from typing import Any

from tests.components.application import bodies, changed, shipped, spec

STAGING = shipped()
HOSTS = {
    "domain": "staging.quikapp.com",
    **{name: f"{name}.staging.quikapp.com" for name in ("api", "ws", "grafana", "jaeger", "logs")},
}


def routes(name: str, nodes: Any = STAGING) -> list[Any]:
    return list(spec(nodes, "VirtualService", f"hosts-{name}")["http"])


def leads(route: Any) -> tuple[str, str]:
    """Path and where it goes."""
    path = route["match"][0]["uri"]["prefix"] if "match" in route else "/"
    return path, route["route"][0]["destination"]["host"].partition(".")[0]


def test_every_host_and_no_other() -> None:
    assert {name: spec(STAGING, "VirtualService", f"hosts-{name}")["hosts"] for name in HOSTS} == {
        name: [host] for name, host in HOSTS.items()
    }
    for server in spec(STAGING, "Gateway", "hosts")["servers"]:
        assert set(server["hosts"]) == set(HOSTS.values())


def test_tls_and_a_port_that_only_redirects() -> None:
    secure, plain = spec(STAGING, "Gateway", "hosts")["servers"]
    assert (secure["port"]["number"], secure["port"]["protocol"]) == (8443, "HTTPS")
    assert secure["tls"] == {
        "mode": "SIMPLE",
        "credentialName": "gateway-certificate",
        "minProtocolVersion": "TLSV1_2",
    }
    assert (plain["port"]["number"], plain["tls"]) == (8080, {"httpsRedirect": True})


def test_the_api_by_path() -> None:
    assert [leads(route) for route in routes("api")] == [
        ("/auth", "auth-service"),
        ("/users", "user-service"),
        ("/messages", "message-service"),
        ("/search", "search-service"),
        ("/", "backend"),
    ]


def test_browsers_are_told_to_stay_with_https_and_what_they_may() -> None:
    for name in HOSTS:
        for route in routes(name):
            headers = route["headers"]["response"]["set"]
            assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
            assert headers["x-content-type-options"] == "nosniff"


def test_cors_is_for_the_own_origin() -> None:
    for route in routes("api"):
        assert route["corsPolicy"]["allowOrigins"] == [{"exact": "https://staging.quikapp.com"}]
    assert all("corsPolicy" not in route for route in routes("ws"))


def test_websockets_are_not_cut_off() -> None:
    [route] = routes("ws")
    assert "timeout" not in route
    assert leads(route) == ("/", "message-service")
    assert all(route["timeout"] == "15s" for route in routes("api"))


def test_the_rate_is_multiplied() -> None:
    def bucket(nodes: Any, name: str = "backend") -> Any:
        [patch] = spec(nodes, "EnvoyFilter", f"{name}-rate-limit")["configPatches"]
        assert patch["match"]["context"] == "SIDECAR_INBOUND"
        return patch["patch"]["value"]["typed_config"]["token_bucket"]

    assert bucket(STAGING) == {"max_tokens": 100, "tokens_per_fill": 100, "fill_interval": "1s"}
    tripled = changed(("RATE_LIMIT_MULTIPLIER: 1\n", "RATE_LIMIT_MULTIPLIER: 3\n"))
    assert bucket(tripled)["max_tokens"] == 300
    limited = {b["metadata"]["name"].removesuffix("-rate-limit") for b in bodies(STAGING, "EnvoyFilter")}
    services = {"backend", "auth-service", "user-service", "message-service", "search-service"}
    assert limited == services | {"grafana", "jaeger", "sign-in"}


def test_jaeger_asks_who_it_is_at_its_own_pods() -> None:
    found = spec(STAGING, "AuthorizationPolicy", "jaeger-signed-in")
    assert (found["action"], found["provider"]) == ("CUSTOM", {"name": "sign-in"})
    assert found["selector"] == {"matchLabels": {"app": "jaeger"}}
    [source] = found["rules"][0]["from"]
    assert source["source"]["principals"] == ["staging.quikapp.com/ns/istio-ingress/sa/istio-ingress"]
    assert leads(routes("jaeger")[0]) == ("/oauth2", "sign-in")


def test_logs_lead_to_the_search_domain_with_tls_by_its_own_name() -> None:
    [route] = routes("logs")
    assert "elasticsearch.endpoint" in route["route"][0]["destination"]["host"]
    assert "elasticsearch.endpoint" in route["rewrite"]["authority"]
    rule = spec(STAGING, "DestinationRule", "elasticsearch")
    assert rule["exportTo"] == ["istio-ingress"]
    assert rule["trafficPolicy"]["tls"]["mode"] == "SIMPLE"
    assert rule["trafficPolicy"]["tls"]["caCertificates"] == "system"


def test_services_are_there_before_their_hosts() -> None:
    [component] = [n for n in STAGING if n["type"] == "understudy:mesh:MeshGateway"]
    waits = "\n".join(component["depends_on"])
    for name in ("backend", "auth-service", "user-service", "message-service", "search-service", "grafana", "jaeger"):
        assert f"core/v1:Service::{name}" in waits
