"""The controllers that lead load balancers and names to what runs in the cluster: pinned Helm releases, a role each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_kubernetes as kubernetes

from config.kinds import Eks as Declared

from .cloud import document

if TYPE_CHECKING:
    from .eks import Eks

NAMESPACE = "kube-system"
_DESCRIBE = [
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInstances",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
]


def controllers(
    part: Eks, cluster: Declared, provider: kubernetes.Provider, depends_on: Sequence[pulumi.Resource]
) -> None:
    """AWS Load Balancer Controller and external-dns.

    The load balancer is the platform's own (``kind: load-balancer``), so the first only registers pods in its target groups:
    it may make and delete nothing. The second writes names of the environment's zone alone.
    """
    cloud = part.cloud
    account, region = cloud.account.id, cloud.account.region
    balancer = part.pod_role(
        "load-balancer-controller",
        NAMESPACE,
        "aws-load-balancer-controller",
        document(
            {"Action": _DESCRIBE, "Resource": "*"},
            {
                "Action": ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
                "Resource": f"arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{cloud.name}-*",
            },
        ),
    )
    _release(
        part,
        "aws-load-balancer-controller",
        cluster.load_balancer_controller,
        cluster.charts,
        {
            "clusterName": cluster.identifier,
            "region": region,
            "vpcId": cloud.network.vpc.id,
            "replicaCount": 2,
            "enableServiceMutatorWebhook": False,
            "serviceAccount": {"create": True, "name": "aws-load-balancer-controller"},
        },
        provider,
        [*balancer, *depends_on],
    )
    names = part.pod_role(
        "external-dns",
        NAMESPACE,
        "external-dns",
        document(
            {
                "Action": ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"],
                "Resource": cloud.zone.zone.arn,
            },
            {"Action": ["route53:ListHostedZones", "route53:ListTagsForResources"], "Resource": "*"},
        ),
    )
    _release(
        part,
        "external-dns",
        cluster.external_dns,
        cluster.charts,
        {
            "provider": {"name": "aws"},
            "policy": "upsert-only",
            "registry": "txt",
            "txtOwnerId": cluster.identifier,
            "domainFilters": [cloud.resolved.environment.domain],
            "sources": ["service", "ingress"],
            "serviceAccount": {"create": True, "name": "external-dns"},
        },
        provider,
        [*names, *depends_on],
    )


def _release(
    part: Eks,
    name: str,
    version: str,
    charts: str,
    values: dict[str, Any],
    provider: kubernetes.Provider,
    depends_on: Sequence[pulumi.Resource],
) -> None:
    oci = charts.startswith("oci://")
    kubernetes.helm.v3.Release(
        f"{part.key}-{name}",
        name=name,
        namespace=NAMESPACE,
        chart=f"{charts}/{name}" if oci else name,
        version=version,
        values=values,
        atomic=True,
        timeout=600,
        repository_opts=None if oci else {"repo": charts},
        opts=pulumi.ResourceOptions.merge(part.under(*depends_on), pulumi.ResourceOptions(provider=provider)),
    )
