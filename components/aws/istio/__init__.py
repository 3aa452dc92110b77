"""The service mesh's control plane, node agent and gateways: the platform's half of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi

from components.aws.cloud import Cloud, Part
from components.aws.releases import inside, namespace, release
from components.core.issuing import Authority, Certificate
from components.core.labels import labels
from components.core.origins import origin, stated
from components.mesh.routing import CERTIFICATE
from config.derivation.mesh_topology import exits
from config.kinds import Istio as Declared
from config.kinds import LoadBalancer
from config.kinds.mesh import REDIRECT, SECURE
from config.system import SelfSigned

from . import values
from .networks import policies


class Istio(Part):
    """Pinned Helm releases of Istio, each in a namespace with Pod Security level and NetworkPolicies.

    The objects that a chart renders are not visible to policies, which check the values.
    """

    def __init__(self, name: str, istio: Declared, cloud: Cloud, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, cloud, opts)
        self._declared, self._cluster = istio, cloud.cluster.kubernetes
        resolved = cloud.resolved
        self._ingress = resolved.environment.cluster.ingress_namespace
        rooms = self._rooms()
        base = self._release("base", "istio-base", istio.control_namespace, values.base(), rooms)
        agent = self._release("cni", "istio-cni", istio.agent_namespace, values.agent(istio), [base])
        control = self._release(
            "istiod", "istiod", istio.control_namespace, values.control_plane(istio, resolved), [agent]
        )
        certificate = self._certificate(rooms)
        gateways = {
            room: self._release(
                "gateway", called, room, values.gateway(resolved, istio, called, ports), [control, certificate]
            )
            for called, room, ports in (
                (istio.ingress_name, self._ingress, {"https": SECURE, "http": REDIRECT}),
                (istio.egress_name, istio.egress_namespace, {"tls": SECURE}),
            )
        }
        for label, port in (("secure", SECURE), ("redirect", REDIRECT)):
            self._binding(label, port, gateways[self._ingress])
        self._allowed_out(base)
        self.register_outputs({"version": istio.version})

    def _rooms(self) -> list[pulumi.Resource]:
        """Makes the namespaces with their NetworkPolicies."""
        istio = self._declared
        made: list[pulumi.Resource] = []
        for room in (istio.control_namespace, istio.agent_namespace, self._ingress, istio.egress_namespace):
            level: Any = "privileged" if room == istio.agent_namespace else "restricted"
            made.append(namespace(self, self._cluster, room, level, self.cloud.cluster.workers))
        for room, named in policies(istio, self.cloud.resolved, self.cloud.account).items():
            for key, spec in named.items():
                made.append(self._object("networking.k8s.io/v1", "NetworkPolicy", room, key, made[:4], spec=spec))
        return made

    def _object(
        self, version: str, kind: str, room: str, name: str, depends_on: Sequence[pulumi.Resource], **rest: Any
    ) -> pulumi.Resource:
        metadata = {"name": name, "namespace": room, "labels": labels(self.cloud.resolved)}
        body = {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}
        return inside(self, self._cluster, f"{self.key}-{room}-{name}", body, depends_on)

    def _release(
        self, chart: str, name: str, room: str, given: dict[str, Any], depends_on: Sequence[pulumi.Resource]
    ) -> pulumi.Resource:
        declared = self._declared
        return release(
            self, chart, declared.version, declared.charts, given, self._cluster, depends_on, name=name, namespace=room
        )

    def _certificate(self, rooms: Sequence[pulumi.Resource]) -> pulumi.Resource:
        """Makes the gateway's certificate for the load balancer, which does not verify its issuer."""
        cloud, settings = self.cloud, SelfSigned()
        issuer = pulumi.ProviderResource("pulumi-python", f"{self.key}-issuer", {}, self.under())
        dynamic = pulumi.ResourceOptions(parent=self, provider=issuer)
        balancer = cloud.resolved.components[self._declared.balancer]
        assert isinstance(balancer, LoadBalancer), "config.checks.references asks for one"
        authority_props = {
            "common_name": f"{cloud.name}-gateway",
            "seconds": settings.authority_validity.seconds,
            "renew_before_seconds": settings.authority_renew_before.seconds,
        }
        authority = Authority(f"{self.key}-authority", authority_props, dynamic)
        props = {
            "common_name": cloud.resolved.environment.domain,
            "hosts": list(balancer.hosts),
            "ips": [],
            "seconds": settings.validity.seconds,
            "renew_before_seconds": settings.renew_before.seconds,
        }
        certificate = Certificate(f"{self.key}-gateway", props, authority, dynamic)
        issued = origin(certificate, f"{self.key}-gateway")
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {
                "name": CERTIFICATE,
                "namespace": self._ingress,
                "labels": labels(cloud.resolved),
                "annotations": stated({"tls.crt": issued, "tls.key": issued}),
            },
            "stringData": {"tls.crt": certificate.certificate, "tls.key": certificate.key},
        }
        return inside(self, self._cluster, f"{self.key}-{CERTIFICATE}", body, rooms)

    def _binding(self, label: str, port: int, gateway: pulumi.Resource) -> None:
        """The gateway's pods join the load balancer's targets."""
        spec = {
            "serviceRef": {"name": self._declared.ingress_name, "port": port},
            "targetGroupARN": self.cloud.target_groups[label],
            "targetType": "ip",
        }
        self._object("elbv2.k8s.aws/v1beta1", "TargetGroupBinding", self._ingress, label, [gateway], spec=spec)

    def _allowed_out(self, base: pulumi.Resource) -> None:
        """Names that the gateway out passes on: a policy for each that is declared, and one that allows no other."""
        room = self._declared.egress_namespace
        here = {"selector": {"matchLabels": {"istio": "egress"}}, "action": "ALLOW"}
        self._object("security.istio.io/v1", "AuthorizationPolicy", room, "default-deny", [base], spec={})
        for key, hosts in exits(self.cloud.resolved).items():
            rules = [{"when": [{"key": "connection.sni", "values": sorted(hosts)}]}]
            self._object(
                "security.istio.io/v1", "AuthorizationPolicy", room, key, [base], spec={**here, "rules": rules}
            )
