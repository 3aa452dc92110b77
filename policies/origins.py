"""Origins of values that are unknown in a preview or secret.

The engine does not tell a policy which resource an unknown input depends on. Therefore a Secret states the origin of
each of its keys in an annotation, and the types that fill other places are listed here. In both cases the resource
must belong to this stack and have been judged before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase

from .resource import Path, Resource, Unknown
from .stack import Stack

ANNOTATION = "understudy.dev/origins"
"""On Secrets: JSON, key to ``<type>::<name>`` of the resource that creates the value, or ``given``."""
GENERATORS = ("random:index/*", "pulumi-python:dynamic/certificates:*")
"""Types that create a new value for the stack they are in."""
_AUTHORITY, _CERTIFICATE = (f"pulumi-python:dynamic/certificates:{name}" for name in ("Authority", "Certificate"))
_SITES: tuple[tuple[str, Path, str], ...] = (
    (
        "pulumi-python:dynamic/*",
        ("__provider",),
        "pulumi:providers:pulumi-python",
    ),  # the name of its code, which is kept as a secret
    (_CERTIFICATE, ("authority_certificate",), _AUTHORITY),
    (_CERTIFICATE, ("authority_key",), _AUTHORITY),
    (
        "kubernetes:apps/v1:*",
        ("spec", "template", "metadata", "annotations", "understudy.dev/certificate"),
        _CERTIFICATE,
    ),
    ("pulumi:providers:kubernetes", ("kubeconfig",), "aws:eks/cluster:Cluster"),
    ("kubernetes:helm.sh/v3:Release", ("values", "vpcId"), "aws:ec2/vpc:Vpc"),
    ("kubernetes:elbv2.k8s.aws/*:TargetGroupBinding", ("spec", "targetGroupARN"), "aws:lb/targetGroup:TargetGroup"),
)


def origins(secret: Resource) -> Mapping[str, str]:
    """Returns key to origin from the Secret's annotation; empty when it is missing or cannot be parsed."""
    written = secret.get("metadata", "annotations", ANNOTATION)
    try:
        stated = json.loads(written) if isinstance(written, str) else {}
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in stated.items()} if isinstance(stated, dict) else {}


def named(origin: str, stack: Stack) -> Resource | None:
    """Returns the resource of this stack that an origin names, when its type creates values."""
    kind, _, name = origin.partition("::")
    if not any(fnmatchcase(kind, pattern) for pattern in GENERATORS):
        return None
    return stack.named(kind, name)


def _platform(stack: Stack) -> str | None:
    """Returns the stack of the environment's platform; its outputs are the application's inputs."""
    written = stack.declared("platform")
    return written.rpartition("/")[2] if isinstance(written, str) else None


def traced(resource: Resource, path: Path, unknown: Unknown, stack: Stack) -> bool:
    """Returns whether an unknown value comes from a resource of this stack."""
    if unknown.origin is not None:
        return unknown.origin in stack.seen or unknown.origin.split(":")[2] == _platform(stack)
    if resource.type == "kubernetes:core/v1:Secret" and path[:1] in (("stringData",), ("data",)) and len(path) == 2:
        origin = origins(resource).get(str(path[1]), "")
        return origin == "given" or named(origin, stack) is not None
    if resource.type.startswith("aws:"):
        # identifiers that AWS assigns are known only after creation; the resource is then shown again and checked
        return resource.provider in stack.seen
    if _platform(stack) is not None:
        # while the platform does not exist, a preview knows none of its outputs; an update fails without them and checks them
        return True
    return any(
        fnmatchcase(resource.type, kind)
        and path == place
        and any(r.type == maker for r in stack.of_kind(maker.rpartition(":")[2]))
        for kind, place, maker in _SITES
    )
