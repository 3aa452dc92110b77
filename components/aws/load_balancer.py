"""The load balancer before the cluster's gateway."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_aws import ec2, lb, vpc

from config.kinds import LoadBalancer as Declared

from .bucket import Bucket
from .context import AwsContext, PlatformComponent
from .eks import Eks
from .network import Network
from .zone import Zone

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.2 and 1.3."""


class LoadBalancer(PlatformComponent):
    """Creates a network load balancer.

    It ends TLS with the environment's certificate, uses TLS to the gateway, and redirects HTTP.
    """

    def __init__(
        self,
        name: str,
        balancer: Declared,
        context: AwsContext,
        network: Network,
        cluster: Eks,
        zone: Zone,
        logs: Bucket,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, context, opts)
        access = ec2.SecurityGroup(
            name,
            name=self.name_in_account(),
            description="the way in from the world",
            vpc_id=network.vpc.id,
            tags=self.tags(),
            opts=self.child_options(),
        )
        self._rules(access, balancer, cluster.security_group)
        balancer_resource = lb.LoadBalancer(
            name,
            name=balancer.identifier,
            load_balancer_type="network",
            internal=False,
            subnets=network.ids("public"),
            security_groups=[access.id],
            enable_cross_zone_load_balancing=True,
            enable_deletion_protection=context.resolved.environment.protect,
            access_logs={"bucket": logs.bucket.bucket, "prefix": name, "enabled": True},
            tags=self.tags(),
            opts=self.child_options(),
        )
        secure = self._targets(network, "secure", "TLS", balancer.secure_port)
        redirect = self._targets(network, "redirect", "TCP", balancer.redirect_port)
        lb.Listener(
            f"{name}-secure",
            load_balancer_arn=balancer_resource.arn,
            port=443,
            protocol="TLS",
            ssl_policy=TLS_POLICY,
            certificate_arn=zone.certificate,
            alpn_policy="HTTP2Preferred",
            default_actions=[{"type": "forward", "target_group_arn": secure.arn}],
            tags=self.tags("secure"),
            opts=self.child_options(),
        )
        lb.Listener(
            f"{name}-redirect",
            load_balancer_arn=balancer_resource.arn,
            port=80,
            protocol="TCP",
            default_actions=[{"type": "forward", "target_group_arn": redirect.arn}],
            tags=self.tags("redirect"),
            opts=self.child_options(),
        )
        for host in balancer.hosts:
            zone.add_alias_record(self, host, balancer_resource.dns_name, balancer_resource.zone_id)
        self.target_groups = {"secure": secure.arn, "redirect": redirect.arn}
        """Name to the ARN of the target group with the gateway's pods."""
        self.register_outputs({"dnsName": balancer_resource.dns_name})

    def _rules(self, access: ec2.SecurityGroup, balancer: Declared, inside: pulumi.Output[str]) -> None:
        for label, port in (("secure", 443), ("redirect", 80)):
            vpc.SecurityGroupIngressRule(
                f"{self.key}-{label}",
                security_group_id=access.id,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                cidr_ipv4="0.0.0.0/0",
                description="the world",
                opts=self.child_options(),
            )
        for label, port in (("secure", balancer.secure_port), ("redirect", balancer.redirect_port)):
            common: dict[str, Any] = {
                "ip_protocol": "tcp",
                "from_port": port,
                "to_port": port,
                "opts": self.child_options(),
            }
            vpc.SecurityGroupEgressRule(
                f"{self.key}-{label}-out",
                security_group_id=access.id,
                referenced_security_group_id=inside,
                description="the gateway",
                **common,
            )
            vpc.SecurityGroupIngressRule(
                f"{self.key}-{label}-in",
                security_group_id=inside,
                referenced_security_group_id=access.id,
                description="the load balancer",
                **common,
            )

    def _targets(self, network: Network, label: str, protocol: str, port: int) -> lb.TargetGroup:
        """Creates target groups; they are empty until a TargetGroupBinding in the cluster registers the gateway's pods."""
        return lb.TargetGroup(
            f"{self.key}-{label}",
            name=f"{self.context.name}-{label}",
            port=port,
            protocol=protocol,
            target_type="ip",
            vpc_id=network.vpc.id,
            deregistration_delay=60,
            health_check={"protocol": "TCP", "port": "traffic-port", "interval": 10},
            tags=self.tags(label),
            opts=self.child_options(),
        )
