"""Where the values of a Secret come from, written on it: policies prove it by this and never look at a value."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi

ANNOTATION = "understudy.dev/origins"
GIVEN = "given"
"""Somebody gave the value; nothing generates it."""


def origin(resource: pulumi.CustomResource, name: str) -> str:
    """``<type>::<name>`` of the resource that makes a value."""
    return f"{resource.pulumi_resource_type}::{name}"


def stated(origins: Mapping[str, str]) -> dict[str, str]:
    """Key to origin, as an annotation."""
    return {ANNOTATION: json.dumps(dict(sorted(origins.items())))}
