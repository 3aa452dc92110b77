"""IAM roles of the application's service accounts, each with the least privileges that it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi

from config.derivation.mesh_topology import has_role, runs_here
from config.kinds import Bucket as DeclaredBucket
from config.kinds import CloudWatchExporter, DataSync
from config.model.component import Component

from .bucket import Bucket
from .context import AwsContext, policy_document
from .eks import Eks
from .roles import pod_role


def workload_roles(
    context: AwsContext, cluster: Eks, buckets: Mapping[str, Bucket], keys: Mapping[str, pulumi.Output[str]]
) -> None:
    """Creates Pod Identity associations for the components of the namespace that call AWS."""
    resolved = context.resolved
    for name, component in resolved.components.items():
        if runs_here(resolved, name) and has_role(resolved, name):
            policy = policy_document(*statements(context, buckets, keys, component))
            pod_role(cluster, cluster.cluster, name, (resolved.environment.namespace, name), policy)


def statements(
    context: AwsContext, buckets: Mapping[str, Bucket], keys: Mapping[str, pulumi.Output[str]], component: Component
) -> Iterator[dict[str, Any]]:
    """Yields the statements of a role's policy; ``keys``: store to the ARN of its key."""
    for used in component.uses:
        if isinstance(context.resolved.components[used], DeclaredBucket):
            yield from _objects(buckets[used])
    match component:
        case CloudWatchExporter():
            # neither has permissions for single resources (Service Authorization Reference, Amazon CloudWatch)
            yield {
                "Action": ["cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "tag:GetResources"],
                "Resource": "*",
            }
        case DataSync():
            yield from _sync(context, component, keys[component.database])


def _objects(bucket: Bucket) -> Iterator[dict[str, Any]]:
    """Yields statements to read and write objects; the bucket encrypts with S3's own key."""
    arn = bucket.bucket.arn
    yield {"Action": ["s3:ListBucket"], "Resource": arn}
    everything = arn.apply(lambda text: f"{text}/*")
    yield {"Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": everything}


def _sync(context: AwsContext, sync: DataSync, own_key: pulumi.Output[str]) -> Iterator[dict[str, Any]]:
    """Yields statements to copy only the sanitising account's snapshots, and to restore only those copies.

    They are restored into the job's own clusters only. https://docs.aws.amazon.com/service-
    authorization/latest/reference/list_amazonrds.html
    """
    target: Any = context.resolved.components[sync.database]
    region, own = context.account.region, context.account.id
    ours = f"arn:aws:rds:{region}:{own}"
    copies, temporary = f"{ours}:cluster-snapshot:{sync.snapshots}-*", f"{target.identifier}-sync"
    clusters, members = f"{ours}:cluster:{temporary}-*", f"{ours}:db:{temporary}-*"
    theirs = f"arn:aws:rds:{region}:{sync.account}:cluster-snapshot:{sync.snapshots}-*"
    groups = [f"{ours}:subgrp:{context.name}-{sync.database}", f"{ours}:cluster-pg:{context.name}-{sync.database}-*"]
    yield {
        "Action": ["rds:DescribeDBClusters", "rds:DescribeDBClusterSnapshots", "rds:DescribeDBInstances"],
        "Resource": "*",
    }
    yield {"Action": ["rds:CopyDBClusterSnapshot"], "Resource": [theirs, copies]}
    yield {"Action": ["rds:DeleteDBClusterSnapshot", "rds:AddTagsToResource"], "Resource": [copies]}
    yield {"Action": ["rds:RestoreDBClusterFromSnapshot"], "Resource": [copies, clusters, *groups]}
    yield {
        "Action": ["rds:ModifyDBCluster", "rds:DeleteDBCluster", "rds:AddTagsToResource"],
        "Resource": [clusters],
    }
    yield {"Action": ["rds:CreateDBInstance", "rds:DeleteDBInstance"], "Resource": [clusters, members]}
    yield {"Action": ["kms:Decrypt", "kms:DescribeKey"], "Resource": sync.key}
    yield {
        "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        "Resource": own_key,
    }
    # RDS continues in the name of the caller (AWS KMS Developer Guide, "Grants in AWS KMS"); no other principal gets a grant
    yield {
        "Action": ["kms:CreateGrant"],
        "Resource": [sync.key, own_key],
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    }
