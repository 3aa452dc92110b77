"""The files of declarations: where the shipped ones are, and how one is read."""

from __future__ import annotations

from pathlib import Path as FilePath

from config.errors import ConfigError, Problem

SYSTEMS = FilePath(__file__).parent.parent / "systems"
"""The folder of the systems that are shipped."""
MAX_BYTES = 4 * 1024 * 1024
"""A declaration larger than this (500 services of ``bench/generate.py`` take 0.16 MB) is taken for a mistake."""


def shown(path: FilePath) -> str:
    """Relative to the working directory where that is shorter."""
    try:
        return str(path.resolve().relative_to(FilePath.cwd()))
    except ValueError:
        return str(path)


def read(path: FilePath) -> str:
    """The text of a declaration; raises ``ConfigError`` when there is none to read."""
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
