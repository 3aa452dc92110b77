"""The names of what a refresh makes in the target. All but ``HOME`` carry the schema's name: each is refreshed apart."""

from __future__ import annotations

import hashlib

HOME = "understudy"
"""The schema that stays: the marker of the environment (``environment``) and the receipts (``receipts``)."""
LONGEST = 63
"""Bytes of a name in PostgreSQL (``NAMEDATALEN`` - 1)."""

QUIET = "autovacuum_enabled"
"""Off in what is built, until all of it is: an index build over a table that autovacuum looks at waits for
``deadlock_timeout``, a second, until autovacuum gives way and loses its work (seen in every refresh with a nap of 1 s)."""


def shadow(schema: str) -> str:
    """The schema in which the copy of ``schema`` is built."""
    return _named("understudy_new_", schema)


def old(schema: str) -> str:
    """The name of ``schema`` between the swap and the dropping of its tables."""
    return _named("understudy_old_", schema)


def work(schema: str) -> str:
    """The schema of one refresh's ranges and fingerprints; dropped at its end and before the next begins."""
    return _named("understudy_work_", schema)


def application(schema: str) -> str:
    """The ``application_name`` of the connections of a refresh of ``schema``."""
    return _named("understudy-sanitize/", schema)


def _named(prefix: str, schema: str) -> str:
    """The prefix and the schema's name; a long name is cut and ends in its hash, so two long names stay apart."""
    name = f"{prefix}{schema}"
    if len(name.encode()) <= LONGEST:
        return name
    digest = hashlib.sha256(schema.encode()).hexdigest()[:12]
    return f"{name.encode()[: LONGEST - 13].decode(errors='ignore')}_{digest}"
