"""Files that are whole or not there, also after a command was killed while it wrote one."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Writes the file beside its place, with these rights, and moves it there."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    partial.touch(mode=mode)
    partial.write_bytes(content.encode() if isinstance(content, str) else content)
    partial.replace(path)
