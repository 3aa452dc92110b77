"""System calls that Python's standard library lacks before 3.12 (``os.unshare`` and ``os.setns``)."""

from __future__ import annotations

import ctypes
import os
import signal
from pathlib import Path

NEW_MOUNTS = 0x00020000
NEW_PROCESS_IDS = 0x20000000
NEW_NETWORK = 0x40000000
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Moves this process to new namespaces; a new process-id namespace applies to its children only."""
    _check(_libc.unshare(flags), "unshare")


def enter_network(process: int) -> None:
    """Moves this thread to the network namespace of a process; open sockets stay in the earlier one."""
    with Path(f"/proc/{process}/ns/net").open("rb") as namespace:
        _check(_libc.setns(namespace.fileno(), NEW_NETWORK), "setns")


def end_with_parent() -> None:
    """Makes the kernel send SIGKILL to this process when its parent ends."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
