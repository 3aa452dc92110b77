"""Directories of this repository and of local runs."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The project."""
HOME = Path(os.environ.get("UNDERSTUDY_HOME") or ROOT / ".understudy")
"""Everything that is made here and not tracked; ``UNDERSTUDY_HOME`` moves it."""
TOOLS = Path(os.environ.get("UNDERSTUDY_TOOLS") or HOME / "tools")
"""Built programs; ``UNDERSTUDY_TOOLS`` lets several clones share them."""
PYTHON = ROOT / ".venv" / "bin" / "python"
