"""The account while an environment is built in it: what is named how, and what was made that others need."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi

from config.model.account import Account
from config.system import Resolved

if TYPE_CHECKING:
    from .bucket import Bucket
    from .eks import Eks
    from .network import Network
    from .zone import Zone


@dataclass
class Cloud:
    """One account of one environment. Components find each other here; the order of building makes sure that they do."""

    resolved: Resolved
    account: Account
    unprotected: frozenset[str] = frozenset()
    """Components that may be replaced or deleted with their data; ``*`` for all."""
    charts: str | None = None
    """Source of all Helm charts, where the stack states one."""
    network: Network = field(init=False)
    cluster: Eks = field(init=False)
    zone: Zone = field(init=False)
    """Set while components are created; ``config.checks.addresses`` requires those that others depend on."""
    buckets: dict[str, Bucket] = field(default_factory=dict)
    """Component to its bucket."""
    keys: dict[str, Any] = field(default_factory=dict)
    """Component to the ARN of its key."""
    endpoints: dict[str, Any] = field(default_factory=dict)
    """Component to where it answers: ``config.model.platform.Endpoint``, with outputs in it."""
    target_groups: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    """Outputs of the stack for people: the VPN's configuration, the zone's name servers."""

    @property
    def name(self) -> str:
        """Returns the prefix of names, system and environment, such as ``shop-staging``."""
        return f"{self.resolved.system}-{self.resolved.environment.name}"

    def tags(self, component: str, name: str | None = None, **more: str) -> dict[str, str]:
        """Returns the tags of resources: creator, component, system and environment."""
        return {
            "Name": f"{self.name}-{name or component}",
            "understudy:system": self.resolved.system,
            "understudy:environment": self.resolved.environment.name,
            "understudy:component": component,
            **more,
        }

    def platform(self) -> dict[str, Any]:
        """Returns the values for an application, ``config.model.platform.Platform`` with outputs in it."""
        return {
            **({"cluster": self.cluster.access} if hasattr(self, "cluster") else {}),
            "endpoints": self.endpoints,
            "targetGroups": self.target_groups,
        }


class Part(pulumi.ComponentResource):
    """A component of the account."""

    def __init__(self, name: str, cloud: Cloud, opts: pulumi.ResourceOptions | None) -> None:
        super().__init__(f"understudy:aws:{type(self).__name__}", name, None, opts)
        self.key, self.cloud = name, cloud

    def under(self, *depends_on: pulumi.Resource, protect: bool | None = None) -> pulumi.ResourceOptions:
        """Options of a child."""
        return pulumi.ResourceOptions(parent=self, depends_on=list(depends_on), protect=protect)

    def named(self, suffix: str = "") -> str:
        """Its name in the account: ``shop-staging-<component>``."""
        return f"{self.cloud.name}-{self.key}" + (f"-{suffix}" if suffix else "")

    def tags(self, name: str | None = None, **more: str) -> dict[str, str]:
        return self.cloud.tags(self.key, f"{self.key}-{name}" if name else None, **more)


def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """An IAM policy."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}


def written(policy: Any) -> pulumi.Output[str]:
    """A policy as the text that AWS takes, with outputs in it."""
    return pulumi.Output.json_dumps(policy)


def assumed_by(service: str, actions: Sequence[str] = ("sts:AssumeRole",)) -> str:
    """The trust of a role that a service of AWS takes on."""
    return json.dumps(document({"Principal": {"Service": service}, "Action": list(actions)}))
