"""Only the load balancer and the CDN are reachable from the internet."""

from __future__ import annotations

from collections.abc import Iterator

from ...references import fsbp
from ...resource import Resource, items
from ...rule import Problem, Rule
from ...settings import Setting, is_, one_of, settings
from ...stack import Stack

_EVERYBODY = ("0.0.0.0/0", "::/0")
_WAYS_IN = (80, 443)
"""Ports of load balancers; the first one redirects."""
_SETTINGS = settings(
    {
        "aws:ec2/subnet:Subnet": [
            Setting(("mapPublicIpOnLaunch",), one_of(None, False), "machines in it get an address of the internet")
        ],
        "aws:rds/clusterInstance:ClusterInstance": [
            Setting(("publiclyAccessible",), one_of(None, False), "the database has an address of the internet")
        ],
        "aws:msk/cluster:Cluster": [
            Setting(
                ("brokerNodeGroupInfo", "connectivityInfo", "publicAccess", "type"),
                one_of(None, "DISABLED"),
                "the brokers have addresses of the internet",
            )
        ],
        "aws:eks/cluster:Cluster": [
            Setting(("vpcConfig", "endpointPrivateAccess"), is_(True), "its nodes reach its API through the internet")
        ],
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": [
            Setting((name,), is_(True), "a policy or access list could make the bucket public")
            for name in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        ],
        "aws:opensearch/domain:Domain": [
            Setting(("vpcOptions", "subnetIds"), bool, "the domain has an address of the internet")
        ],
    }
)


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    yield from _SETTINGS(resource, stack)
    match resource.type:
        case "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":
            for way in ("ingress", "egress"):
                if resource.get(way):
                    yield (way,), "the default group admits traffic, and resources without a group are in it"
        case "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
            yield from _rule(resource)
        case "aws:ec2/securityGroup:SecurityGroup":
            for index, _ in items(resource.get("ingress")):
                yield ("ingress", index), "a rule within its group: others cannot be told apart from it"
        case "aws:eks/cluster:Cluster" if resource.get("vpcConfig", "endpointPublicAccess") is not False:
            networks = resource.get("vpcConfig", "publicAccessCidrs")
            open_networks = [network for _, network in items(networks)]
            if not open_networks or any(network in _EVERYBODY for network in open_networks):
                yield ("vpcConfig", "publicAccessCidrs"), "its API is open to the internet"


def _rule(resource: Resource) -> Iterator[Problem]:
    for field in ("cidrIpv4", "cidrIpv6"):
        if resource.get(field) in _EVERYBODY:
            ports = (resource.get("fromPort"), resource.get("toPort"))
            if ports[0] != ports[1] or ports[0] not in _WAYS_IN:
                yield (field,), f"the internet reaches ports {ports[0]} to {ports[1]}"


RULE = Rule(
    id="aws-exposure",
    description="No store, subnet, bucket, API or security group is open to the internet but the load balancer's 80 and 443.",
    severity="critical",
    remediation="Name the security group or the network that needs it.",
    check=check,
    references=(
        fsbp("EC2.2", "VPC default security groups should not allow inbound or outbound traffic"),
        fsbp("EC2.15", "EC2 subnets should not automatically assign public IP addresses"),
        fsbp("EC2.18", "Security groups should only allow unrestricted incoming traffic for authorized ports"),
        fsbp("EC2.19", "Security groups should not allow unrestricted access to ports with high risk"),
        fsbp("RDS.2", "RDS DB instances should prohibit public access"),
        fsbp("EKS.1", "EKS cluster endpoints should not be publicly accessible"),
        fsbp("MSK.4", "MSK clusters should have public access disabled"),
        fsbp("Opensearch.2", "OpenSearch domains should not be publicly accessible"),
        fsbp("S3.8", "S3 general purpose buckets should block public access"),
    ),
)
