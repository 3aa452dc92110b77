"""For every rule the ways to break it, each named for its reason; and what it has to let pass besides the shipped graphs."""

from __future__ import annotations

import base64
from typing import Any

from tests.policies.fixtures import Nodes, Spoil, added, change, find, option, without

STS, DEP, POLICY = "StatefulSet", "Deployment", "NetworkPolicy"
CONTAINER = "spec.template.spec.containers.0"
DB = "cockroachdb"
ENV = "Environment"


def ingress(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": spec}


def meta(**more: Any) -> dict[str, Any]:
    return {"name": "x", "namespace": "staging", "labels": {"app.kubernetes.io/name": "game-server"}, **more}


WIDE = base64.b64encode("redis.production.svc".encode("utf-16")).decode()
HOSTS = {
    "tls": [{"hosts": ["a.staging.spacetime.example.com"]}],
    "rules": [{"host": "a.staging.spacetime.example.com"}],
}
SIGNED_IN = {"annotations": {"nginx.ingress.kubernetes.io/auth-url": "https://login.staging.spacetime.example.com"}}
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
MESH = "kubernetes:networking.istio.io/v1:Gateway"
EXTERNAL = "kubernetes:external-secrets.io/v1:ExternalSecret"
RDS = "aws:rds/cluster:Cluster"


def role(**entry: Any) -> dict[str, Any]:
    return {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], **entry}]}


def binding(**more: Any) -> dict[str, Any]:
    subject = {"kind": "ServiceAccount", "name": "game-server", "namespace": "staging"}
    return {"metadata": meta(), "roleRef": {"kind": "Role", "name": "x"}, "subjects": [subject], **more}


def claim(**spec: Any) -> dict[str, Any]:
    return {"spec": {"resources": {"requests": {"storage": "1G"}}, **spec}}


EXTERNALLY = change(
    ENV, "spacetime", "resolved.environment.secrets", {"mode": "external-secrets", "prefix": "space/staging"}
)


def DERIVED(path: str, value: str) -> list[Spoil]:  # noqa: N802 - a word of the table
    """A scaled size that is another one, in the environment and in its derivation alike."""

    def spoil(nodes: Nodes) -> None:
        entry = next(e for e in find(nodes, ENV, "spacetime")["inputs"]["derivation"] if e["path"] == path)
        entry["value"] = value

    return [change(ENV, "spacetime", f"resolved.components.{path}", value), spoil]


PASSES: dict[str, list[tuple[str, list[Spoil]]]] = {
    "isolation-exposure": [
        (
            "a gateway of the mesh that redirects to TLS",
            [
                added(
                    MESH,
                    "x",
                    {
                        "spec": {
                            "servers": [
                                {"port": {"protocol": "HTTP"}, "tls": {"httpsRedirect": True}},
                                {"port": {"protocol": "HTTPS"}},
                            ]
                        }
                    },
                )
            ],
        ),
        (
            "an ingress with TLS and a sign-in",
            [added(INGRESS, "x", {**ingress(**HOSTS), "metadata": meta(**SIGNED_IN)})],
        ),
        (
            "a gateway with TLS",
            [
                added(
                    "kubernetes:gateway.networking.k8s.io/v1:Gateway",
                    "x",
                    {"spec": {"listeners": [{"protocol": "HTTPS"}]}},
                )
            ],
        ),
    ],
    "isolation-credential-origin": [
        (
            "an external secret below its prefix",
            [EXTERNALLY, added(EXTERNAL, "x", {"spec": {"data": [{"remoteRef": {"key": "space/staging/a/b"}}]}})],
        ),
        *(
            (f"no credential: {name}", [change("ConfigMap", "configuration", f"data.{name}", value)])
            for name, value in (
                ("CSRF_TOKEN", "X-CSRF-Token"),
                ("MAX_TOKEN", "4096"),
                ("USE_SECRET", "true"),
                ("TOKEN_TTL", "15m"),
                ("DB_PASSWORD_FILE", "/run/secrets/password"),
                ("DB_PASSWORD", "$(PASSWORD)"),
                ("PUBLIC_KEY", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8dZ4Zl5m3n8Y5X0y9S2rWZ0mGmQx0b7kM1uXyZ9a1b"),
                ("PARTITION_KEY", "customer"),
                ("GREETING", "password: the word that opens, token: the other"),
                ("PROXY", "http://proxy:3128"),
            )
        ),
    ],
    "isolation-known-kinds": [
        (
            "a pod's template in any kind",
            [
                added(
                    "kubernetes:argoproj.io/v1alpha1:Rollout", "x", {"spec": {"template": {"spec": {"containers": []}}}}
                )
            ],
        ),
    ],
    "isolation-sanitised-data": [
        (
            "a sanitised snapshot",
            [added(CLAIM, "x", claim(dataSource={"kind": "VolumeSnapshot", "name": "weekly-sanitised"}))],
        ),
    ],
    "isolation-foreign-names": [
        (
            "its own domain below production's",
            [change("ConfigMap", "configuration", "data.URL", "https://api.staging.spacetime.example.com")],
        ),
        ("a mode of the program", [change("ConfigMap", "configuration", "data.NODE_ENV", "production")]),
        ("settings of that mode", [change("ConfigMap", "configuration", "data.S", "config.settings.production")]),
        ("a word that only begins so", [change("ConfigMap", "configuration", "data.MODE", "production-like")]),
        ("the shared registry", [change("ConfigMap", "configuration", "data.R", "registry.spacetime.example.com/x")]),
    ],
    "workloads-rbac": [
        ("a role that names what it reads", [added(ROLE, "x", role())]),
        ("a role for one Secret", [added(ROLE, "x", role(resources=["secrets"], resourceNames=["one"]))]),
        (
            "a binding for its own account",
            [added(ROLE, "x", {"metadata": meta(), **role()}), added(BINDING, "x", binding())],
        ),
    ],
    "workloads-pinned-images": [
        ("a digest", [change(DEP, "game-server", f"{CONTAINER}.image", f"r.example.com/a@sha256:{'0' * 64}")]),
        ("a commit", [change(DEP, "game-server", f"{CONTAINER}.image", "r.example.com/a:0a1b2c3d")]),
    ],
    "data-encryption": [("an encrypted cluster", [added(RDS, "x", {"storageEncrypted": True})])],
    "data-backups": [("a cluster that keeps a week", [added(RDS, "x", {"backupRetentionPeriod": 7})])],
}

FAILS: dict[str, list[tuple[str, list[Spoil]]]] = {
    "isolation-foreign-names": [
        ("production's namespace in a host", [change("ConfigMap", "configuration", "data.H", "redis-master.production.svc.cluster.local")]),
        ("production's namespace, split in two", [change(DEP, "game-server", f"{CONTAINER}.env.0", {"name": "A", "value": "redis.production"}), change(DEP, "game-server", f"{CONTAINER}.args", ["$(A).svc.cluster.local"])]),
        ("a port behind production's namespace", [change("ConfigMap", "configuration", "data.H", "anything.production:5432")]),
        ("a component in production's namespace", [change("ConfigMap", "configuration", "data.H", "cockroachdb-public.production")]),
        ("production's namespace, named", [change("ConfigMap", "configuration", "data.POD_NAMESPACE", "production")]),
        ("production's namespace, as an argument", [change("ConfigMap", "configuration", "data.A", "kubectl -n production get pods")]),
        ("an address before a full stop", [change("ConfigMap", "configuration", "data.H", "It is at redis.production.svc.")]),
        ("base64 in lines", [change("ConfigMap", "configuration", "data.H", "cmVkaXMu\ncHJvZHVj\ndGlvbi5z\ndmMuY2x1\nc3Rlcg==")]),
        ("base64 of two bytes a letter", [change("ConfigMap", "configuration", "data.H", WIDE)]),
        ("production's domain", [change("ConfigMap", "configuration", "data.H", "https://spacetime.example.com/api")]),
        ("a host below production's domain", [change("ConfigMap", "configuration", "data.H", "api.spacetime.example.com")]),
        ("production's bucket", [change("ConfigMap", "configuration", "data.H", "s3://spacetime-production-backups/x")]),
        ("an address of production's network", [change("ConfigMap", "configuration", "data.H", "172.20.0.5")]),
        ("production's user in base64", [change("ConfigMap", "configuration", "data.H", "cHJvZHVjdGlvbl91c2Vy")]),
        ("production's name in a key", [change("ConfigMap", "configuration", "data.production-config", "x")]),
        ("an unknown that comes from nowhere", [change("ConfigMap", "configuration", "data.H", "${urn:pulumi:other::x::y::z.id}")]),
        ("no declaration of names", [change(ENV, "spacetime", "identities")]),
        ("a kind of name that nobody can find", [change(ENV, "spacetime", "identities.0.kind", "smell")]),
    ],
    "isolation-credential-origin": [
        ("a value without an origin", [change("Secret", "database-credentials", "stringData.mine", "s3cret")]),
        ("no origins at all", [change("Secret", "database-credentials", "metadata.annotations")]),
        ("origins that cannot be read", [change("Secret", "database-credentials", "metadata.annotations.understudy~dev/origins", "{")]),
        ("an origin that is not in the stack", [change("Secret", "database-credentials", "metadata.annotations.understudy~dev/origins", '{"redis-password": "random:index/randomPassword:RandomPassword::elsewhere"}')]),
        ("an origin that generates nothing", [change("Secret", "database-credentials", "metadata.annotations.understudy~dev/origins", '{"redis-password": "kubernetes:core/v1:ConfigMap::configuration"}')]),
        ("given, and not declared so", [change("Secret", "database-credentials", "metadata.annotations.understudy~dev/origins", '{"redis-password": "given"}')]),
        ("a password in a pod's environment", [change(DEP, "game-server", f"{CONTAINER}.env.0", {"name": "DB_PASSWORD", "value": "hunter2"})]),
        ("an external secret elsewhere", [EXTERNALLY, added(EXTERNAL, "x", {"spec": {"data": [{"remoteRef": {"key": "space/live/a"}}]}})]),
        ("everything of a place", [EXTERNALLY, added(EXTERNAL, "x", {"spec": {"dataFrom": [{"extract": {"key": "space/live/a"}}]}})]),
        ("whatever is found", [EXTERNALLY, added(EXTERNAL, "x", {"spec": {"dataFrom": [{"find": {"name": {"regexp": ".*"}}}]}})]),
        ("a generator's", [EXTERNALLY, added(EXTERNAL, "x", {"spec": {"dataFrom": [{"sourceRef": {"generatorRef": {"name": "x"}}}]}})]),
        ("a place above its prefix", [EXTERNALLY, added(EXTERNAL, "x", {"spec": {"data": [{"remoteRef": {"key": "space/staging/../live/a"}}]}})]),
        ("a password in a ConfigMap", [change("ConfigMap", "configuration", "data.DB_PASS", "hunter2")]),
        ("a key of Stripe under any name", [change("ConfigMap", "configuration", "data.X", "sk_live_51HxAbCdEfGhIjKlMn")]),
        ("a key of AWS in an annotation", [change(DEP, "game-server", "metadata.annotations", {"note": "use AKIAIOSFODNN7EXAMPLE"})]),
        ("a password in a URL", [change("ConfigMap", "configuration", "data.X", "amqp://app:hunter2@queue:5672/")]),
        ("a password in a file", [change("ConfigMap", "configuration", "data.app~ini", "[db]\nuser = app\npassword = hunter2\n")]),
        ("a password in base64", [change("ConfigMap", "configuration", "data.X", "eyJkYi5wYXNzd29yZCI6ICJodW50ZXIyIn0=")]),
        ("a private key", [change("ConfigMap", "configuration", "data.X", "-----BEGIN EC PRIVATE KEY-----\nabc\n")]),
        ("an argument", [change(DEP, "game-server", f"{CONTAINER}.args", ["--db-password=hunter2"])]),
        ("the argument behind it", [change(DEP, "game-server", f"{CONTAINER}.args", ["--requirepass", "hunter2"])]),
        ("a word of chance", [change("ConfigMap", "configuration", "data.SEED", "kJ8v2QpZx71LmNtR4sYbWc9Ho3Ue5Ga0")]),
        ("a field of some object", [added("kubernetes:example.com/v1:Thing", "x", {"spec": {"clientSecret": "hunter2"}})]),
        ("an external secret without a store", [added(EXTERNAL, "x", {"spec": {"data": [{"remoteRef": {"key": "space/staging/a"}}]}})]),
    ],
    "isolation-known-kinds": [
        ("a policy of Cilium", [added("kubernetes:cilium.io/v2:CiliumNetworkPolicy", "x", {"metadata": meta(), "spec": {}})]),
        ("a policy of Calico", [added("kubernetes:crd.projectcalico.org/v1:NetworkPolicy", "x", {"metadata": meta(), "spec": {}})]),
        ("an operator's object", [added("kubernetes:example.com/v1:Deployment", "x", {"metadata": meta(), "spec": {"image": "a:1"}})]),
        ("containers that are no pod's template", [added("kubernetes:example.com/v1:Thing", "x", {"spec": {"containers": [{"image": "a:1"}]}})]),
        ("another kind in its body", [change("ConfigMap", "configuration", "kind", "CiliumNetworkPolicy")]),
        ("a second one of its name", [added("kubernetes:core/v1:ConfigMap", "x", {"metadata": {"name": "staging-config", "namespace": "staging"}})]),
    ],
    "isolation-explicit-provider": [
        ("another cluster", [change("kubernetes", "cluster", "clusterIdentifier", "0" * 64)]),
        ("no cluster", [change("kubernetes", "cluster", "clusterIdentifier")]),
        ("a default provider", [option("ConfigMap", "configuration", "provider", "urn:pulumi:staging::understudy::pulumi:providers:kubernetes::default_4_34_2")]),
        ("no provider", [option("ConfigMap", "configuration", "provider", None)]),
        ("a provider of another stack", [option("ConfigMap", "configuration", "provider", "urn:pulumi:production::understudy::pulumi:providers:kubernetes::cluster")]),
        ("an account that is not pinned", [added("pulumi:providers:aws", "x", {"region": "eu-central-1"})]),
    ],
    "isolation-default-deny": [
        ("another namespace", [change(DEP, "game-server", "metadata.namespace", "default")]),
        ("no policy", [without(POLICY, "default-deny-network")]),
        ("a policy for some pods", [change(POLICY, "default-deny-network", "spec.podSelector", {"matchLabels": {"app": "x"}})]),
        ("a policy for one way", [change(POLICY, "default-deny-network", "spec.policyTypes", ["Ingress"])]),
        ("a policy that opens", [change(POLICY, "default-deny-network", "spec.egress", [{}])]),
    ],
    "isolation-network-paths": [
        ("every way out", [change(POLICY, "game-server-network", "spec.egress.0", {})]),
        ("everybody comes in", [change(POLICY, "game-server-network", "spec.ingress.0", {"ports": []})]),
        ("any namespace", [change(POLICY, "game-server-network", "spec.egress.0.to.0", {"namespaceSelector": {}})]),
        ("another namespace", [change(POLICY, "game-server-network", "spec.egress.0.to.0", {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "production"}}})]),
        ("namespaces by expression", [change(POLICY, "game-server-network", "spec.egress.0.to.0", {"namespaceSelector": {"matchExpressions": []}})]),
        ("an undeclared network", [change(POLICY, "game-server-network", "spec.egress.0.to.0", {"ipBlock": {"cidr": "198.51.100.0/24"}})]),
        ("a network that holds production's", [change(ENV, "spacetime", "resolved.components.cockroachdb.egress.0.cidr", "172.16.0.0/12"), change(POLICY, "cockroachdb-network", "spec.egress.0.to.0", {"ipBlock": {"cidr": "172.16.0.0/12"}})]),
        ("production's kubelets", [change(POLICY, "prometheus-network", "spec.egress.8.to.0.ipBlock.cidr", "172.20.16.0/20")]),
        ("nobody by name", [change(POLICY, "game-server-network", "spec.egress.0.to.0", {})]),
        ("an address that comes in", [change(POLICY, "game-server-network", "spec.ingress.0.from.0", {"ipBlock": {"cidr": "172.16.240.0/24"}})]),
    ],
    "isolation-exposure": [
        ("a load balancer", [change("Service", "game-server", "spec.type", "LoadBalancer")]),
        ("a node port", [change("Service", "game-server", "spec.type", "NodePort")]),
        ("addresses from outside", [change("Service", "game-server", "spec.externalIPs", ["192.0.2.1"])]),
        ("an ingress without TLS", [added(INGRESS, "x", {**ingress(rules=HOSTS["rules"]), "metadata": meta(**SIGNED_IN)})]),
        ("TLS for another host", [added(INGRESS, "x", {**ingress(tls=[{"hosts": ["b"]}], rules=HOSTS["rules"]), "metadata": meta(**SIGNED_IN)})]),
        ("an ingress without a sign-in", [added(INGRESS, "x", {**ingress(**HOSTS), "metadata": meta()})]),
        ("a gateway of the mesh without TLS", [added(MESH, "x", {"spec": {"servers": [{"port": {"protocol": "HTTP"}}]}})]),
        ("a default backend", [added(INGRESS, "x", {**ingress(**HOSTS, defaultBackend={}), "metadata": meta(**SIGNED_IN)})]),
        ("a gateway without TLS", [added("kubernetes:gateway.networking.k8s.io/v1:Gateway", "x", {"spec": {"listeners": [{"protocol": "HTTP"}]}})]),
    ],
    "isolation-sanitised-data": [
        ("a raw snapshot", [added(CLAIM, "x", claim(dataSource={"kind": "VolumeSnapshot", "name": "production-nightly"}))]),
        ("a raw snapshot by reference", [added(CLAIM, "x", claim(dataSourceRef={"kind": "VolumeSnapshot", "name": "nightly"}))]),
        ("a raw database snapshot", [added(RDS, "x", {"snapshotIdentifier": "rds:prod-2026-11-19"})]),
        ("a name that denies it", [added(RDS, "x", {"snapshotIdentifier": "unsanitised-2026"})]),
        ("a live copy", [added(RDS, "x", {"restoreToPointInTime": {"sourceClusterIdentifier": "sanitised"}})]),
        ("a volume that is there", [added("kubernetes:core/v1:PersistentVolume", "x", {"spec": {"csi": {"volumeHandle": "vol-0"}}})]),
        ("a claim on such a volume", [added(CLAIM, "x", claim(volumeName="pv-of-production"))]),
        ("a replica", [added(RDS, "x", {"replicationSourceIdentifier": "arn:aws:rds:eu-central-1:123456789012:cluster:a"})]),
    ],
    "ratios-amounts": [
        ("more CPU than declared", [change(STS, DB, f"{CONTAINER}.resources.limits.cpu", "3")]),
        ("less memory than declared", [change(STS, DB, f"{CONTAINER}.resources.requests.memory", "1G")]),
        ("above production", [change(STS, DB, f"{CONTAINER}.resources.limits.memory", "64G"), change(ENV, "spacetime", "resolved.components.cockroachdb.resources.limits.memory", "64G")]),
        ("below the floor", [change(STS, DB, f"{CONTAINER}.resources.requests.cpu", "1m"), change(ENV, "spacetime", "resolved.components.cockroachdb.resources.requests.cpu", "1m")]),
        ("no limit", [change(STS, DB, f"{CONTAINER}.resources.limits.cpu")]),
        ("no quantity", [change(STS, DB, f"{CONTAINER}.resources.limits.cpu", "much")]),
        ("an unknown amount", [change(STS, DB, f"{CONTAINER}.resources.limits.cpu", "${urn:x.y}")]),
        ("no component", [change(STS, DB, "metadata.labels.app~kubernetes~io/name", "nobody")]),
        ("an init container with more", [change(STS, DB, "spec.template.spec.initContainers.0.resources.limits.cpu", "8")]),
    ],
    "ratios-replicas": [
        ("more nodes", [change(STS, DB, "spec.replicas", 5)]),
        ("fewer nodes", [change(STS, DB, "spec.replicas", 1)]),
        ("a Sentinel less", [change(STS, "redis-sentinel", "spec.replicas", 2)]),
        ("a proxy more", [change(DEP, "redis-proxy", "spec.replicas", 3)]),
        ("a number beside the autoscaler", [change(DEP, "game-server", "spec.replicas", 3)]),
        ("a higher maximum", [change("HorizontalPodAutoscaler", "game-server", "spec.maxReplicas", 9)]),
        ("no maximum", [change("HorizontalPodAutoscaler", "game-server", "spec.maxReplicas")]),
        ("more than production", [change(STS, DB, "spec.replicas", 5), change(ENV, "spacetime", "resolved.components.cockroachdb.nodes", 5)]),
        ("an unknown number", [change(STS, DB, "spec.replicas", "${urn:x.y}")]),
    ],
    "ratios-storage": [
        ("larger than declared", [change("PersistentVolumeClaim", "data-cockroachdb-0", "spec.resources.requests.storage", "60G")]),
        ("smaller than declared", [change("PersistentVolumeClaim", "data-redis-1", "spec.resources.requests.storage", "9G")]),
        ("a Sentinel's volume", [change("PersistentVolumeClaim", "data-redis-sentinel-1", "spec.resources.requests.storage", "2G")]),
        ("above production", [change("PersistentVolumeClaim", "data-redis-0", "spec.resources.requests.storage", "90G"), change(ENV, "spacetime", "resolved.components.redis.storage", "90G")]),
        ("below the floor", [change("PersistentVolumeClaim", "data-redis-0", "spec.resources.requests.storage", "1M"), change(ENV, "spacetime", "resolved.components.redis.storage", "1M")]),
        ("a volume of nobody", [change("PersistentVolumeClaim", "data-redis-0", "metadata.name", "scratch")]),
        ("no size", [change("PersistentVolumeClaim", "data-redis-0", "spec.resources")]),
    ],
    "ratios-retention": [
        ("metrics for longer", [change(DEP, "prometheus", "spec.template.spec.containers.0.args.2", "--storage.tsdb.retention.time=20d")]),
        ("metrics for nobody knows how long", [change(DEP, "prometheus", "spec.template.spec.containers.0.args.2", "--web.enable-admin-api")]),
        ("metrics longer than production", [change(DEP, "prometheus", "spec.template.spec.containers.0.args.2", "--storage.tsdb.retention.time=60d"), change(ENV, "spacetime", "resolved.components.prometheus.retention", "60d")]),
        ("logs for longer", [change("ConfigMap", "elasticsearch-setup", "data.lifecycle~json", '{"min_age": "90d"}')]),
        ("logs for ever", [change("ConfigMap", "elasticsearch-setup", "data.lifecycle~json", "{}")]),
        ("an unknown argument", [change(DEP, "prometheus", "spec.template.spec.containers.0.args.2", "${urn:x.y}")]),
        ("unknown files", [change("ConfigMap", "elasticsearch-setup", "data", "${urn:x.y}")]),
    ],
    "ratios-quota": [
        ("more pods", [change("ResourceQuota", "quota", "spec.hard.pods", "500")]),
        ("no limit of memory", [change("ResourceQuota", "quota", "spec.hard.limits~memory")]),
        ("one that nobody declared", [change("ResourceQuota", "quota", "spec.hard.count/secrets", "1")]),
        ("nothing at all", [change("ResourceQuota", "quota", "spec.hard")]),
        ("above production", [change("ResourceQuota", "quota", "spec.hard.pods", "500"), change(ENV, "spacetime", "peak.pods", "500")]),
    ],
    "ratios-declaration": [
        ("a size without a reason", [change(ENV, "spacetime", "resolved.components.elasticsearch.retention", "20d")]),
        ("a retention above production's", DERIVED("elasticsearch.retention", "60d")),
        ("storage above production's", DERIVED("elasticsearch.storage", "900G")),
        ("CPU above production's", DERIVED("jaeger.resources.limits.cpu", "9")),
        ("a size that is none", DERIVED("jaeger.resources.limits.cpu", "lots")),
        ("a value that the derivation does not say", [change(ENV, "spacetime", "resolved.components.jaeger.resources.limits.cpu", "300m")]),
        ("another setting without a reason", [change(ENV, "spacetime", "resolved.components.redis.appendFsync", "no")]),
        ("no components", [change(ENV, "spacetime", "resolved.components")]),
    ],
    "ratios-topology": [
        ("another version", [change(ENV, "spacetime", "resolved.components.cockroachdb.version", "v23.2.1")]),
        ("fewer nodes", [change(ENV, "spacetime", "resolved.components.redis.nodes", 1)]),
        ("a component less", [change(ENV, "spacetime", "resolved.components.jaeger")]),
        ("a component more", [change(ENV, "spacetime", "production.components.jaeger")]),
        ("another kind", [change(ENV, "spacetime", "resolved.components.redis.kind", "elasticache")]),
        ("somebody else's", [change(ENV, "spacetime", "resolved.components.redis.existing", {"host": "x"})]),
        ("no components", [change(ENV, "spacetime", "resolved.components")]),
    ],
    "ratios-engine-version": [
        ("another version", [change(STS, DB, f"{CONTAINER}.image", "cockroachdb/cockroach:v24.1.0")]),
        ("another image", [change(STS, "redis", f"{CONTAINER}.image", "valkey:7.2.6")]),
    ],
    "workloads-pod-security": [
        ("root", [change(STS, DB, "spec.template.spec.securityContext.runAsNonRoot")]),
        ("user 0", [change(STS, DB, "spec.template.spec.securityContext.runAsUser", 0)]),
        ("no seccomp profile", [change(STS, DB, "spec.template.spec.securityContext.seccompProfile")]),
        ("privileged", [change(STS, DB, f"{CONTAINER}.securityContext.privileged", True)]),
        ("escalation", [change(STS, DB, f"{CONTAINER}.securityContext.allowPrivilegeEscalation")]),
        ("capabilities kept", [change(STS, DB, f"{CONTAINER}.securityContext.capabilities")]),
        ("capabilities added", [change(STS, DB, f"{CONTAINER}.securityContext.capabilities.add", ["SYS_ADMIN"])]),
        ("a writable image", [change(STS, DB, f"{CONTAINER}.securityContext.readOnlyRootFilesystem", False)]),
        ("all of proc", [change(STS, DB, f"{CONTAINER}.securityContext.procMount", "Unmasked")]),
        ("the node's network", [change(STS, DB, "spec.template.spec.hostNetwork", True)]),
        ("the node's processes", [change(STS, DB, "spec.template.spec.hostPID", True)]),
        ("the node's files", [change(STS, DB, "spec.template.spec.volumes.0", {"name": "x", "hostPath": {"path": "/"}})]),
        ("a port of the node", [change(STS, DB, f"{CONTAINER}.ports.0.hostPort", 80)]),
        ("a volume of a driver", [change(STS, DB, "spec.template.spec.volumes.0", {"name": "x", "csi": {"driver": "secrets-store.csi.k8s.io"}})]),
        ("a pod of another kind", [added("kubernetes:argoproj.io/v1alpha1:Rollout", "x", {"spec": {"template": {"spec": {"containers": [{"name": "c"}]}}}})]),
        ("a job's container", [change("Job", "cockroachdb-setup", f"{CONTAINER}.securityContext")]),
        ("an init container", [change(STS, DB, "spec.template.spec.initContainers.0.securityContext")]),
        ("no pod to see", [change(STS, DB, "spec.template.spec")]),
        ("an unknown pod", [change(STS, DB, "spec.template.spec", "${urn:x.y}")]),
    ],
    "workloads-probes": [
        ("no readiness", [change(STS, DB, f"{CONTAINER}.readinessProbe")]),
        ("no liveness", [change(DEP, "game-server", f"{CONTAINER}.livenessProbe")]),
        ("a sidecar without readiness", [change(STS, "redis", "spec.template.spec.containers.1.readinessProbe")]),
    ],
    "workloads-resources": [
        ("no limit of CPU", [change(DEP, "game-server", f"{CONTAINER}.resources.limits.cpu")]),
        ("no request of memory", [change(DEP, "game-server", f"{CONTAINER}.resources.requests.memory")]),
        ("nothing", [change("Job", "cockroachdb-setup", f"{CONTAINER}.resources")]),
    ],
    "workloads-disruption": [
        ("no budget", [without("PodDisruptionBudget", DB)]),
        ("a budget of others", [change("PodDisruptionBudget", DB, "spec.selector.matchLabels.app", "x")]),
        ("not over zones", [change(STS, DB, "spec.template.spec.topologySpreadConstraints.0.topologyKey", "rack")]),
        ("not over nodes", [change(DEP, "game-server", "spec.template.spec.topologySpreadConstraints.1")]),
        ("zones are not known", [change(ENV, "spacetime", "resolved.environment.cluster.nodes.zones", "${urn:x.y}")]),
    ],
    "workloads-pinned-images": [
        ("latest", [change(DEP, "game-server", f"{CONTAINER}.image", "r.example.com/a:latest")]),
        ("no tag", [change(DEP, "game-server", f"{CONTAINER}.image", "r.example.com:5000/a")]),
        ("a tag that moves", [change(DEP, "game-server", f"{CONTAINER}.image", "r.example.com/a:staging-latest")]),
        ("a major version", [change(DEP, "game-server", f"{CONTAINER}.image", "postgres:16")]),
        ("an unknown image", [change(DEP, "game-server", f"{CONTAINER}.image", "${urn:x.y}")]),
    ],
    "workloads-rbac": [
        ("every verb", [added(ROLE, "x", role(verbs=["*"]))]),
        ("every resource", [added(ROLE, "x", role(resources=["*"]))]),
        ("every group", [added(ROLE, "x", role(apiGroups=["*"]))]),
        ("all Secrets", [added(ROLE, "x", role(resources=["secrets"], verbs=["list"]))]),
        ("the nodes' proxy", [added(ROLE, "x", role(resources=["nodes/proxy"]))]),
        ("exec", [added(ROLE, "x", role(resources=["pods/exec"], verbs=["create"]))]),
        ("impersonation", [added(ROLE, "x", role(verbs=["impersonate"]))]),
        ("unknown verbs", [added(ROLE, "x", role(verbs=["${urn:x.y}"]))]),
        ("cluster-admin", [added(BINDING, "x", binding(roleRef={"kind": "ClusterRole", "name": "cluster-admin"}))]),
        ("a role that is there already", [added(BINDING, "x", binding(roleRef={"kind": "ClusterRole", "name": "edit"}))]),
        ("a person", [added(ROLE, "x", {"metadata": meta(), **role()}), added(BINDING, "x", binding(subjects=[{"kind": "User", "name": "ann"}]))]),
        ("the masters", [added(ROLE, "x", {"metadata": meta(), **role()}), added(BINDING, "x", binding(subjects=[{"kind": "Group", "name": "system:masters"}]))]),
        ("rules of other roles", [added("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "x", {"aggregationRule": {}})]),
        ("rules for other roles", [added(ROLE, "x", {"metadata": {"labels": {"rbac.authorization.k8s.io/aggregate-to-edit": "true"}}, **role()})]),
        ("everybody", [added(BINDING, "x", binding(subjects=[{"kind": "Group", "name": "system:authenticated"}]))]),
        ("another namespace's account", [added(BINDING, "x", binding(subjects=[{"kind": "ServiceAccount", "name": "x", "namespace": "kube-system"}]))]),
        ("a token that is not needed", [change(DEP, "game-server", "spec.template.spec.automountServiceAccountToken")]),
        ("the default account", [change(DEP, "game-server", "spec.template.spec.serviceAccountName")]),
    ],
    "data-encryption": [
        ("an insecure node", [change(STS, DB, f"{CONTAINER}.command.2", "exec cockroach start --insecure")]),
        ("a connection without TLS", [change(DEP, "game-server", f"{CONTAINER}.env.0", {"name": "URL", "value": "postgresql://db/x?sslmode=disable"})]),
        ("a server without TLS", [change("ConfigMap", "cockroachdb-setup", "data.postgresql~conf", "ssl = off\n")]),
    ],
    "data-backups": [
        ("no backup in production", [change(ENV, "spacetime", "resolved.components.cockroachdb.backup"), change(ENV, "spacetime", "resolved.environment.protect", True)]),
        ("a cluster that keeps nothing", [added(RDS, "x", {"backupRetentionPeriod": 0})]),
    ],
    "data-deletion-protection": [
        ("an unprotected volume", [change(ENV, "spacetime", "resolved.environment.protect", True)]),
        ("an unprotected database", [change(ENV, "spacetime", "resolved.environment.protect", True), added(RDS, "x", {}, protect=True)]),
    ],
}  # fmt: skip
