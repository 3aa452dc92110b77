"""``python -m local.clean``: stops every cluster of this clone."""

from __future__ import annotations

from .control_plane import ControlPlane
from .paths import HOME

for folder in sorted((HOME / "clusters").glob("*")):
    ControlPlane(folder.name).remove()
