"""Graphs of small systems, recorded from the unchanged program."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from review.graph import Node, graph
from tests.systems import write

STACK = """\
config:
  understudy:system: {system}
  understudy:environment: {environment}
  understudy:images: {{web: 1.0.0, worker: 1.0.0, cleanup: 1.2.3}}
  understudy:rotation: {{app: {rotation}}}
"""


@cache
def recorded(
    *replacements: tuple[str, str], environment: str = "staging", rotation: int = 1, stack: str = ""
) -> tuple[Node, ...]:
    """The graph of the small system with pieces of its declaration replaced; ``stack``: more lines of its stack's file."""
    with TemporaryDirectory() as folder:
        system = write(Path(folder), *replacements)
        file = Path(folder) / "Pulumi.test.yaml"
        text = (STACK + stack).format(system=system, environment=environment, rotation=rotation)
        file.write_text(text, encoding="utf-8")
        return tuple(graph("test", file))


@cache
def shipped(stack: str) -> tuple[Node, ...]:
    """The graph of a stack of the repository."""
    return tuple(graph(stack))


def node(nodes: tuple[Node, ...], kind: str, name: str) -> Node:
    """The one resource of that kind (the last part of its type) and name; our own component only for ``Environment``."""
    ours = "understudy:" if kind == "Environment" else ("kubernetes:", "random:", "pulumi:", "pulumi-python:")
    found = [n for n in nodes if n["type"].startswith(ours) and n["type"].endswith(f":{kind}") and n["name"] == name]
    assert len(found) == 1, [(n["type"], n["name"]) for n in nodes]
    return found[0]


def inputs(nodes: tuple[Node, ...], kind: str, name: str) -> Any:
    """Its inputs."""
    return node(nodes, kind, name)["inputs"]
