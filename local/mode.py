"""Modes of the nodes of a local cluster."""

from __future__ import annotations

from enum import StrEnum


class Nodes(StrEnum):
    """The value of NODES."""

    SIMULATED = "simulated"
    """They report pods Ready; nothing runs, and no right of root is needed."""
    REAL = "real"
    """With ``real`` one node runs pods whose images exist, and the other nodes simulate the rest."""
