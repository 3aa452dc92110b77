"""The control plane, node agent and gateways of the service mesh, which belong to the platform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi

from components.aws.context import AwsContext, PlatformComponent
from components.aws.eks import Eks
from components.aws.load_balancer import LoadBalancer
from components.aws.releases import inside, namespace, release
from components.core.issuing import Authority, Certificate
from components.core.labels import labels
from components.core.origins import origin, stated
from components.mesh.routing import CERTIFICATE
from config.derivation.mesh_topology import exits
from config.kinds import Istio as Declared
from config.kinds import LoadBalancer as DeclaredBalancer
from config.kinds.mesh import REDIRECT, SECURE
from config.system import SelfSigned

from . import values
from .networks import policies


class Istio(PlatformComponent):
    """Pinned Helm releases of Istio, each in a namespace with Pod Security level and NetworkPolicies.

    The objects that a chart renders are not visible to policies, which check the values.
    """

    def __init__(
        self,
        name: str,
        istio: Declared,
        context: AwsContext,
        cluster: Eks,
        balancer: LoadBalancer,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, context, opts)
        self._declared, self._cluster = istio, cluster.kubernetes
        resolved = context.resolved
        self._ingress = resolved.environment.cluster.ingress_namespace
        namespaces = self._namespaces(cluster.workers)
        base = self._release("base", "istio-base", istio.control_namespace, values.base(), namespaces)
        agent = self._release("cni", "istio-cni", istio.agent_namespace, values.agent(istio), [base])
        control = self._release(
            "istiod", "istiod", istio.control_namespace, values.control_plane(istio, resolved), [agent]
        )
        certificate = self._certificate(namespaces)
        gateways = {
            namespace_name: self._release(
                "gateway",
                called,
                namespace_name,
                values.gateway(resolved, istio, called, ports),
                [control, certificate],
            )
            for called, namespace_name, ports in (
                (istio.ingress_name, self._ingress, {"https": SECURE, "http": REDIRECT}),
                (istio.egress_name, istio.egress_namespace, {"tls": SECURE}),
            )
        }
        for label, port in (("secure", SECURE), ("redirect", REDIRECT)):
            self._binding(label, port, balancer.target_groups[label], gateways[self._ingress])
        self._allowed_out(base)
        self.register_outputs({"version": istio.version})

    def _namespaces(self, depends_on: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """Makes the namespaces with their NetworkPolicies."""
        istio = self._declared
        resources: list[pulumi.Resource] = []
        for namespace_name in (istio.control_namespace, istio.agent_namespace, self._ingress, istio.egress_namespace):
            level: Any = "privileged" if namespace_name == istio.agent_namespace else "restricted"
            resources.append(namespace(self, self._cluster, namespace_name, level, depends_on))
        for namespace_name, named in policies(istio, self.context.resolved, self.context.account).items():
            for key, spec in named.items():
                resources.append(
                    self._object("networking.k8s.io/v1", "NetworkPolicy", namespace_name, key, resources[:4], spec=spec)
                )
        return resources

    def _object(
        self,
        version: str,
        kind: str,
        namespace_name: str,
        name: str,
        depends_on: Sequence[pulumi.Resource],
        **rest: Any,
    ) -> pulumi.Resource:
        metadata = {"name": name, "namespace": namespace_name, "labels": labels(self.context.resolved)}
        body = {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}
        return inside(self, self._cluster, f"{self.key}-{namespace_name}-{name}", body, depends_on)

    def _release(
        self, chart: str, name: str, namespace_name: str, given: dict[str, Any], depends_on: Sequence[pulumi.Resource]
    ) -> pulumi.Resource:
        declared = self._declared
        return release(
            self,
            chart,
            declared.version,
            declared.charts,
            given,
            self._cluster,
            depends_on,
            name=name,
            namespace=namespace_name,
        )

    def _certificate(self, namespaces: Sequence[pulumi.Resource]) -> pulumi.Resource:
        """Makes the gateway's certificate for the load balancer, which does not verify its issuer."""
        context, settings = self.context, SelfSigned()
        issuer = pulumi.ProviderResource("pulumi-python", f"{self.key}-issuer", {}, self.child_options())
        dynamic = pulumi.ResourceOptions(parent=self, provider=issuer)
        balancer = context.resolved.components[self._declared.balancer]
        assert isinstance(balancer, DeclaredBalancer), "config.checks.references asks for one"
        authority_props = {
            "common_name": f"{context.name}-gateway",
            "seconds": settings.authority_validity.seconds,
            "renew_before_seconds": settings.authority_renew_before.seconds,
        }
        authority = Authority(f"{self.key}-authority", authority_props, dynamic)
        props = {
            "common_name": context.resolved.environment.domain,
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
                "labels": labels(context.resolved),
                "annotations": stated({"tls.crt": issued, "tls.key": issued}),
            },
            "stringData": {"tls.crt": certificate.certificate, "tls.key": certificate.key},
        }
        return inside(self, self._cluster, f"{self.key}-{CERTIFICATE}", body, namespaces)

    def _binding(self, label: str, port: int, target_group: pulumi.Output[str], gateway: pulumi.Resource) -> None:
        """Binds the gateway's pods to the target groups of the load balancer."""
        spec = {
            "serviceRef": {"name": self._declared.ingress_name, "port": port},
            "targetGroupARN": target_group,
            "targetType": "ip",
        }
        self._object("elbv2.k8s.aws/v1beta1", "TargetGroupBinding", self._ingress, label, [gateway], spec=spec)

    def _allowed_out(self, base: pulumi.Resource) -> None:
        """Creates policies of the egress gateway: one for each declared host name, and one that denies all others."""
        namespace_name = self._declared.egress_namespace
        here = {"selector": {"matchLabels": {"istio": "egress"}}, "action": "ALLOW"}
        self._object("security.istio.io/v1", "AuthorizationPolicy", namespace_name, "default-deny", [base], spec={})
        for key, hosts in exits(self.context.resolved).items():
            rules = [{"when": [{"key": "connection.sni", "values": sorted(hosts)}]}]
            self._object(
                "security.istio.io/v1",
                "AuthorizationPolicy",
                namespace_name,
                key,
                [base],
                spec={**here, "rules": rules},
            )
