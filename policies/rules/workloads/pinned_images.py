"""Image references are immutable."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...pods import containers, is_workload
from ...references import nsa
from ...resource import Resource, Unknown, child
from ...rule import Problem, Rule
from ...stack import Stack

_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
_VERSION = re.compile(r"v?\d+(\.\d+){1,3}([.-][A-Za-z0-9.-]+)?|[0-9a-f]{7,40}")
"""A version with its parts, or a commit.

Tags such as ``latest``, ``stable``, ``staging-latest`` and ``16`` change their image.
"""


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if not is_workload(resource):
        return
    for path, container in containers(resource):
        image = child(container, "image")
        if isinstance(image, Unknown) or not isinstance(image, str):
            yield (*path, "image"), "the image is not known"
        elif not _DIGEST.fullmatch(image):
            tag = image.rpartition("/")[2].partition(":")[2]
            if not _VERSION.fullmatch(tag) or "latest" in tag:
                yield (*path, "image"), f"{image!r} is not immutable: the tag may get another image"


RULE = Rule(
    id="workloads-pinned-images",
    description="Images are pinned to a digest, a version or a commit.",
    severity="high",
    remediation="./understudy images --stack <stack> resolves tags to digests; or name versions under understudy:images.",
    check=check,
    references=(nsa("Kubernetes Pod security"),),
)
