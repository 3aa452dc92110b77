"""The controllers that connect load balancers and DNS names with pods of the cluster.

Pinned Helm releases, each with a role.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_aws import eks

from config.kinds import Eks as Declared

from .context import PlatformComponent, policy_document
from .network import Network
from .releases import namespace, release
from .roles import pod_role
from .zone import Zone

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
    component: PlatformComponent,
    declared: Declared,
    cluster: eks.Cluster,
    network: Network,
    zone: Zone,
    provider: kubernetes.Provider,
    depends_on: Sequence[pulumi.Resource],
) -> None:
    """Creates AWS Load Balancer Controller, external-dns and External Secrets.

    The load balancer belongs to the platform (``kind: load-balancer``), so the first controller only registers pods in
    its target groups and may not create or delete AWS resources. The second may write names of the environment's zone
    only. The third copies the stores' credentials into the namespace after each rotation.
    """
    context = component.context
    account, region = context.account.id, context.account.region
    balancer = pod_role(
        component,
        cluster,
        "load-balancer-controller",
        (NAMESPACE, "aws-load-balancer-controller"),
        policy_document(
            {"Action": _DESCRIBE, "Resource": "*"},
            {
                "Action": ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
                "Resource": f"arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{context.name}-*",
            },
        ),
    )
    release(
        component,
        "aws-load-balancer-controller",
        declared.load_balancer_controller,
        declared.charts,
        {
            "clusterName": declared.identifier,
            "region": region,
            "vpcId": network.vpc.id,
            "replicaCount": 2,
            "enableServiceMutatorWebhook": False,
            "serviceAccount": {"create": True, "name": "aws-load-balancer-controller"},
        },
        provider,
        [*balancer, *depends_on],
    )
    names = pod_role(
        component,
        cluster,
        "external-dns",
        (NAMESPACE, "external-dns"),
        policy_document(
            {
                "Action": ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"],
                "Resource": zone.zone.arn,
            },
            {"Action": ["route53:ListHostedZones", "route53:ListTagsForResources"], "Resource": "*"},
        ),
    )
    release(
        component,
        "external-dns",
        declared.external_dns,
        declared.charts,
        {
            "provider": {"name": "aws"},
            "policy": "upsert-only",
            "registry": "txt",
            "txtOwnerId": declared.identifier,
            "domainFilters": [context.resolved.environment.domain],
            "sources": ["service", "ingress"],
            "serviceAccount": {"create": True, "name": "external-dns"},
        },
        provider,
        [*names, *depends_on],
    )
    secrets = pod_role(
        component,
        cluster,
        "external-secrets",
        (SECRETS_NAMESPACE, "external-secrets"),
        policy_document(
            {
                "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
                "Resource": [
                    f"arn:aws:secretsmanager:{region}:{account}:secret:{names}"
                    # the environment's own secrets, and the master passwords that RDS and DocumentDB store
                    for names in (f"{context.name}/*", f"AmazonMSK_{context.name}-*", "rds!cluster-*")
                ],
            },
            {
                "Action": ["kms:Decrypt"],
                "Resource": f"arn:aws:kms:{region}:{account}:key/*",
                "Condition": {"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}},
            },
        ),
    )
    own_namespace = namespace(component, provider, SECRETS_NAMESPACE, "restricted", depends_on)
    release(
        component,
        "external-secrets",
        declared.external_secrets,
        declared.charts,
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
        [*secrets, own_namespace],
        namespace=SECRETS_NAMESPACE,
    )
