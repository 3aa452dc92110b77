"""AWS Client VPN with certificates: the network access of people."""

from __future__ import annotations

from ipaddress import IPv4Network

import pulumi
from pulumi_aws import acm, ec2, ec2clientvpn, vpc

from components.core.issuing import Authority, Certificate
from config.kinds import ClientVpn as Declared
from config.system import SelfSigned

from .context import AwsContext, PlatformComponent
from .eks import Eks
from .keys import log_group
from .network import Network


class ClientVpn(PlatformComponent):
    """Creates a VPN endpoint in each zone with connection logs.

    Clients authenticate with certificates of its own authority.
    """

    def __init__(
        self,
        name: str,
        vpn: Declared,
        context: AwsContext,
        network: Network,
        cluster: Eks,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, context, opts)
        account = context.account
        assert account.vpn_cidr is not None, "config.checks.addresses asks for vpnCidr"
        issuer = pulumi.ProviderResource("pulumi-python", f"{name}-issuer", {}, self.child_options())
        dynamic = pulumi.ResourceOptions(parent=self, provider=issuer)
        settings = SelfSigned()
        props = {
            "common_name": f"{context.name}-vpn",
            "seconds": settings.authority_validity.seconds,
            "renew_before_seconds": settings.authority_renew_before.seconds,
            "key_type": "RSA-2048",
        }
        authority = Authority(f"{name}-authority", props, dynamic)

        def issue(label: str, common_name: str, hosts: list[str]) -> Certificate:
            props = {
                "common_name": common_name,
                "hosts": hosts,
                "ips": [],
                "seconds": vpn.certificate_validity.seconds,
                "renew_before_seconds": vpn.renew_before.seconds,
                "key_type": "RSA-2048",
            }
            return Certificate(f"{name}-{label}", props, authority, dynamic)

        host = f"vpn.{context.resolved.environment.domain}"
        server, client = issue("server", host, [host]), issue("client", vpn.client, [])
        certificate = acm.Certificate(
            f"{name}-server",
            certificate_body=server.certificate,
            private_key=server.key,
            certificate_chain=authority.bundle,
            tags=self.tags("server"),
            opts=self.child_options(),
        )
        access = ec2.SecurityGroup(
            name,
            name=self.name_in_account(),
            description="people, once they are connected",
            vpc_id=network.vpc.id,
            tags=self.tags(),
            opts=self.child_options(),
        )
        self._rules(access, cluster.security_group)
        log = log_group(self, f"/understudy/{context.name}/{name}", vpn.log_retention)
        endpoint = ec2clientvpn.Endpoint(
            name,
            description=self.name_in_account(),
            client_cidr_block=account.vpn_cidr,
            vpc_id=network.vpc.id,
            security_group_ids=[access.id],
            server_certificate_arn=certificate.arn,
            # one authority signed both certificates, so the client's chain is the server's
            authentication_options=[
                {"type": "certificate-authentication", "root_certificate_chain_arn": certificate.arn}
            ],
            connection_log_options={"enabled": True, "cloudwatch_log_group": log.name},
            # names of the network resolve as they do inside it: the third address of the range is its resolver (Amazon
            # VPC User Guide)
            dns_servers=[str(IPv4Network(account.cidr)[2])],
            split_tunnel=vpn.split_tunnel,
            session_timeout_hours=vpn.session_hours,
            transport_protocol="udp",
            vpn_port=443,
            tags=self.tags(),
            opts=self.child_options(),
        )
        for index, subnet in enumerate(network.subnets["private"]):
            ec2clientvpn.NetworkAssociation(
                f"{name}-{index + 1}",
                client_vpn_endpoint_id=endpoint.id,
                subnet_id=subnet.id,
                opts=self.child_options(),
            )
        ec2clientvpn.AuthorizationRule(
            name,
            client_vpn_endpoint_id=endpoint.id,
            target_network_cidr=account.cidr,
            authorize_all_groups=True,
            description="the network, and nothing behind it",
            opts=self.child_options(),
        )
        self.profile = pulumi.Output.secret(
            {
                "endpoint": endpoint.dns_name,
                "authority": authority.bundle,
                "certificate": client.certificate,
                "key": client.key,
                "serverName": host,
            }
        )
        self.register_outputs({})

    def _rules(self, access: ec2.SecurityGroup, cluster: pulumi.Output[str]) -> None:
        """Authorizes people to reach the network, including the cluster's API.

        The stores' security groups do not admit them.
        """
        vpc.SecurityGroupEgressRule(
            f"{self.key}-out",
            security_group_id=access.id,
            ip_protocol="-1",
            cidr_ipv4=self.context.account.cidr,
            description="the network",
            opts=self.child_options(),
        )
        vpc.SecurityGroupIngressRule(
            f"{self.key}-api",
            security_group_id=cluster,
            referenced_security_group_id=access.id,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            description="people at the cluster's API",
            opts=self.child_options(),
        )
