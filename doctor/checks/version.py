"""Checks that the API server is new enough for the fields that the objects use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ..cluster import Cluster
from ..needs import Needs, at
from ..result import Check, Finding

Version = tuple[int, int]


def _pods(condition: Callable[[Any], bool]) -> Callable[[Needs], bool]:
    return lambda needs: any(condition(spec) for _, spec in needs.pods)


def _labelled(needs: Needs) -> bool:
    return any(
        key.startswith("pod-security.kubernetes.io/")
        for body in needs.of("Namespace")
        for key in at(body, "metadata", "labels") or ()
    )


MINIMUMS: tuple[tuple[Version, str, Callable[[Needs], bool]], ...] = (
    ((1, 22), "server-side apply", lambda needs: bool(needs.objects)),
    ((1, 25), "Pod Security admission", _labelled),
    ((1, 27), "spec.timeZone of a CronJob", lambda n: any(at(b, "spec", "timeZone") for b in n.of("CronJob"))),
    (
        (1, 27),
        "matchLabelKeys of topologySpreadConstraints",
        _pods(lambda spec: any(term.get("matchLabelKeys") for term in spec.get("topologySpreadConstraints") or ())),
    ),
    (
        (1, 29),
        "restartPolicy of an init container",
        _pods(lambda spec: any(c.get("restartPolicy") for c in spec.get("initContainers") or ())),
    ),
)
"""The first version in which the feature is on by default, the feature, and whether the objects use it.

https://kubernetes.io/docs/reference/command-line-tools-reference/feature-gates/
"""


def new_enough(needs: Needs, cluster: Cluster) -> Iterator[Finding]:
    """Checks that the version is at least that of every feature in use."""
    server_version = cluster.version()
    match = re.match(r"v?(\d+)\.(\d+)", server_version)
    if match is None:
        yield Finding("unknown", f"cannot tell: the API server calls its version {server_version!r}")
        return
    version = (int(match[1]), int(match[2]))
    missing = [(least, feature) for least, feature, used in MINIMUMS if used(needs) and version < least]
    if missing:
        least = max(least for least, _ in missing)
        features = ", ".join(f"{feature} ({v[0]}.{v[1]})" for v, feature in missing)
        yield Finding(
            "failure", f"{server_version} lacks {features}", f"upgrade the cluster to {least[0]}.{least[1]} or later"
        )
    else:
        yield Finding("ok", server_version)


CHECKS = (Check("version", "Is the API server new enough for the fields that the objects use?", new_enough),)
