"""What the nodes of a local cluster do with pods."""

from __future__ import annotations

from enum import StrEnum


class Nodes(StrEnum):
    """The value of NODES."""

    SIMULATED = "simulated"
    """They report pods Ready; nothing runs, and no right of root is needed."""
    REAL = "real"
    """One node runs the pods whose images exist; the others simulate the rest."""
