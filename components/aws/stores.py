"""Resources that all managed stores share: a place in the data subnets, reachable from the cluster only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import ec2, secretsmanager, vpc

from .context import PlatformComponent


@dataclass(frozen=True)
class Placement:
    """The network of the stores and the pods that may reach them."""

    vpc: pulumi.Output[str]
    subnets: Sequence[pulumi.Output[str]]
    """Data subnets, one in each zone."""
    clients: pulumi.Output[str]
    """Security group of the cluster's pods."""


def security_group(component: PlatformComponent, ports: dict[str, int], placement: Placement) -> ec2.SecurityGroup:
    """A security group that admits the cluster's pods at these ports, and no other traffic in either direction."""
    group = ec2.SecurityGroup(
        component.key,
        name=component.name_in_account(),
        description=f"{component.key}: from the cluster only",
        vpc_id=placement.vpc,
        tags=component.tags(),
        opts=component.child_options(),
    )
    for name, port in ports.items():
        vpc.SecurityGroupIngressRule(
            f"{component.key}-{name}",
            security_group_id=group.id,
            referenced_security_group_id=placement.clients,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description="from the cluster",
            opts=component.child_options(),
        )
    return group


def subnet_group(component: PlatformComponent, placement: Placement) -> dict[str, Any]:
    """Returns arguments of the group of data subnets."""
    return {
        "name": component.name_in_account(),
        "description": "data subnets",
        "subnet_ids": list(placement.subnets),
        "tags": component.tags(),
        "opts": component.child_options(),
    }


def secret(
    component: PlatformComponent, name: str, key: pulumi.Input[str], value: pulumi.Input[str], *, protect: bool
) -> secretsmanager.Secret:
    """Creates a secret with credentials in Secrets Manager, encrypted with the component's own key."""
    stored = secretsmanager.Secret(
        component.key,
        name=name,
        description=f"{component.name_in_account()}: its application's credentials",
        kms_key_id=key,
        recovery_window_in_days=7,
        tags=component.tags(),
        opts=component.child_options(protect=protect),
    )
    secretsmanager.SecretVersion(
        component.key, secret_id=stored.id, secret_string=pulumi.Output.secret(value), opts=component.child_options()
    )
    return stored
