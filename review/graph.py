"""A stack's resource graph, and the Kubernetes objects in it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.errors import ConfigError, Problem

ROOT = Path(__file__).resolve().parent.parent
STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
"""Names of the repository's stacks."""
Node = dict[str, Any]
"""``{urn, type, name, parent, provider, inputs, depends_on, protect, retain_on_delete}``."""
RELEASE = "kubernetes:helm.sh/v3:Release"
"""The type of a Helm release."""


def graph(stack: str, file: Path | None = None, project: Path = ROOT) -> list[Node]:
    """The program's resources, ordered by URN, recorded in a process of their own.

    ``file`` is the stack's file, default ``Pulumi.<stack>.yaml``. Raises ``ConfigError`` with what the program said.
    """
    command = [sys.executable, "-m", "review.record", str(project), stack, *([str(file)] if file else [])]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["the program failed"]
        message = (
            result.stderr.strip() if result.returncode in (1, 2) and "Traceback" not in result.stderr else lines[-1]
        )
        raise ConfigError(Problem(f"Pulumi.{stack}.yaml", None, "", message))
    nodes: list[Node] = json.loads(result.stdout)
    return nodes


def manifests(nodes: list[Node]) -> Iterator[tuple[str, Node]]:
    """File name and object of every Kubernetes object in the graph."""
    for node in nodes:
        if node["type"].startswith("kubernetes:"):
            body = node["inputs"]
            place = body["metadata"].get("namespace", "cluster")
            yield f"{place}-{body['kind'].lower()}-{body['metadata']['name']}.yaml", body
