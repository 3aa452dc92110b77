"""For every rule on the mesh the ways to break it: on the graph of QuikApp's application, and on its platform's."""

from __future__ import annotations

from typing import Any

from tests.policies.aws_cases import Cases
from tests.policies.fixtures import GONE, Spoil, added, change, without

PEER = ("PeerAuthentication", "default-mesh")
RULE = ("DestinationRule", "backend")
BACKEND = ("AuthorizationPolicy", "backend-mesh")
SECURITY = "kubernetes:security.istio.io/v1"
PRINCIPALS = "spec.rules.0.from.0.source.principals"
OUT = ("AuthorizationPolicy", "mesh-istio-egress-slack")
WAY_OUT = ("NetworkPolicy", "mesh-istio-egress-allowed")
CREDENTIAL = "spec.data.0.remoteRef.key"


def here(spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x", "namespace": "quikapp-staging", "labels": {}}, "spec": spec}


def of(kind: str, name: str, path: str, value: Any = GONE) -> list[Spoil]:
    return [change(kind, name, path, value)]


MESH_PASSES: Cases = {
    "mesh-mutual-tls": [
        ("a rule without TLS settings", of(*RULE, "spec.trafficPolicy.tls")),
        ("a port that is strict too", of(*PEER, "spec.portLevelMtls", {"9464": {"mode": "STRICT"}})),
        (
            "injection that is asked for",
            of("Deployment", "backend", "spec.template.metadata.labels.sidecar~istio~io/inject", "true"),
        ),
    ],
    "mesh-authorization": [
        (
            "a policy that denies",
            [added(f"{SECURITY}:AuthorizationPolicy", "x", here({"action": "DENY", "rules": [{}]}))],
        ),
        ("one caller more", of(*BACKEND, f"{PRINCIPALS}.1", "staging.quikapp.com/ns/quikapp-staging/sa/grafana")),
    ],
    "isolation-network-paths": [
        (
            "the agent that gives roles",
            of("NetworkPolicy", "grafana-network", "spec.egress.0.to", [{"ipBlock": {"cidr": "169.254.170.23/32"}}]),
        ),
    ],
    "isolation-credential-origin": [
        (
            "a secret of the own account",
            of(
                "ExternalSecret", "db-credentials", CREDENTIAL, "arn:aws:secretsmanager:us-east-1:444455556666:secret:x"
            ),
        ),
    ],
}
MESH_FAILS: Cases = {
    "mesh-mutual-tls": [
        ("anybody may come", of(*PEER, "spec.mtls.mode", "PERMISSIVE")),
        ("no mode", of(*PEER, "spec.mtls")),
        ("a port in the clear", of(*PEER, "spec.portLevelMtls", {"8080": {"mode": "DISABLE"}})),
        ("one workload's own", [added(f"{SECURITY}:PeerAuthentication", "x", here({"mtls": {"mode": "DISABLE"}}))]),
        ("in the clear to a pod", of(*RULE, "spec.trafficPolicy.tls.mode", "DISABLE")),
        (
            "TLS of its own to a pod",
            of(*RULE, "spec.trafficPolicy.tls", {"mode": "SIMPLE", "caCertificates": "system"}),
        ),
        ("one port apart", of(*RULE, "spec.trafficPolicy.portLevelSettings", [{"port": {"number": 8080}}])),
        (
            "in the clear to a store",
            of("DestinationRule", "elasticsearch-mesh", "spec.trafficPolicy.tls.mode", "DISABLE"),
        ),
        (
            "nobody looks who signed",
            of("DestinationRule", "elasticsearch-mesh", "spec.trafficPolicy.tls.caCertificates"),
        ),
        ("no injection", of("Namespace", "namespace", "metadata.labels.istio-injection")),
        (
            "a pod without a proxy",
            of("Deployment", "backend", "spec.template.metadata.labels.sidecar~istio~io/inject", "false"),
        ),
        (
            "a task without a proxy",
            of(
                "CronJob",
                "staging-data-sync",
                "spec.jobTemplate.spec.template.metadata.annotations.sidecar~istio~io/inject",
                "false",
            ),
        ),
        (
            "a port around the proxy",
            of(
                "Deployment",
                "backend",
                "spec.template.metadata.annotations.traffic~sidecar~istio~io/excludeInboundPorts",
                "8080",
            ),
        ),
        ("nothing for the whole namespace", [without(*PEER)]),
    ],
    "mesh-authorization": [
        ("everybody", of(*BACKEND, "spec.rules.0.from")),
        ("every service account", of(*BACKEND, f"{PRINCIPALS}.0", "*")),
        ("every one of a namespace", of(*BACKEND, f"{PRINCIPALS}.0", "staging.quikapp.com/ns/quikapp-staging/*")),
        ("one of another mesh", of(*BACKEND, f"{PRINCIPALS}.0", "other.example.com/ns/quikapp-staging/sa/grafana")),
        ("a namespace and no account", of(*BACKEND, "spec.rules.0.from.0.source", {"namespaces": ["istio-ingress"]})),
        ("every port", of(*BACKEND, "spec.rules.0.to")),
        ("no default", [without("AuthorizationPolicy", "default-deny-mesh")]),
        ("a default that allows", of("AuthorizationPolicy", "default-deny-mesh", "spec.rules", [{}])),
        ("every host", of("ServiceEntry", "slack-mesh", "spec.hosts.0", "*.slack.com")),
    ],
    "isolation-network-paths": [
        (
            "another namespace",
            of(
                "NetworkPolicy",
                "grafana-network",
                "spec.egress.0.to",
                [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "istio-cni"}}}],
            ),
        ),
        (
            "the internet, not by the gateway",
            of("NetworkPolicy", "grafana-network", "spec.egress.0.to", [{"ipBlock": {"cidr": "0.0.0.0/0"}}]),
        ),
    ],
    "ratios-replicas": [
        (
            "a canary that nobody declared",
            [
                change("Deployment", "backend", "spec.selector.matchLabels.understudy~dev/track", "canary"),
                change("Deployment", "backend", "spec.replicas", 1),
            ],
        ),
    ],
    "isolation-credential-origin": [
        (
            "another account's secret",
            of(
                "ExternalSecret", "db-credentials", CREDENTIAL, "arn:aws:secretsmanager:us-east-1:999988887777:secret:x"
            ),
        ),
        (
            "a parameter",
            of("ExternalSecret", "db-credentials", CREDENTIAL, "arn:aws:ssm:us-east-1:444455556666:parameter/x"),
        ),
    ],
}
CHARTS_FAILS: Cases = {
    "mesh-charts": [
        ("any version", of("Release", "mesh-istiod", "version", "1.x")),
        ("no version", of("Release", "cluster-external-dns", "version")),
        (
            "anything may be called",
            of("Release", "mesh-istiod", "values.meshConfig.outboundTrafficPolicy.mode", "ALLOW_ANY"),
        ),
        (
            "anything may be called, by a packaged chart",
            [
                change("Release", "mesh-istiod", "chart", "/srv/charts/istiod-1.31.1.tgz"),
                change("Release", "mesh-istiod", "values.meshConfig.outboundTrafficPolicy.mode", "ALLOW_ANY"),
            ],
        ),
        ("older TLS", of("Release", "mesh-istiod", "values.meshConfig.meshMTLS")),
        ("no node agent", of("Release", "mesh-istiod", "values.cni.enabled", value=False)),
        ("ordinary sidecars", of("Release", "mesh-istiod", "values.env.ENABLE_NATIVE_SIDECARS", "false")),
        ("proxies without seccomp", of("Release", "mesh-istiod", "values.global.proxy.seccompProfile")),
        ("everybody's trust domain", of("Release", "mesh-istiod", "values.meshConfig.trustDomain", "cluster.local")),
        ("another registry", of("Release", "mesh-istio-cni", "values.global.hub", "docker.io/istio")),
        ("another image", of("Release", "mesh-istiod", "values.global.tag", "latest")),
        ("a load balancer of its own", of("Release", "mesh-istio-ingress", "values.service.type", "LoadBalancer")),
        ("root", of("Release", "mesh-istio-egress", "values.securityContext.runAsNonRoot", value=False)),
        ("privileged pods among others", of("Release", "mesh-istio-cni", "namespace", "istio-system")),
        ("privileged pods among the application's", of("Release", "mesh-istio-cni", "namespace", "quikapp-staging")),
    ],
    "mesh-authorization": [
        ("every host through the gateway out", of(*OUT, "spec.rules.0.when")),
        ("a star through the gateway out", of(*OUT, "spec.rules.0.when.0.values.0", "*.slack.com")),
    ],
    "isolation-network-paths": [
        (
            "private addresses through the gateway out",
            of(*WAY_OUT, "spec.egress.2.to.0.ipBlock.except", ["10.0.0.0/8"]),
        ),
        (
            "everywhere from the gateway in",
            of("NetworkPolicy", "mesh-istio-ingress-allowed", "spec.egress.0.to", [{"ipBlock": {"cidr": "0.0.0.0/0"}}]),
        ),
        (
            "from the whole world",
            of(
                "NetworkPolicy",
                "mesh-istio-ingress-allowed",
                "spec.ingress.0.from",
                [{"ipBlock": {"cidr": "0.0.0.0/0"}}],
            ),
        ),
    ],
}
