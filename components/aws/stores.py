"""Resources that all managed stores share: a place in the data subnets that only the cluster reaches."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_aws import ec2, secretsmanager, vpc

from .cloud import Part


def group(part: Part, ports: dict[str, int]) -> ec2.SecurityGroup:
    """A security group that admits the cluster's pods at these ports, and no other traffic in either direction."""
    made = ec2.SecurityGroup(
        part.key,
        name=part.named(),
        description=f"{part.key}: from the cluster only",
        vpc_id=part.cloud.network.vpc.id,
        tags=part.tags(),
        opts=part.under(),
    )
    for name, port in ports.items():
        vpc.SecurityGroupIngressRule(
            f"{part.key}-{name}",
            security_group_id=made.id,
            referenced_security_group_id=part.cloud.cluster.security_group,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            description="from the cluster",
            opts=part.under(),
        )
    return made


def subnet_group(part: Part) -> dict[str, Any]:
    """Arguments of the group of data subnets."""
    return {
        "name": part.named(),
        "description": "data subnets",
        "subnet_ids": part.cloud.network.ids("data"),
        "tags": part.tags(),
        "opts": part.under(),
    }


def secret(
    part: Part, name: str, key: pulumi.Input[str], value: pulumi.Input[str], *, protect: bool
) -> secretsmanager.Secret:
    """Credentials in Secrets Manager, under the component's own key."""
    made = secretsmanager.Secret(
        part.key,
        name=name,
        description=f"{part.named()}: its application's credentials",
        kms_key_id=key,
        recovery_window_in_days=7,
        tags=part.tags(),
        opts=part.under(protect=protect),
    )
    secretsmanager.SecretVersion(
        part.key, secret_id=made.id, secret_string=pulumi.Output.secret(value), opts=part.under()
    )
    return made
