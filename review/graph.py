"""A stack's resource graph, and the Kubernetes objects in it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.errors import ConfigError, Problem

from .recorder import request

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
    code, stdout, stderr = request(ROOT, stack, file) if project == ROOT else _in_new_process(stack, file, project)
    if code:
        lines = stderr.strip().splitlines() or ["the program failed"]
        message = stderr.strip() if code in (1, 2) and "Traceback" not in stderr else lines[-1]
        raise ConfigError(Problem(f"Pulumi.{stack}.yaml", None, "", message))
    nodes: list[Node] = json.loads(stdout)
    return nodes


def _in_new_process(stack: str, file: Path | None, project: Path) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "review.record", str(project), stack, *([str(file)] if file else [])]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout, result.stderr


def manifests(nodes: list[Node]) -> Iterator[tuple[str, Node]]:
    """Yields file name and object of every Kubernetes object in the graph."""
    for node in nodes:
        if node["type"].startswith("kubernetes:"):
            body = node["inputs"]
            place = body["metadata"].get("namespace", "cluster")
            yield f"{place}-{body['kind'].lower()}-{body['metadata']['name']}.yaml", body
