"""IAM roles of AWS services and of pods."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_aws import eks, iam

from .context import PlatformComponent, policy_text, trust_policy

POD_IDENTITY = "pods.eks.amazonaws.com"
_FOLDERS = {"AmazonEBSCSIDriverPolicy": "service-role/"}
"""Paths of the AWS managed policies that have one."""


def service_role(
    component: PlatformComponent, label: str, service: str, policies: tuple[str, ...], *actions: str
) -> tuple[iam.Role, list[pulumi.Resource]]:
    """Creates a role for a service to assume, and the attachments of AWS managed policies.

    The service needs them before it acts.
    """
    role = iam.Role(
        f"{component.key}-{label}",
        name=component.name_in_account(label),
        assume_role_policy=trust_policy(service, actions or ("sts:AssumeRole",)),
        tags=component.tags(label),
        opts=component.child_options(),
    )
    attached: list[pulumi.Resource] = [
        iam.RolePolicyAttachment(
            f"{component.key}-{label}-{policy}",
            role=role.name,
            policy_arn=f"arn:aws:iam::aws:policy/{_FOLDERS.get(policy, '')}{policy}",
            opts=component.child_options(),
        )
        for policy in policies
    ]
    return role, attached


def pod_role(
    component: PlatformComponent,
    cluster: eks.Cluster,
    label: str,
    service_account: tuple[str, str],
    policy: Any = None,
    managed: tuple[str, ...] = (),
) -> list[pulumi.Resource]:
    """Creates a role for the pods of one service account (Pod Identity); returns the resources that the pods depend on.

    ``service_account`` is namespace and name, ``policy`` the role's own policy, ``managed`` names of AWS managed
    policies.
    """
    role, attached = service_role(component, label, POD_IDENTITY, managed, "sts:AssumeRole", "sts:TagSession")
    if policy is not None:
        own = iam.RolePolicy(
            f"{component.key}-{label}",
            role=role.name,
            name=label,
            policy=policy_text(policy),
            opts=component.child_options(),
        )
        attached.append(own)
    namespace, name = service_account
    association = eks.PodIdentityAssociation(
        f"{component.key}-{label}",
        cluster_name=cluster.name,
        namespace=namespace,
        service_account=name,
        role_arn=role.arn,
        tags=component.tags(label),
        opts=component.child_options(),
    )
    return [association, *attached]
