"""OAuth2 Proxy on the graph."""

from __future__ import annotations

from tests.components.application import bodies, shipped, spec

STAGING, PRODUCTION = shipped(), shipped("quikapp-production")


def test_it_asks_the_provider_and_serves_nothing_itself() -> None:
    [container] = spec(STAGING, "Deployment", "sign-in")["template"]["spec"]["containers"]
    arguments = set(container["args"])
    assert "--oidc-issuer-url=https://accounts.google.com" in arguments
    assert "--upstream=static://200" in arguments
    assert "--cookie-secure=true" in arguments
    assert "--code-challenge-method=S256" in arguments
    assert "--email-domain=*" not in arguments


def test_a_session_is_one_environments() -> None:
    for nodes, domain, client in (
        (STAGING, ".staging.quikapp.com", "quikapp-staging"),
        (PRODUCTION, ".quikapp.com", "quikapp-production"),
    ):
        [container] = spec(nodes, "Deployment", "sign-in")["template"]["spec"]["containers"]
        assert {f"--cookie-domain={domain}", f"--whitelist-domain={domain}", f"--client-id={client}"} <= set(
            container["args"]
        )


def test_its_secrets_are_in_a_secret() -> None:
    [container] = spec(STAGING, "Deployment", "sign-in")["template"]["spec"]["containers"]
    found = {e["name"]: e["valueFrom"]["secretKeyRef"]["name"] for e in container["env"] if "valueFrom" in e}
    assert found["OAUTH2_PROXY_CLIENT_SECRET"] == found["OAUTH2_PROXY_COOKIE_SECRET"] == "sign-in"
    assert "sign-in" in {b["metadata"]["name"] for b in bodies(STAGING, "Secret")}


def test_the_proxies_of_those_behind_it_reach_it() -> None:
    rules = spec(STAGING, "AuthorizationPolicy", "sign-in")["rules"]
    callers = {p.rpartition("/")[2] for rule in rules for s in rule["from"] for p in s["source"]["principals"]}
    assert callers == {"jaeger", "istio-ingress", "prometheus"}
