"""Directories of this repository and of local runs."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder."""
HOME = Path(os.environ.get("UNDERSTUDY_HOME") or ROOT / ".understudy")
"""The folder of all untracked files that a run creates; ``UNDERSTUDY_HOME`` moves it."""
TOOLS = Path(os.environ.get("UNDERSTUDY_TOOLS") or HOME / "tools")
"""The folder of built programs, which several clones may share with ``UNDERSTUDY_TOOLS``."""
PYTHON = ROOT / ".venv" / "bin" / "python"
