"""What a mesh, its hosts, tasks and the configuration's endpoints need is asked for, with the line."""

from __future__ import annotations

import pytest

from config.derivation.derive import derive
from config.derivation.mesh_topology import exits, exposed, mesh, outside, users
from config.errors import ConfigError
from config.loader import parse
from config.reading.files import SYSTEMS
from tests.systems import system

TEXT = (SYSTEMS / "quikapp.yaml").read_text(encoding="utf-8")
SYNC = "            schedule: 0 2 * * 0\n"
Mistake = tuple[str, str, str, str]
"""What is wrong, the text replaced, its replacement, and what is said."""
MISTAKES: list[Mistake] = [
    (
        "more replicas at least than at most",
        "replicas: &replicas {min: 3, max: 5}",
        "replicas: &replicas {min: 6, max: 5}",
        "min 6 is above max 5",
    ),
    (
        "a host of another domain",
        "      - host: api.{domain}\n",
        "      - host: api.example.com\n",
        "no load balancer leads 'api.example.com' here",
    ),
    ("a host twice", "      - host: ws.{domain}\n", "      - host: api.{domain}\n", "api.{domain} is there twice"),
    (
        "a host that nothing leads to",
        "      - host: ws.{domain}\n",
        "      - host: chat.{domain}\n",
        "no load balancer leads 'chat.{domain}' here",
    ),
    (
        "a route to nobody",
        "{path: /users, to: user-service}",
        "{path: /users, to: users}",
        "leads to 'users', which is not declared",
    ),
    (
        "a route to a database",
        "{path: /users, to: user-service}",
        "{path: /users, to: postgres}",
        "leads to 'postgres', which answers no browser",
    ),
    (
        "a route that is never reached",
        "{path: /users, to: user-service}",
        "{path: /auth/users, to: user-service}",
        "the route for '/auth/users' is never reached, '/auth' comes before it",
    ),
    ("everybody's origin", 'origins: ["https://{domain}"]', 'origins: ["*"]', "'*' is everybody"),
    (
        "a rate times nothing",
        "multiplier: RATE_LIMIT_MULTIPLIER",
        "multiplier: LOG_LEVEL",
        "multiplies by LOG_LEVEL, which is 'info'",
    ),
    ("sign-in at no proxy for it", "authentication: sign-in", "authentication: grafana", "is of no kind oauth2-proxy"),
    ("sign-in that its target does not use", "    uses: [sign-in]\n", "", "which 'jaeger' does not use"),
    (
        "an issuer nobody may reach",
        "issuer: accounts.google.com",
        "issuer: id.example.com",
        "is no host of a component of kind external that it uses",
    ),
    (
        "a canary of nothing",
        "    minAvailable: 2\n",
        "    minAvailable: 2\n    canary: {weight: 0%}\n",
        "between 1% and 50%",
    ),
    (
        "a canary of most",
        "    minAvailable: 2\n",
        "    minAvailable: 2\n    canary: {weight: 60%}\n",
        "between 1% and 50%",
    ),
    ("no load balancer for the mesh", "    balancer: ingress\n", "    balancer: cdn\n", "'cdn' is no load balancer"),
    (
        "the gateway in the mesh's own namespace",
        "ingressNamespace: istio-ingress",
        "ingressNamespace: istio-system",
        "is the mesh's own",
    ),
    (
        "an exit without a name",
        "    uses: [slack, pagerduty]\n",
        "    uses: [slack, pagerduty]\n    egress: [{cidr: 192.0.2.0/24, ports: [443], because: a partner's network}]\n",
        "a mesh lets nothing out that has no name",
    ),
    (
        "waiting for a service",
        "    waitsFor: [db-migration]\n",
        "    waitsFor: [auth-service]\n",
        "waits for 'auth-service', which is no job",
    ),
    (
        "data for no database",
        "            database: postgres\n",
        "            database: redis\n",
        "'redis' is no database of Aurora PostgreSQL",
    ),
    (
        "data for a database that is not used",
        "            uses: [postgres]\n",
        "            uses: [mysql]\n",
        "does not use 'postgres', whose data it replaces",
    ),
    (
        "a sanitising account of eleven digits",
        'account: "777788889999"',
        'account: "77778888999"',
        "an AWS account id has 12 digits",
    ),
    (
        "metrics of no store",
        "stores: [postgres, mysql,",
        "stores: [backend, mysql,",
        "'backend' is no store that AWS manages",
    ),
    (
        "an endpoint of nobody",
        "{endpoints.mysql.host}",
        "{endpoints.uploads.host}",
        "{endpoints.uploads.host} is of no store of the platform",
    ),
    (
        "readers of a store without",
        "{endpoints.redis.host}",
        "{endpoints.redis.reader}",
        "'redis' has no endpoint for readers",
    ),
    (
        "a key that is not there",
        "app-config: [ENVIRONMENT,",
        "app-config: [ENVIRONMENTS,",
        "holds 'ENVIRONMENTS', which the configuration lacks",
    ),
    (
        "a key that a store's secret lacks",
        "{secret: app-secrets, key: JWT_ACCESS_SECRET}",
        "{secret: db-credentials, key: token}",
        "secret 'db-credentials' has no key 'token'",
    ),
    (
        "a second mesh",
        "\n  hosts:\n",
        "\n  mesh-2: {kind: istio, version: 1.31.1, charts: oci://r.example.com/c, images: r.example.com/i, balancer: ingress}\n\n  hosts:\n",
        "a second mesh, beside 'mesh'",
    ),
    (
        "a use of another environment's component",
        "uses: [auth-service, mysql, redis, kafka, jaeger]",
        "uses: [auth-service, production/mysql]",
        "found 'production/mysql'",
    ),
]


@pytest.mark.parametrize(("old", "new", "says"), [pytest.param(*m[1:], id=m[0]) for m in MISTAKES])
def test_a_mistake_is_answered(old: str, new: str, says: str) -> None:
    assert old in TEXT
    with pytest.raises(ConfigError) as caught:
        parse(TEXT.replace(old, new, 1), "quikapp.yaml")
    assert says in str(caught.value)
    assert all(problem.line for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("existing", "because"),
    [
        ("{host: quikapp.cluster-x.us-east-1.rds.amazonaws.com, port: 5432, cidr: 10.40.16.0/22}", "its network"),
        ("{host: db.quikapp.com, port: 5432, cidr: 192.0.2.0/24}", "its name"),
    ],
)
def test_a_store_of_another_environment_is_used_by_nobody(existing: str, because: str) -> None:
    change = f"""      - because: staging looks at production's data
        set: {{postgres.existing: {existing}}}
      - because: staging's data are"""
    found = parse(TEXT.replace("      - because: staging's data are", change), "quikapp.yaml")
    with pytest.raises(ConfigError, match="in staging, 'postgres' is production's") as caught:
        derive(found, "staging")
    assert all(problem.line for problem in caught.value.problems), because


def test_a_host_has_to_be_inside_the_environments_domain() -> None:
    text = TEXT.replace('"api.{domain}", "ws.{domain}"', '"api.quikapp.com", "ws.{domain}"').replace(
        "      - host: api.{domain}\n", "      - host: api.quikapp.com\n"
    )
    with pytest.raises(ConfigError, match=r"in staging, 'api.quikapp.com' is not inside 'staging.quikapp.com'"):
        derive(parse(text, "quikapp.yaml"), "staging")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "  front:\n    kind: mesh-gateway\n    hosts: [{host: shop.example.com, routes: [{to: web}]}]\n",
            "there is no mesh",
        ),
        (
            "  mail:\n    kind: external\n    hosts: [mail.example.com]\n",
            "without a mesh NetworkPolicies know networks",
        ),
    ],
)
def test_without_a_mesh_there_is_no_gateway_and_no_name_to_leave_by(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        system(("  db:\n", f"{text}  db:\n"))


def test_a_canary_needs_a_mesh() -> None:
    with pytest.raises(ConfigError, match="a canary needs a mesh"):
        system(("    readiness: {path: /ready}\n", "    canary: {weight: 10%}\n    readiness: {path: /ready}\n"))


def test_who_calls_whom_and_what_leaves_the_network() -> None:
    resolved, _ = derive(parse(TEXT, "quikapp.yaml"), "staging")
    assert mesh(resolved) is not None
    assert users(resolved, "user-service") == ("backend", "message-service")
    assert exposed(resolved, "grafana")
    assert not exposed(resolved, "prometheus")
    assert outside(resolved, "alertmanager") == {"hooks.slack.com": 443, "events.pagerduty.com": 443}
    assert exits(resolved).keys() == {
        "slack",
        "pagerduty",
        "identity-provider",
        "uploads",
        "cloudwatch-exporter",
        "staging-data-sync",
    }
