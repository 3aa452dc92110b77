"""The AWS account of an environment, and the base class of the components in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from config.model.account import Account
from config.system import Resolved


@dataclass(frozen=True)
class AwsContext:
    """One account of one environment."""

    resolved: Resolved
    account: Account
    unprotected: frozenset[str] = frozenset()
    """Components that may be replaced or deleted with their data; ``*`` for all."""
    charts: str | None = None
    """Source of all Helm charts, where the stack states one."""

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


class PlatformComponent(pulumi.ComponentResource):
    """A component of the account."""

    def __init__(self, name: str, context: AwsContext, opts: pulumi.ResourceOptions | None) -> None:
        super().__init__(f"understudy:aws:{type(self).__name__}", name, None, opts)
        self.key, self.context = name, context

    def child_options(self, *depends_on: pulumi.Resource, protect: bool | None = None) -> pulumi.ResourceOptions:
        """Returns the options of a child resource."""
        return pulumi.ResourceOptions(parent=self, depends_on=list(depends_on), protect=protect)

    def name_in_account(self, suffix: str = "") -> str:
        """Returns the component's name in the account, ``shop-staging-<component>``, or that of a part of it."""
        return f"{self.context.name}-{self.key}" + (f"-{suffix}" if suffix else "")

    def tags(self, name: str | None = None, **more: str) -> dict[str, str]:
        """Returns the tags of the component's resources."""
        return self.context.tags(self.key, f"{self.key}-{name}" if name else None, **more)


def policy_document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """An IAM policy."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}


def policy_text(policy: Any) -> pulumi.Output[str]:
    """Returns a policy as JSON text, with outputs resolved in it."""
    return pulumi.Output.json_dumps(policy)


def trust_policy(service: str, actions: Sequence[str] = ("sts:AssumeRole",)) -> str:
    """The trust policy of a role that a service of AWS assumes."""
    return json.dumps(policy_document({"Principal": {"Service": service}, "Action": list(actions)}))
