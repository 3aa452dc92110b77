"""The mesh's control plane and gateways on the graph."""

from __future__ import annotations

from typing import Any

from tests.components.aws.platform import inputs, names, node, refers, shipped

STAGING, PRODUCTION = shipped(), shipped("production")


def release(name: str) -> Any:
    return inputs(STAGING, ":Release", f"mesh-{name}")


def spec(kind: str, name: str) -> Any:
    return inputs(STAGING, f":{kind}", f"mesh-{name}")["spec"]


def test_each_is_pinned_and_in_its_own_namespace() -> None:
    found = {
        name: (release(name)["chart"].rpartition("/")[2], release(name)["namespace"], release(name)["version"])
        for name in ("istio-base", "istio-cni", "istiod", "istio-ingress", "istio-egress")
    }
    assert found == {
        "istio-base": ("base", "istio-system", "1.31.1"),
        "istio-cni": ("cni", "istio-cni", "1.31.1"),
        "istiod": ("istiod", "istio-system", "1.31.1"),
        "istio-ingress": ("gateway", "istio-ingress", "1.31.1"),
        "istio-egress": ("gateway", "istio-egress", "1.31.1"),
    }


def test_only_the_node_agents_namespace_is_privileged() -> None:
    levels = {
        name.removeprefix("mesh-"): inputs(STAGING, ":Namespace", name)["metadata"]["labels"][
            "pod-security.kubernetes.io/enforce"
        ]
        for name in names(STAGING, ":Namespace")
        if name.startswith("mesh-")
    }
    assert levels == {
        "istio-system": "restricted",
        "istio-cni": "privileged",
        "istio-ingress": "restricted",
        "istio-egress": "restricted",
    }


def test_the_mesh_lets_nothing_out_that_has_no_name_and_runs_jobs_to_their_end() -> None:
    values = release("istiod")["values"]
    assert values["meshConfig"]["outboundTrafficPolicy"] == {"mode": "REGISTRY_ONLY"}
    assert values["meshConfig"]["trustDomain"] == "staging.quikapp.com"
    assert values["env"]["ENABLE_NATIVE_SIDECARS"] == "true"
    assert values["cni"] == {"enabled": True}
    assert values["global"]["proxy"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert (values["global"]["hub"], values["global"]["tag"]) == ("registry.quikapp.dev/istio", "1.31.1")


def test_proxies_know_whom_to_ask_and_whom_to_tell() -> None:
    providers = {p["name"]: p for p in release("istiod")["values"]["meshConfig"]["extensionProviders"]}
    assert providers["sign-in"]["envoyExtAuthzHttp"]["service"] == "sign-in.quikapp-staging.svc.cluster.local"
    assert providers["tracing"]["opentelemetry"] == {
        "service": "jaeger.quikapp-staging.svc.cluster.local",
        "port": 4317,
    }


def test_gateways_are_no_load_balancers_and_run_as_nobody() -> None:
    for name in ("istio-ingress", "istio-egress"):
        values = release(name)["values"]
        assert values["service"]["type"] == "ClusterIP"
        assert all(port["port"] == port["targetPort"] > 1024 for port in values["service"]["ports"])
        assert values["securityContext"]["runAsNonRoot"] is True
        assert values["autoscaling"]["minReplicas"] == 2


def test_the_gateways_pods_join_the_load_balancer() -> None:
    for label, port in (("secure", 8443), ("redirect", 8080)):
        found = spec("TargetGroupBinding", f"istio-ingress-{label}")
        assert found["serviceRef"] == {"name": "istio-ingress", "port": port}
        assert found["targetType"] == "ip"
        assert refers(found["targetGroupARN"], ":TargetGroup", f"ingress-{label}")


def test_its_certificate_is_issued_for_the_load_balancers_names() -> None:
    found = inputs(STAGING, ":Certificate", "mesh-gateway")
    assert "api.staging.quikapp.com" in found["hosts"]
    secret = inputs(STAGING, ":Secret", "mesh-gateway-certificate")
    assert secret["metadata"]["namespace"] == "istio-ingress"
    assert secret["type"] == "kubernetes.io/tls"
    assert set(secret["stringData"]) == {"tls.crt", "tls.key"}
    assert all("[secret]" in value for value in secret["stringData"].values())


def test_the_gateway_out_passes_on_declared_names_only() -> None:
    assert spec("AuthorizationPolicy", "istio-egress-default-deny") == {}
    allowed = {
        value
        for name in names(STAGING, ":AuthorizationPolicy")
        for rule in inputs(STAGING, ":AuthorizationPolicy", name)["spec"].get("rules", ())
        for condition in rule["when"]
        for value in condition["values"]
    }
    assert allowed == {
        "hooks.slack.com",
        "events.pagerduty.com",
        "accounts.google.com",
        "oauth2.googleapis.com",
        "www.googleapis.com",
        "quikapp-staging-uploads.s3.us-east-1.amazonaws.com",
        "monitoring.us-east-1.amazonaws.com",
        "tagging.us-east-1.amazonaws.com",
        "rds.us-east-1.amazonaws.com",
    }


def test_its_namespaces_are_closed_but_for_what_a_mesh_needs() -> None:
    for room in ("istio-system", "istio-ingress", "istio-egress"):
        assert spec("NetworkPolicy", f"{room}-default-deny") == {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
        }
    way_in = spec("NetworkPolicy", "istio-ingress-allowed")
    assert [source["ipBlock"]["cidr"] for source in way_in["ingress"][0]["from"]] == [
        "10.50.0.0/22",
        "10.50.4.0/22",
        "10.50.8.0/22",
    ]
    way_out = spec("NetworkPolicy", "istio-egress-allowed")
    internet = way_out["egress"][-1]["to"][0]["ipBlock"]
    assert internet["cidr"] == "0.0.0.0/0"
    assert "10.0.0.0/8" in internet["except"]


def test_gateways_come_after_the_control_plane_and_the_definitions_before_all() -> None:
    def waits(name: str) -> str:
        return "\n".join(node(STAGING, ":Release", f"mesh-{name}")["depends_on"])

    assert "Release::mesh-istio-base" in waits("istio-cni")
    assert "Release::mesh-istio-cni" in waits("istiod")
    assert "Release::mesh-istiod" in waits("istio-ingress")


def test_production_keeps_its_namespaces() -> None:
    assert all(node(PRODUCTION, ":Namespace", name)["protect"] for name in names(PRODUCTION, ":Namespace"))
