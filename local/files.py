"""Files that are complete or absent, also after a command was killed while it wrote one."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Writes a file with these rights under a temporary name, and renames it."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    partial.touch(mode=mode)
    partial.write_bytes(content.encode() if isinstance(content, str) else content)
    partial.replace(path)
