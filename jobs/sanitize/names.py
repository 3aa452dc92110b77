"""What a refresh makes in the target, and how it is called there."""

from __future__ import annotations

HOME = "understudy"
"""Stays: the marker of the environment (``environment``) and the receipts (``receipts``)."""
WORK = "understudy_work"
"""Of one refresh: the ranges and the fingerprints; dropped at its end and before the next begins."""
APPLICATION = "understudy-sanitize"
"""``application_name`` of every connection."""


QUIET = "autovacuum_enabled"
"""Off in what is built, until all of it is: who builds an index over a table that autovacuum looks at waits for
``deadlock_timeout``, a second, until that gives way, and its work is lost (seen in every refresh with a nap of 1 s)."""


def shadow(schema: str) -> str:
    """Where the copy of ``schema`` is built."""
    return f"understudy_new_{schema}"[:63]


def old(schema: str) -> str:
    """What ``schema`` is called between the swap and the dropping of its tables."""
    return f"understudy_old_{schema}"[:63]
