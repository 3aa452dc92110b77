"""The control group of a node's pods, in version 1 (one folder in each hierarchy) and version 2 (one folder)."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def unified(root: Path = ROOT) -> bool:
    """Returns whether the machine uses version 2 only."""
    return (root / "cgroup.controllers").exists()


def hierarchies(root: Path = ROOT) -> list[Path]:
    """Returns the parent folders of a control group."""
    if unified(root):
        return [root]
    return [path for path in sorted(root.glob("*")) if path.is_dir() and not path.is_symlink()]


def make(name: str, root: Path = ROOT) -> None:
    """Creates the control group; the kubelet creates its children."""
    if unified(root):
        offered = (root / "cgroup.controllers").read_text(encoding="utf-8").split()
        for controller in (c for c in ("cpu", "cpuset", "memory", "pids", "io", "hugetlb") if c in offered):
            with contextlib.suppress(OSError), (root / "cgroup.subtree_control").open("a") as control:
                control.write(f"+{controller}")  # the kubelet reports a controller that it requires
    for hierarchy in hierarchies(root):
        group = hierarchy / name
        group.mkdir(exist_ok=True)
        # a new group of the cpuset hierarchy accepts no process until it has CPUs
        for file in ("cpuset.cpus", "cpuset.mems"):
            if not unified(root) and (group / file).exists() and not (group / file).read_text(encoding="utf-8").strip():
                (group / file).write_text((hierarchy / file).read_text(encoding="utf-8"), encoding="utf-8")


def processes(name: str, root: Path = ROOT) -> set[int]:
    """Returns the ids of the processes in the group and its children."""
    pids: set[int] = set()
    for hierarchy in hierarchies(root):
        for file in (hierarchy / name).glob("**/cgroup.procs"):
            with contextlib.suppress(OSError):  # the group has been removed
                pids |= {int(line) for line in file.read_text(encoding="utf-8").split()}
    return pids - {0}  # 0 is a process outside the caller's process-id namespace


def remove(name: str, root: Path = ROOT, seconds: float = 10) -> None:
    """Removes the group and its children, when their processes have ended; missing groups are ignored."""
    deadline = time.monotonic() + seconds
    for hierarchy in hierarchies(root):
        while (hierarchy / name).exists():
            try:
                folders = [path for path in (hierarchy / name).glob("**/") if path.is_dir()]
                for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
                    folder.rmdir()
            except OSError:  # processes that were just killed are still in it
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
