"""Names and strings as SQL quotes them, in CockroachDB and PostgreSQL alike."""

from __future__ import annotations


def identifier(name: str) -> str:
    """A quoted identifier, whatever it is."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def string(value: str) -> str:
    """A string literal."""
    doubled = value.replace("'", "''")
    return f"'{doubled}'"
