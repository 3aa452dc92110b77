"""The files of declarations: where they are, and how they are read."""

from __future__ import annotations

from pathlib import Path as FilePath

from config.errors import ConfigError, Problem

SYSTEMS = FilePath(__file__).parent.parent / "systems"
"""The folder of the shipped systems."""
MAX_BYTES = 4 * 1024 * 1024
"""Larger files are refused (500 services of ``bench/generate.py`` take 0.16 MB)."""


def shown(path: FilePath) -> str:
    """Returns the path relative to the working directory where that is shorter."""
    try:
        return str(path.resolve().relative_to(FilePath.cwd()))
    except ValueError:
        return str(path)


def read(path: FilePath) -> str:
    """Returns the text of a declaration; raises ``ConfigError`` when it cannot be read."""
    name = shown(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(Problem(name, None, "", f"larger than {MAX_BYTES // 2**20} MiB", "split the system"))
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError(Problem(name, line, "", "not UTF-8", "save the file as UTF-8")) from None
    except OSError as error:
        raise ConfigError(Problem(name, None, "", (error.strerror or "cannot be read").lower())) from None
