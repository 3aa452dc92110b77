"""Fields of all components in an AWS account."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, field_validator

from config.model.base import DnsLabel, Text, secret_variable
from config.model.component import Component
from config.model.instances import InstanceClass, Use, check
from config.model.scaling import Scales

MANAGED_KEYS = ("host", "port", "username", "password")
"""Keys of the Secret with a managed store's endpoint and credentials."""
Instance = Annotated[InstanceClass, Scales("instance")]
Nodes = Annotated[int, Field(ge=1), Scales("members")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z]([-a-z0-9]{0,48}[a-z0-9])?$|\{")]
"""AWS's identifier: lower case letters, digits and hyphens, at most 50 characters. ElastiCache allows 40 and
OpenSearch 28; AWS refuses longer ones."""
LogRetention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
"""Days that CloudWatch Logs can keep a group's entries (PutRetentionPolicy in its API reference)."""


class Platform(Component):
    """A component of the account, not of the namespace; its lifecycle is the platform's."""

    namespaced = False
    layer = "platform"
    after: ClassVar[tuple[str, ...]] = ("network", "eks", "zone")


class Managed(Platform):
    """A store that AWS runs: ``nodes`` of one class in the data subnets, each in the next zone."""

    use: ClassVar[Use]
    """The purpose of the instance class, which decides the allowed instance families."""
    identifier: Identifier = "{system}-{environment}"
    version: Text
    instance: Instance
    nodes: Nodes = 3
    log_retention: LogRetention = 30
    secret_name: DnsLabel | None = None
    """The Secret in the namespace with endpoint and credentials (``MANAGED_KEYS``); default: ``<name>-credentials``."""

    def secret(self, name: str) -> str:
        """Returns the Secret of component ``name``."""
        return self.secret_name or f"{name}-credentials"

    def environment(self, name: str, namespace: str) -> dict[str, str]:
        """Returns the port; only the platform knows the address."""
        if self.existing:
            return super().environment(name, namespace)
        return {secret_variable(name, "port"): str(self.port())}

    @field_validator("instance")
    @classmethod
    def _real(cls, instance: InstanceClass) -> InstanceClass:
        check(instance, cls.use)
        return instance
