"""In a protected environment no store of data is deleted by accident."""

from __future__ import annotations

from collections.abc import Iterator

from ...references import fsbp
from ...resource import Resource
from ...rule import Problem, Rule
from ...stack import Stack

_HOLDS_DATA = ("kubernetes:core/v1:Namespace", "kubernetes:core/v1:PersistentVolumeClaim")
_MANAGED = (
    "aws:rds/cluster:Cluster",
    "aws:docdb/cluster:Cluster",
    "aws:rds/instance:Instance",
    "aws:eks/cluster:Cluster",
)
_GUARDED = (
    "aws:elasticache/replicationGroup:ReplicationGroup",
    "aws:kms/key:Key",
    "aws:msk/cluster:Cluster",
    "aws:opensearch/domain:Domain",
    "aws:s3/bucket:Bucket",
)
"""Types without deletion protection in AWS; only the engine protects them."""


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.type not in (*_HOLDS_DATA, *_MANAGED, *_GUARDED):
        return
    if stack.declared("resolved", "environment", "protect") is not True:
        return
    if not resource.protect:
        yield (), "a destroy would delete it: it is not protected"
    if resource.type in _MANAGED and resource.get("deletionProtection") is not True:
        yield ("deletionProtection",), "it can be deleted"


RULE = Rule(
    id="data-deletion-protection",
    description="In a protected environment namespaces, volumes, stores, buckets and keys are protected from deletion.",
    severity="high",
    remediation="Let the environment's 'protect' reach the resource's options.",
    check=check,
    references=(
        fsbp("RDS.7", "RDS clusters should have deletion protection enabled"),
        fsbp("DocumentDB.5", "Amazon DocumentDB clusters should have deletion protection enabled"),
    ),
)
