"""The ConfigMaps that services read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pulumi

from config.system import ENDPOINT, Resolved

from .labels import metadata
from .objects import KubernetesObject
from .platform import Platform


class Configuration(pulumi.ComponentResource):
    """Creates ``<environment>-config`` with every key, and the ConfigMaps with some of them.

    The provider updates them in place (its mutable option); the digest in the readers' pod templates replaces the pods.
    """

    def __init__(
        self, name: str, resolved: Resolved, platform: Platform, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("understudy:configuration:Configuration", name, None, opts)
        settings = resolved.configuration
        self.name = settings.name
        self._declared = settings.data
        self._data = {key: _known(text, platform) for key, text in settings.data.items()}
        maps = {settings.name: self._data} | {
            other: {key: self._data[key] for key in keys} for other, keys in settings.also.items()
        }
        for called, data in maps.items():
            KubernetesObject(
                name if called == settings.name else called,
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(resolved, called), "data": data},
                pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"name": self.name})

    def declared(self, wanted: Sequence[str] | Literal["all"]) -> Mapping[str, str]:
        """Returns the keys that a reader receives, as they are declared."""
        return self._declared if wanted == "all" else {key: self._declared[key] for key in wanted}

    def checksum(self, wanted: Sequence[str] | Literal["all"]) -> Any:
        """Returns a digest of these keys' values only: a change of another key does not roll the pods."""
        values = {key: self._data[key] for key in self.declared(wanted)}
        if not any(isinstance(value, pulumi.Output) for value in values.values()):
            return checksum(values)
        return pulumi.Output.all(**values).apply(checksum)


def _known(text: str, platform: Platform) -> Any:
    """Returns the text with the platform's values filled in."""
    references = list(ENDPOINT.finditer(text))
    if not references:
        return text
    values = [platform.get("endpoints", match["component"], match["part"]) for match in references]
    return pulumi.Output.all(*values).apply(lambda known: _filled(text, known))


def _filled(text: str, values: Sequence[Any]) -> str:
    following = iter(values)
    return re.sub(ENDPOINT, lambda _: str(next(following)), text)


def checksum(value: object) -> str:
    """Returns the first 16 hex digits of the SHA-256 of the value as JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
