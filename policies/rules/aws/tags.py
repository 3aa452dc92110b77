"""Resources carry tags that state their environment."""

from __future__ import annotations

from collections.abc import Iterator

from ...references import iso
from ...resource import Resource, child
from ...rule import Problem, Rule
from ...stack import Stack

ENVIRONMENT, COMPONENT = "understudy:environment", "understudy:component"
_TAGGED = (
    "aws:ec2/vpc:Vpc",
    "aws:ec2/subnet:Subnet",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/natGateway:NatGateway",
    "aws:kms/key:Key",
    "aws:iam/role:Role",
    "aws:eks/cluster:Cluster",
    "aws:eks/nodeGroup:NodeGroup",
    "aws:rds/cluster:Cluster",
    "aws:rds/clusterInstance:ClusterInstance",
    "aws:docdb/cluster:Cluster",
    "aws:docdb/clusterInstance:ClusterInstance",
    "aws:elasticache/replicationGroup:ReplicationGroup",
    "aws:msk/cluster:Cluster",
    "aws:opensearch/domain:Domain",
    "aws:s3/bucket:Bucket",
    "aws:cloudfront/distribution:Distribution",
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:secretsmanager/secret:Secret",
    "aws:route53/zone:Zone",
)
"""Types that hold data or open access, or cost money."""


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.type not in _TAGGED:
        return
    tags, own = resource.get("tags"), stack.declared("resolved", "environment", "name")
    if child(tags, ENVIRONMENT) != own:
        yield ("tags", ENVIRONMENT), f"{child(tags, ENVIRONMENT)!r}; the environment is {own!r}"
    named = child(tags, COMPONENT)
    if stack.component(named) is None:
        yield ("tags", COMPONENT), f"{named!r} is no component of the declaration"


RULE = Rule(
    id="aws-tags",
    description="What holds data, opens access or costs money is tagged with its environment and its component.",
    severity="medium",
    remediation="Give it the component's tags.",
    check=check,
    references=(iso("A.5.9", "Inventory of information and other associated assets"),),
)
