"""``python -m local.clean`` stops every local cluster and every AWS account of this clone.

It refuses while this clone contains the state of a stack on a user's cluster, because the stack could not be destroyed
without it.
"""

from __future__ import annotations

import sys

from .control_plane import ControlPlane
from .moto import Moto
from .paths import HOME
from .target import holds

for folder in sorted((HOME / "contexts").glob("*/")):
    if held := holds(folder):
        print(
            f"{folder} holds the state of {', '.join(held)} on a cluster of yours: nothing was removed", file=sys.stderr
        )
        print(
            "    fix: make destroy CONTEXT=…, or ./understudy local forget --context … when it is gone", file=sys.stderr
        )
        raise SystemExit(2)
for folder in sorted((HOME / "clusters").glob("*")):
    ControlPlane(folder.name).remove()
for folder in sorted((HOME / "accounts").glob("*")):
    Moto(folder.name).down()
