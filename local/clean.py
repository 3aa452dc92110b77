"""``python -m local.clean``: stops every cluster and every AWS account of this clone."""

from __future__ import annotations

from .control_plane import ControlPlane
from .moto import Moto
from .paths import HOME

for folder in sorted((HOME / "clusters").glob("*")):
    ControlPlane(folder.name).remove()
for folder in sorted((HOME / "accounts").glob("*")):
    Moto(folder.name).down()
