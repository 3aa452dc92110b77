"""An environment without its scale and its changes: production's declaration under the environment's own names.

Parity compares with it. Production and this graph differ only by names; this graph and the environment's own differ by
values that the program computed from scaled and changed ones.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ruamel.yaml import YAML

from config.errors import ConfigError
from config.reading.files import read
from config.stack import PROJECT, Stack, read_stack

from .graph import ROOT, Node, graph


def plain(stack: str, project: Path = ROOT) -> list[Node] | None:
    """Returns the graph of the stack's environment without scale and changes, or else without scale.

    ``None`` when neither is valid, for example where production uses a store that only a change replaces.
    """
    file = project / f"Pulumi.{stack}.yaml"
    settings = read_stack(file)
    for parts in (("scale", "changes"), ("scale",)):
        with TemporaryDirectory(prefix="understudy-") as folder:
            try:
                return graph(stack, _without(parts, settings, file, Path(folder)), project)
            except ConfigError:
                continue
    return None


def _without(parts: tuple[str, ...], settings: Stack, file: Path, folder: Path) -> Path:
    """Returns the stack's file, for a copy of its system whose environment lacks these parts."""
    writer = YAML()
    declared = Path(settings.system)
    if declared.suffix not in {".yaml", ".yml"}:
        declared = file.parent / "config" / "systems" / f"{settings.system}.yaml"
    system: Any = writer.load(read(declared))
    for part in parts:
        system["environments"][settings.environment].pop(part, None)
    target = folder / declared.name
    with target.open("w", encoding="utf-8") as handle:
        writer.dump(system, handle)
    content: Any = writer.load(read(file))
    content["config"][f"{PROJECT}:system"] = str(target)
    changed = folder / file.name
    with changed.open("w", encoding="utf-8") as handle:
        writer.dump(content, handle)
    return changed
