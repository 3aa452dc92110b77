"""The network: three tiers of subnets, NAT gateways, VPC endpoints and flow logs."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_aws import ec2, iam, vpc

from config.kinds import Network as Declared
from config.model.account import TIERS

from .context import AwsContext, PlatformComponent, policy_document, policy_text, trust_policy
from .keys import log_group, protected

_ROLES = {"public": "kubernetes.io/role/elb", "private": "kubernetes.io/role/internal-elb"}
"""Tags by which EKS discovers subnets for load balancers."""


class Network(PlatformComponent):
    """Creates a VPC.

    Public subnets hold load balancers and NAT gateways, private ones nodes; data subnets have no route out.
    """

    subnets: dict[str, list[ec2.Subnet]]
    """Tier to a subnet in each zone."""

    def __init__(
        self, name: str, network: Declared, context: AwsContext, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, context, opts)
        account = context.account
        self.vpc = ec2.Vpc(
            name,
            cidr_block=account.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=self.tags(),
            opts=self.child_options(protect=protected(self)),
        )
        # the default group lets its members reach each other; without rules its accidental use opens no path
        ec2.DefaultSecurityGroup(
            f"{name}-default", vpc_id=self.vpc.id, tags=self.tags("default"), opts=self.child_options()
        )
        self.subnets = {tier: self._tier(tier) for tier in TIERS}
        tables = self._routes(network.nat_gateways)
        self._endpoints(network, tables)
        self._flow_logs(network.flow_log_retention)
        self.register_outputs({"vpc": self.vpc.id})

    def ids(self, tier: str) -> list[pulumi.Output[str]]:
        """Returns the identifiers of the tier's subnets."""
        return [subnet.id for subnet in self.subnets[tier]]

    def _tier(self, tier: str) -> list[ec2.Subnet]:
        account = self.context.account
        role = {_ROLES[tier]: "1"} if tier in _ROLES else {}
        return [
            ec2.Subnet(
                f"{self.key}-{tier}-{index + 1}",
                vpc_id=self.vpc.id,
                cidr_block=network,
                availability_zone=account.zones[index],
                map_public_ip_on_launch=False,
                tags=self.tags(f"{tier}-{index + 1}", **role),
                opts=self.child_options(),
            )
            for index, network in enumerate(getattr(account.subnets, tier))
        ]

    def _table(self, label: str, subnets: list[ec2.Subnet], **way_out: Any) -> ec2.RouteTable:
        table = ec2.RouteTable(
            f"{self.key}-{label}", vpc_id=self.vpc.id, tags=self.tags(label), opts=self.child_options()
        )
        if way_out:
            ec2.Route(
                f"{self.key}-{label}",
                route_table_id=table.id,
                destination_cidr_block="0.0.0.0/0",
                opts=self.child_options(),
                **way_out,
            )
        for index, subnet in enumerate(subnets):
            number = f"-{index + 1}" if len(subnets) > 1 else ""
            ec2.RouteTableAssociation(
                f"{self.key}-{label}{number}", route_table_id=table.id, subnet_id=subnet.id, opts=self.child_options()
            )
        return table

    def _routes(self, count: int) -> list[ec2.RouteTable]:
        """Creates the route tables of private and data subnets."""
        gateway = ec2.InternetGateway(self.key, vpc_id=self.vpc.id, tags=self.tags(), opts=self.child_options())
        self._table("public", self.subnets["public"], gateway_id=gateway.id)
        gateways = []
        for index in range(count):
            label = f"nat-{index + 1}"
            address = ec2.Eip(
                f"{self.key}-{label}", domain="vpc", tags=self.tags(label), opts=self.child_options(gateway)
            )
            gateways.append(
                ec2.NatGateway(
                    f"{self.key}-{label}",
                    allocation_id=address.id,
                    subnet_id=self.subnets["public"][index].id,
                    tags=self.tags(label),
                    opts=self.child_options(gateway),
                )
            )
        private = [
            self._table(f"private-{index + 1}", [subnet], nat_gateway_id=gateways[index % count].id)
            for index, subnet in enumerate(self.subnets["private"])
        ]
        return [*private, self._table("data", self.subnets["data"])]

    def _endpoints(self, network: Declared, tables: list[ec2.RouteTable]) -> None:
        """Creates endpoints of AWS services, so that they are reachable from subnets without a route out."""
        group = ec2.SecurityGroup(
            f"{self.key}-endpoints",
            name=self.name_in_account("endpoints"),
            description="AWS services, from inside the network",
            vpc_id=self.vpc.id,
            tags=self.tags("endpoints"),
            opts=self.child_options(),
        )
        vpc.SecurityGroupIngressRule(
            f"{self.key}-endpoints",
            security_group_id=group.id,
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4=self.context.account.cidr,
            description="TLS from the network",
            opts=self.child_options(),
        )
        for service in network.endpoints:
            common: dict[str, Any] = {
                "vpc_id": self.vpc.id,
                "service_name": f"com.amazonaws.{self.context.account.region}.{service}",
                "tags": self.tags(service),
                "opts": self.child_options(),
            }
            name = f"{self.key}-{service.replace('.', '-')}"
            if service == "s3":
                ids = [table.id for table in tables]
                ec2.VpcEndpoint(name, vpc_endpoint_type="Gateway", route_table_ids=ids, **common)
            else:
                ec2.VpcEndpoint(
                    name,
                    vpc_endpoint_type="Interface",
                    subnet_ids=self.ids("private"),
                    security_group_ids=[group.id],
                    private_dns_enabled=True,
                    **common,
                )

    def _flow_logs(self, days: int) -> None:
        group = log_group(self, f"/understudy/{self.context.name}/flow-logs", days, "flow-logs")
        role = iam.Role(
            f"{self.key}-flow-logs",
            name=self.name_in_account("flow-logs"),
            assume_role_policy=trust_policy("vpc-flow-logs.amazonaws.com"),
            tags=self.tags("flow-logs"),
            opts=self.child_options(),
        )
        actions = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogGroups", "logs:DescribeLogStreams"]
        logs = [group.arn, group.arn.apply(lambda arn: f"{arn}:*")]
        iam.RolePolicy(
            f"{self.key}-flow-logs",
            role=role.name,
            name="write",
            policy=policy_text(policy_document({"Action": actions, "Resource": logs})),
            opts=self.child_options(),
        )
        self.flow_log = ec2.FlowLog(
            self.key,
            vpc_id=self.vpc.id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            tags=self.tags(),
            opts=self.child_options(),
        )
