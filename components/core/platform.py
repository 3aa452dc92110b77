"""Outputs of the platform for the application: from this stack, from the platform's stack, or given as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.output import Unknown

from config.model.platform import Platform as Values
from config.stack import Stack

OUTPUT = "platform"
"""The output of the platform's stack with these values."""


class Platform:
    """Cluster and endpoints as outputs. They are unknown, and a preview continues, while the platform does not exist."""

    def __init__(self, values: pulumi.Output[Mapping[str, Any] | None]) -> None:
        self._values = values

    @classmethod
    def resolve(cls, stack: Stack, own_outputs: Mapping[str, Any] | None, opts: pulumi.ResourceOptions) -> Platform:
        """Returns the platform that this stack created (``made``), or else the one that its configuration names."""
        if own_outputs is not None:
            return cls(pulumi.Output.from_input(dict(own_outputs)))
        if isinstance(stack.platform, Values):
            return cls(pulumi.Output.from_input(stack.platform.model_dump(by_alias=True, exclude_none=True)))
        if stack.platform:
            reference = pulumi.StackReference("platform", stack_name=stack.platform, opts=opts)
            return cls(reference.get_output(OUTPUT))
        return cls(pulumi.Output.from_input(Values().model_dump(by_alias=True)))

    def kubeconfig(self, identifier: str) -> pulumi.Output[str]:
        """Returns the kubeconfig of the cluster; raises an error when the cluster is not the environment's."""

        def checked(values: list[Any]) -> Any:
            identity, kubeconfig = values
            if identity != identifier:
                raise pulumi.RunError(
                    f"this is another environment's platform: its cluster is {identity}, ours is {identifier}\n"
                    "    fix: name the platform of this environment under 'understudy:platform'"
                )
            return kubeconfig

        both = pulumi.Output.all(self.get("cluster", "identifier"), self.get("cluster", "kubeconfig"))
        return both.apply(checked)

    def get(self, *path: str) -> pulumi.Output[Any]:
        """Returns a value, such as ``endpoints``, ``postgres``, ``host``; unknown while its platform does not export it."""

        def found(values: Any) -> Any:
            for part in path:
                values = values.get(part) if isinstance(values, Mapping) else None
            if values is None and not pulumi.runtime.is_dry_run():
                raise pulumi.RunError(
                    f"the platform gives no {'.'.join(path)}\n"
                    "    fix: bring its stack up first, or give the value under 'understudy:platform'"
                )
            return Unknown() if values is None else values  # type: ignore[no-untyped-call]  # the SDK's has no annotations

        return self._values.apply(found)
