"""What stops a refresh. A mistake of the contract or of how it was called is a ``ConfigError`` (exit code 2)."""

from __future__ import annotations


class Trouble(RuntimeError):
    """The world did not do as it should: said in one message, exit code 1; the old data are as they were."""


class Leak(Trouble):
    """The proof failed: what was copied is not what was promised. Says where and how many, never a value."""


class SnapshotGone(Trouble):
    """The connection that exported the snapshot died; the copy begins again with another."""
