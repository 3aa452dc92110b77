"""The origin of each value of a Secret, as an annotation. Policies verify origins and never read values."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi

ANNOTATION = "understudy.dev/origins"
GIVEN = "given"
"""The origin of a value that the user supplied; it is not generated."""


def origin(resource: pulumi.CustomResource, name: str) -> str:
    """Returns ``<type>::<name>`` of the resource that creates a value."""
    return f"{resource.pulumi_resource_type}::{name}"


def stated(origins: Mapping[str, str]) -> dict[str, str]:
    """Returns the annotation with key to origin."""
    return {ANNOTATION: json.dumps(dict(sorted(origins.items())))}
