"""The recorded graphs of a meshed application, and of its platform; and of ways to declare it otherwise."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from review.graph import ROOT, Node, graph

SYSTEM = ROOT / "config" / "systems" / "quikapp.yaml"


@cache
def shipped(stack: str = "quikapp-staging") -> tuple[Node, ...]:
    """As it is checked out."""
    return tuple(graph(stack))


@cache
def changed(*replacements: tuple[str, str], images: str = "", environment: str = "staging") -> tuple[Node, ...]:
    """The application with pieces of its declaration replaced, on the platform as it is; ``images``: more of them."""
    with TemporaryDirectory() as folder:
        text = SYSTEM.read_text(encoding="utf-8")
        for old, new in replacements:
            assert text.count(old) >= 1, old
            text = text.replace(old, new, 1)
        system, file = Path(folder) / "quikapp.yaml", Path(folder) / "Pulumi.test.yaml"
        system.write_text(text, encoding="utf-8")
        settings = (ROOT / f"Pulumi.quikapp-{environment}.yaml").read_text(encoding="utf-8")
        settings = settings.replace("system: quikapp", f"system: {system}")
        file.write_text(settings + images, encoding="utf-8")
        return tuple(graph("test", file))


def spec(nodes: tuple[Node, ...], kind: str, name: str) -> Any:
    """Of the one object of that kind and name in the cluster."""
    return body(nodes, kind, name)["spec"]


def body(nodes: tuple[Node, ...], kind: str, name: str) -> Any:
    """The one object of that kind and name in the cluster."""
    found = [b for b in bodies(nodes, kind) if b["metadata"]["name"] == name]
    assert len(found) == 1, [b["metadata"]["name"] for b in bodies(nodes, kind)]
    return found[0]


def bodies(nodes: tuple[Node, ...], kind: str) -> list[Any]:
    """Objects of that kind."""
    return [n["inputs"] for n in nodes if n["type"].startswith("kubernetes:") and n["inputs"].get("kind") == kind]


CANARY = (
    """      - because: staging's data are""",
    """      - because: the next release is tried on some requests
        set: {backend.canary: {weight: 10%}}
      - because: staging's data are""",
)
CANARY_IMAGE = "    backend-canary: 1.1.0\n"
