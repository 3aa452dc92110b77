"""IAM roles of the application's service accounts, each with the least rights that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from config.derivation.mesh_topology import has_role, runs_here
from config.kinds import Bucket, CloudWatchExporter, DataSync
from config.model.base import Component

from .cloud import Cloud, document


def workload_roles(cloud: Cloud) -> None:
    """Pod Identity for every component of the namespace that acts in AWS."""
    resolved = cloud.resolved
    for name, component in resolved.components.items():
        if runs_here(resolved, name) and has_role(resolved, name):
            policy = document(*statements(cloud, component))
            cloud.cluster.pod_role(name, resolved.environment.namespace, name, policy)


def statements(cloud: Cloud, component: Component) -> Iterator[dict[str, Any]]:
    """Returns the statements of a role's policy."""
    for used in component.uses:
        if isinstance(cloud.resolved.components[used], Bucket):
            yield from _objects(cloud, used)
    match component:
        case CloudWatchExporter():
            # neither has permissions for single resources (Service Authorization Reference, Amazon CloudWatch)
            yield {
                "Action": ["cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "tag:GetResources"],
                "Resource": "*",
            }
        case DataSync():
            yield from _sync(cloud, component)


def _objects(cloud: Cloud, name: str) -> Iterator[dict[str, Any]]:
    """Read and write; the bucket encrypts with S3's own key."""
    bucket = cloud.buckets[name].bucket.arn
    yield {"Action": ["s3:ListBucket"], "Resource": bucket}
    everything = bucket.apply(lambda arn: f"{arn}/*")
    yield {"Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": everything}


def _sync(cloud: Cloud, sync: DataSync) -> Iterator[dict[str, Any]]:
    """Copy the sanitising account's snapshots, and only those; restore those copies, and only into clusters of its own.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
    """
    target: Any = cloud.resolved.components[sync.database]
    region, own = cloud.account.region, cloud.account.id
    ours = f"arn:aws:rds:{region}:{own}"
    copies, temporary = f"{ours}:cluster-snapshot:{sync.snapshots}-*", f"{target.identifier}-sync"
    clusters, members = f"{ours}:cluster:{temporary}-*", f"{ours}:db:{temporary}-*"
    theirs = f"arn:aws:rds:{region}:{sync.account}:cluster-snapshot:{sync.snapshots}-*"
    furniture = [f"{ours}:subgrp:{cloud.name}-{sync.database}", f"{ours}:cluster-pg:{cloud.name}-{sync.database}-*"]
    yield {
        "Action": ["rds:DescribeDBClusters", "rds:DescribeDBClusterSnapshots", "rds:DescribeDBInstances"],
        "Resource": "*",
    }
    yield {"Action": ["rds:CopyDBClusterSnapshot"], "Resource": [theirs, copies]}
    yield {"Action": ["rds:DeleteDBClusterSnapshot", "rds:AddTagsToResource"], "Resource": [copies]}
    yield {"Action": ["rds:RestoreDBClusterFromSnapshot"], "Resource": [copies, clusters, *furniture]}
    yield {
        "Action": ["rds:ModifyDBCluster", "rds:DeleteDBCluster", "rds:AddTagsToResource"],
        "Resource": [clusters],
    }
    yield {"Action": ["rds:CreateDBInstance", "rds:DeleteDBInstance"], "Resource": [clusters, members]}
    own_key = cloud.keys[sync.database]
    yield {"Action": ["kms:Decrypt", "kms:DescribeKey"], "Resource": sync.key}
    yield {
        "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        "Resource": own_key,
    }
    # RDS works on in the name of who asked it (AWS KMS Developer Guide, "Grants in AWS KMS"); nobody else is granted anything
    yield {
        "Action": ["kms:CreateGrant"],
        "Resource": [sync.key, own_key],
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    }
