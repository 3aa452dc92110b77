"""Kubernetes objects, in Kubernetes' own words.

The SDK's class for each kind would be imported with every other class of its API group: measured here, 0.65 s and 23 MB for
the groups that a namespace and a Deployment need, of a preview of four seconds. What they add to the manifest is the
type token, and that a Secret's data are secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}
"""Annotation of an object whose readiness the Kubernetes provider does not wait for."""


class KubernetesObject(pulumi.CustomResource):
    """An object of any API version and kind; the engine sees the same type as for the SDK's class."""

    def __init__(self, name: str, body: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        """``body`` is the manifest: ``apiVersion``, ``kind``, ``metadata`` and the rest."""
        version, kind = body["apiVersion"], body["kind"]
        props = dict(body)
        if version == "v1" and kind == "Secret":
            # wrapped value by value, so that the keys are known before the last value is
            props |= {
                part: {key: pulumi.Output.secret(value) for key, value in body[part].items()}
                for part in ("data", "stringData")
                if part in body
            }
            hidden = pulumi.ResourceOptions(additional_secret_outputs=["data", "stringData"])
            opts = pulumi.ResourceOptions.merge(opts, hidden)
        module = version if "/" in version else f"core/{version}"
        super().__init__(f"kubernetes:{module}:{kind}", name, props, opts)
