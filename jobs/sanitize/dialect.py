"""Differences between PostgreSQL and CockroachDB.

CockroachDB has ``COPY`` in text form only; no ``ctid``, so ranges are of the key; a time instead of an exported
snapshot (``AS OF SYSTEM TIME``); transactions that clients retry (SQLSTATE 40001); and ``sha256`` that returns
hexadecimal text, so ``hmac`` is used (https://www.cockroachlabs.com/docs/v23.1/functions-and-operators, …/copy,
…/as-of-system-time).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Literal

_BLOCK = 64
"""Bytes of a block of SHA-256 (RFC 2104)."""


def quoted(name: str) -> str:
    """Returns an identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Returns a string constant; the backslash is plain, under ``standard_conforming_strings``."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Keys:
    """The secrets of one refresh, 256 bits each. They exist only in memory and in the sessions' settings."""

    mask: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    proof: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def settings(self) -> dict[str, str]:
        """Returns session settings for the source: HMAC's padded key (RFC 2104) for PostgreSQL's expressions."""
        padded = self.mask.ljust(_BLOCK, b"\0")
        return {
            "understudy.key": self.mask.hex(),
            "understudy.inner": bytes(byte ^ 0x36 for byte in padded).hex(),
            "understudy.outer": bytes(byte ^ 0x5C for byte in padded).hex(),
            **self.proof_settings(),
        }

    def proof_settings(self) -> dict[str, str]:
        """Returns session settings for the target, with which nothing can be unmasked."""
        return {"understudy.proof": self.proof.hex()}


def _setting(name: str) -> str:
    """Returns a setting as bytes; the sub-select is evaluated once for each statement, not for each row."""
    return f"(SELECT decode(current_setting('understudy.{name}'), 'hex'))"


@dataclass(frozen=True)
class Dialect:
    """Statements of an engine."""

    engine: Literal["postgresql", "cockroachdb"]

    @property
    def physical(self) -> bool:
        """Whether rows have a ``ctid`` by which a table can be divided."""
        return self.engine == "postgresql"

    @property
    def only(self) -> str:
        """The word before a table's name that excludes tables which inherit from it."""
        return "ONLY " if self.engine == "postgresql" else ""

    def begin(self, moment: str) -> list[str]:
        """Returns a statement that opens a transaction at ``moment``.

        An exported snapshot's name, or CockroachDB's logical time.
        """
        if self.engine == "cockroachdb":
            return [f"BEGIN READ ONLY AS OF SYSTEM TIME {literal(moment)}"]
        return ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", f"SET TRANSACTION SNAPSHOT {literal(moment)}"]

    @property
    def moment(self) -> str:
        """Returns the present moment; PostgreSQL's exists as long as the transaction that exported it."""
        return (
            "SELECT cluster_logical_timestamp()::text"
            if self.engine == "cockroachdb"
            else "SELECT pg_export_snapshot()"
        )

    @property
    def settings(self) -> dict[str, str]:
        """Returns settings of each copying session.

        Compilation of a range's statement costs more than it saves; row policies must not hide rows; a range is shuffled
        in memory.
        """
        return {"jit": "off", "row_security": "off", "work_mem": "128MB"} if self.engine == "postgresql" else {}

    def copy_format(self, *, portable: bool) -> str:
        """Returns ``binary`` where both sides read it the same, else ``text``."""
        return "binary" if self.engine == "postgresql" and portable else "text"

    def digest(self, message: str) -> str:
        """Returns HMAC-SHA256 of ``message`` (an expression of bytes) under the refresh's key: 32 bytes.

        PostgreSQL's own ``sha256`` needs no extension, which could not be installed on a read-only source.
        """
        if self.engine == "cockroachdb":
            return f"hmac({message}, {_setting('key')}, 'sha256')"
        return f"sha256({_setting('outer')} || sha256({_setting('inner')} || {message}))"

    def fingerprint(self, message: str) -> str:
        """Returns an 80-bit keyed fingerprint of a value: a truncated hash with a secret prefix.

        A hash that is cut from 256 to 80 bits cannot be extended. One call replaces HMAC's two, because the call
        costs more than the blocks.
        """
        if self.engine == "cockroachdb":
            return f"substr(hmac({message}, {_setting('proof')}, 'sha256'), 1, 10)"
        return f"substr(sha256({_setting('proof')} || {message}), 1, 10)"


def of(engine: str) -> Dialect:
    """Returns the dialect of an engine of the contract."""
    return Dialect("cockroachdb" if engine == "cockroachdb" else "postgresql")
