"""The control group of a node's pods, in version 1 (one folder in each hierarchy) and version 2 (one folder)."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def unified(root: Path = ROOT) -> bool:
    """Whether the machine uses version 2 alone."""
    return (root / "cgroup.controllers").exists()


def hierarchies(root: Path = ROOT) -> list[Path]:
    """The folders that a control group has a folder in."""
    if unified(root):
        return [root]
    return [path for path in sorted(root.glob("*")) if path.is_dir() and not path.is_symlink()]


def make(name: str, root: Path = ROOT) -> None:
    """Makes the control group; the kubelet makes those below it."""
    if unified(root):
        offered = (root / "cgroup.controllers").read_text(encoding="utf-8").split()
        for controller in (c for c in ("cpu", "cpuset", "memory", "pids", "io", "hugetlb") if c in offered):
            with contextlib.suppress(OSError), (root / "cgroup.subtree_control").open("a") as control:
                control.write(f"+{controller}")  # the kubelet says which one it cannot do without
    for hierarchy in hierarchies(root):
        group = hierarchy / name
        group.mkdir(exist_ok=True)
        # a new group of the cpuset hierarchy has no CPUs and takes no process until it is given some
        for file in ("cpuset.cpus", "cpuset.mems"):
            if not unified(root) and (group / file).exists() and not (group / file).read_text(encoding="utf-8").strip():
                (group / file).write_text((hierarchy / file).read_text(encoding="utf-8"), encoding="utf-8")


def processes(name: str, root: Path = ROOT) -> set[int]:
    """The ids of the processes in the group and below it."""
    pids: set[int] = set()
    for hierarchy in hierarchies(root):
        for file in (hierarchy / name).glob("**/cgroup.procs"):
            with contextlib.suppress(OSError):  # the group has been removed
                pids |= {int(line) for line in file.read_text(encoding="utf-8").split()}
    return pids - {0}  # 0: a process outside the caller's process-id namespace


def remove(name: str, root: Path = ROOT, seconds: float = 10) -> None:
    """Removes the group and those below it, once their processes have ended; what is not there is not missed."""
    deadline = time.monotonic() + seconds
    for hierarchy in hierarchies(root):
        while (hierarchy / name).exists():
            try:
                folders = [path for path in (hierarchy / name).glob("**/") if path.is_dir()]
                for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
                    folder.rmdir()
            except OSError:  # processes that were killed a moment ago are still in it
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
