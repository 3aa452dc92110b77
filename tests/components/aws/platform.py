"""QuikApp's platform as graphs: as shipped, and with pieces of its declaration replaced."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from config.reading.files import SYSTEMS
from review.graph import Node, graph


@cache
def shipped(environment: str = "staging") -> tuple[Node, ...]:
    """The shipped platform."""
    return tuple(graph(f"quikapp-{environment}-platform"))


@cache
def changed(*replacements: tuple[str, str], environment: str = "staging", stack: str = "") -> tuple[Node, ...]:
    """With these texts replaced everywhere in the declaration; ``stack``: more settings of the stack, as JSON."""
    with TemporaryDirectory() as folder:
        text = (SYSTEMS / "quikapp.yaml").read_text(encoding="utf-8")
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        system = Path(folder) / "quikapp.yaml"
        system.write_text(text, encoding="utf-8")
        config = {"system": str(system), "environment": environment, "layer": "platform", **json.loads(stack or "{}")}
        file = Path(folder) / "Pulumi.test.yaml"
        file.write_text(json.dumps({"config": {f"understudy:{key}": value for key, value in config.items()}}))
        return tuple(graph("test", file))


def node(nodes: tuple[Node, ...], type_: str, name: str) -> Node:
    """The one resource of that type (its last parts) and name."""
    [found] = [n for n in nodes if n["type"].endswith(type_) and n["name"] == name]
    return found


def inputs(nodes: tuple[Node, ...], type_: str, name: str) -> Any:
    """Its inputs."""
    return node(nodes, type_, name)["inputs"]


def names(nodes: tuple[Node, ...], type_: str) -> set[str]:
    """Of every resource of that type."""
    return {n["name"] for n in nodes if n["type"].endswith(type_)}


def refers(value: Any, type_: str, name: str) -> bool:
    """Whether an input is an output of that resource."""
    return isinstance(value, str) and f"{type_}::{name}." in value
