"""The ConfigMap that services read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Literal

import pulumi

from config.system import Resolved

from .labels import metadata
from .objects import KubernetesObject


class Configuration(pulumi.ComponentResource):
    """``<environment>-config``.

    The provider updates it in place (its mutable option); what rolls the readers is ``checksum`` in their pod template.
    """

    def __init__(self, name: str, resolved: Resolved, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("understudy:configuration:Configuration", name, None, opts)
        self.name = resolved.configuration.name
        self.data = resolved.configuration.data
        KubernetesObject(
            name,
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(resolved, self.name), "data": self.data},
            pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"name": self.name})

    def keys(self, wanted: Sequence[str] | Literal["all"]) -> dict[str, str]:
        """The keys a reader receives."""
        return self.data if wanted == "all" else {key: self.data[key] for key in wanted}

    def checksum(self, wanted: Sequence[str] | Literal["all"]) -> str:
        """Of the values of those keys alone, so that a change of another key leaves the reader running."""
        return checksum(self.keys(wanted))


def checksum(value: object) -> str:
    """The first 16 hex digits of the SHA-256 of the value as JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
