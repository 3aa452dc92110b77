"""The names of objects that a refresh creates in the target.

All but ``HOME`` contain the schema's name, so schemas are independent.
"""

from __future__ import annotations

import hashlib

HOME = "understudy"
"""The schema that stays: the marker of the environment (``environment``) and the receipts (``receipts``)."""
LONGEST = 63
"""Largest number of bytes of a name in PostgreSQL (``NAMEDATALEN`` - 1)."""

QUIET = "autovacuum_enabled"
"""Disables autovacuum on a table until it is complete.

An index build over a table that autovacuum examines waits for ``deadlock_timeout``, a second, until autovacuum gives way
and loses its work (seen in every refresh with a nap of 1 s).
"""


def shadow(schema: str) -> str:
    """Returns the schema in which the copy of ``schema`` is built."""
    return _named("understudy_new_", schema)


def old(schema: str) -> str:
    """Returns the name of ``schema`` between the swap and the deletion of its tables."""
    return _named("understudy_old_", schema)


def work(schema: str) -> str:
    """Returns the schema of one refresh's ranges and fingerprints; it is dropped at its end and before the next begins."""
    return _named("understudy_work_", schema)


def application(schema: str) -> str:
    """Returns the ``application_name`` of the connections of a refresh of ``schema``."""
    return _named("understudy-sanitize/", schema)


def _named(prefix: str, schema: str) -> str:
    """Returns the prefix and the schema's name; a long name is cut and ends in its hash, so two long names differ."""
    name = f"{prefix}{schema}"
    if len(name.encode()) <= LONGEST:
        return name
    digest = hashlib.sha256(schema.encode()).hexdigest()[:12]
    return f"{name.encode()[: LONGEST - 13].decode(errors='ignore')}_{digest}"
