"""Runs every check on a cluster, in order."""

from __future__ import annotations

import json

from .checks import CHECKS
from .cluster import Cluster, Forbidden
from .needs import Needs
from .result import Result


def examine(needs: Needs, cluster: Cluster) -> list[Result]:
    """Returns the findings of every check; those that the caller may not read are ``unknown``.

    Raises ``ConfigError`` when there is no cluster.
    """
    results: list[Result] = []
    for check in CHECKS.values():
        try:
            results += [Result(check.id, f.status, f.said, f.fix) for f in check.run(needs, cluster)]
        except Forbidden as error:
            fix = "run it as a user with the right to read"
            results.append(Result(check.id, "unknown", f"cannot tell: you may not read {error}", fix))
    return results


def would_fail(results: list[Result]) -> bool:
    """Returns whether something would fail."""
    return any(result.status == "failure" for result in results)


def as_json(stack: str, context: str, results: list[Result]) -> str:
    """Returns the findings as JSON."""
    listed = [vars(result) for result in results]
    return json.dumps({"stack": stack, "context": context, "fails": would_fail(results), "results": listed}, indent=1)
