"""The controllers that lead load balancers and names to what runs in the cluster: pinned Helm releases, a role each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as kubernetes

from config.kinds import Eks as Declared

from .cloud import document
from .releases import namespace, release

if TYPE_CHECKING:
    from .eks import Eks

NAMESPACE = "kube-system"
SECRETS_NAMESPACE = "external-secrets"
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
    """AWS Load Balancer Controller, external-dns, External Secrets.

    The load balancer is the platform's own (``kind: load-balancer``), so the first only registers pods in its target groups:
    it may make and delete nothing. The second writes names of the environment's zone alone. The third brings the stores'
    credentials into the namespace, each time that they rotate.
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
    release(
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
    release(
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
    secrets = part.pod_role(
        "external-secrets",
        SECRETS_NAMESPACE,
        "external-secrets",
        document(
            {
                "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
                "Resource": [
                    f"arn:aws:secretsmanager:{region}:{account}:secret:{names}"
                    # the environment's own, and the master passwords that RDS and DocumentDB keep
                    for names in (f"{cloud.name}/*", f"AmazonMSK_{cloud.name}-*", "rds!cluster-*")
                ],
            },
            {
                "Action": ["kms:Decrypt"],
                "Resource": f"arn:aws:kms:{region}:{account}:key/*",
                "Condition": {"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}},
            },
        ),
    )
    room = namespace(part, provider, SECRETS_NAMESPACE, "restricted", depends_on)
    release(
        part,
        "external-secrets",
        cluster.external_secrets,
        cluster.charts,
        {
            "replicaCount": 2,
            "leaderElect": True,
            "podDisruptionBudget": {"enabled": True, "minAvailable": 1},
            # nothing is written to Secrets Manager; the chart asks for both
            "processPushSecret": False,
            "processClusterPushSecret": False,
            "serviceAccount": {"create": True, "name": "external-secrets"},
        },
        provider,
        [*secrets, room],
        namespace=SECRETS_NAMESPACE,
    )
