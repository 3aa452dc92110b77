"""Loads a checked ``System`` from a YAML file; each mistake has its line."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path as FilePath

from .checks.references import check_references
from .errors import ConfigError, Problem
from .reading.files import SYSTEMS, read, shown
from .reading.yaml import closest, validated
from .system import System


def load(name_or_file: str) -> System:
    """Returns the system of that name under ``config/systems``, or in that file; raises ``ConfigError``."""
    path = FilePath(name_or_file)
    if path.suffix not in {".yaml", ".yml"}:
        path = SYSTEMS / f"{name_or_file}.yaml"
        if not path.exists():
            names = [file.stem for file in shipped()]
            raise ConfigError(
                Problem(
                    name_or_file, None, "", f"no such system; known: {', '.join(names)}", closest(name_or_file, names)
                )
            )
    name = shown(path)
    try:
        status = path.stat()
    except OSError:
        return parse(read(path), name)  # reading it raises an error that describes the problem
    return _loaded(path.resolve(), name, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _loaded(path: FilePath, name: str, _modified: int, _size: int) -> System:
    """Returns the system in a file; an unchanged file is parsed once in a process."""
    return parse(read(path), name)


def shipped() -> list[FilePath]:
    """Returns the files of the shipped systems; ``<system>.data.yaml`` beside one is its data contract."""
    return sorted(path for path in SYSTEMS.glob("*.yaml") if "." not in path.stem)


def parse(text: str, file: str) -> System:
    """Returns the system in ``text``; ``file`` is for messages. Raises ``ConfigError``."""
    system, lines = validated(System, text, file)
    system._file, system._lines = file, lines
    check_references(system)
    return system
