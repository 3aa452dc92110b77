"""Certificates: an authority of the environment's own, or an issuer of cert-manager."""

from __future__ import annotations

from tests.components.graphs import inputs, node, recorded

MANAGED = (
    "    domain: staging.shop.example.com\n",
    "    domain: staging.shop.example.com\n    certificates: {mode: cert-manager, issuer: stores, issuerKind: ClusterIssuer}\n",
)
WITHOUT_TLS = (
    ("kind: postgresql", "kind: redis\n    sentinel: false\n    nodes: 1"),
    ('version: "16.4"', "version: 7.2.6"),
    ("    database: shop_{environment}\n", ""),
)


def test_self_signed_is_a_secret_of_the_usual_form() -> None:
    nodes = recorded()
    secret = inputs(nodes, "Secret", "db-tls")
    assert secret["type"] == "kubernetes.io/tls"
    assert {key: value["[secret]"].rpartition("::")[2] for key, value in secret["stringData"].items()} == {
        "ca.crt": "authority.bundle}",
        "tls.crt": "db-tls.certificate}",
        "tls.key": "db-tls.key}",
    }
    request = inputs(nodes, "Certificate", "db-tls")
    assert "db.shop-staging.svc.cluster.local" in request["hosts"]
    assert (request["seconds"], request["renew_before_seconds"]) == (365 * 86400, 60 * 86400)


def test_keys_are_secret_in_the_state() -> None:
    assert inputs(recorded(), "Certificate", "db-tls")["authority_key"] == {
        "[secret]": node(recorded(), "Authority", "authority")["urn"].join(("${", ".key}"))
    }


def test_its_provider_is_explicit() -> None:
    assert (node(recorded(), "Certificate", "db-tls")["provider"] or "").endswith("::issuer")


def test_pods_roll_with_a_certificate_that_the_program_issues() -> None:
    template = inputs(recorded(), "StatefulSet", "db")["spec"]["template"]
    assert template["metadata"]["annotations"]["understudy.dev/certificate"].endswith("::db-tls.fingerprint}")


def test_cert_manager_is_asked_for_the_same() -> None:
    nodes = recorded(MANAGED)
    spec = inputs(nodes, "Certificate", "db-tls")["spec"]
    assert spec["secretName"] == "db-tls"
    assert spec["issuerRef"] == {"name": "stores", "kind": "ClusterIssuer", "group": "cert-manager.io"}
    assert (spec["duration"], spec["renewBefore"]) == ("31536000s", "5184000s")
    assert spec["dnsNames"] == inputs(recorded(), "Certificate", "db-tls")["hosts"]
    assert not [n for n in nodes if n["type"].startswith(("pulumi-python:", "pulumi:providers:pulumi-python"))]
    assert (
        inputs(nodes, "StatefulSet", "db")["spec"]["template"]["spec"]["volumes"]
        == (inputs(recorded(), "StatefulSet", "db")["spec"]["template"]["spec"]["volumes"])
    )


def test_an_authority_is_made_only_where_one_is_needed() -> None:
    nodes = recorded(*WITHOUT_TLS)
    assert not [n for n in nodes if "pulumi-python" in n["type"] or n["type"].endswith(":Authority")]
