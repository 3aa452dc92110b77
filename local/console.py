"""Progress messages in the terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console(stderr=True, highlight=False)


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Shows a spinner during the work, and then its duration."""
    start = time.monotonic()
    if not console.is_terminal:
        console.print(f"· {name} …")
    with console.status(name):
        yield
    console.print(f"[green]✓[/] {name} [dim]{time.monotonic() - start:.1f} s[/]")


@contextmanager
def step(name: str) -> Iterator[None]:
    """Like ``phase``, for concurrent work: a line at its beginning and one at its end."""
    start = time.monotonic()
    console.print(f"· {name} …", soft_wrap=True)
    yield
    console.print(f"[green]✓[/] {name} [dim]{time.monotonic() - start:.0f} s[/]", soft_wrap=True)
