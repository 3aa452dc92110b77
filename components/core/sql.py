"""Names and strings as SQL quotes them, in CockroachDB and PostgreSQL alike."""

from __future__ import annotations


def identifier(name: str) -> str:
    """Returns a quoted identifier."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def string(value: str) -> str:
    """Returns a string literal."""
    doubled = value.replace("'", "''")
    return f"'{doubled}'"
