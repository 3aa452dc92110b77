"""The node's view of the file system: folders that its programs write are private, and end with its mount namespace."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

COVERED = (Path("/run"), Path("/var/lib"), Path("/var/log"))
"""Empty folders of the node, because containerd, kubelet and CNI plugins have fixed paths below them."""
TUNABLES = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""Kernel settings of the whole machine that a kubelet sets at its start; it finds these values and changes none."""


def _mount(*arguments: str, keep: tuple[int, ...] = ()) -> None:
    subprocess.run(["mount", *arguments], check=True, pass_fds=keep)


def set_up(needed: Iterable[Path], binds: Mapping[Path, Path], scratch: Path) -> None:
    """Mounts everything in the caller's mount and process-id namespace.

    ``needed`` are folders that stay visible, ``binds`` maps a folder to its path in the node, ``scratch`` is a folder for
    small files.
    """
    _mount("--make-rprivate", "/")
    _mount("-t", "proc", "proc", "/proc")
    hidden = [path for path in needed if any(path.is_relative_to(covered) for covered in COVERED)]
    handles = {path: os.open(path, os.O_PATH | os.O_DIRECTORY) for path in hidden}
    for covered in COVERED:
        _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(covered))
    for path, handle in handles.items():
        path.mkdir(parents=True, exist_ok=True)
        _mount("--bind", f"/proc/self/fd/{handle}", str(path), keep=(handle,))
        os.close(handle)
    for source, target in binds.items():
        source.mkdir(parents=True, exist_ok=True)
        target.mkdir(parents=True, exist_ok=True)
        _mount("--bind", str(source), str(target))
    for name, value in TUNABLES.items():
        setting = Path("/proc/sys") / name
        if setting.exists() and setting.read_text(encoding="utf-8").strip() != value:
            seen = scratch / name.replace("/", ".")
            seen.write_text(f"{value}\n", encoding="utf-8")
            _mount("--bind", str(seen), str(setting))
    # a later mount of the kubelet for a pod appears in running containers, too
    _mount("--make-rshared", "/")


def overlay_works(folder: Path) -> bool:
    """Returns whether containerd's default snapshotter works in ``folder``; it does not on top of another overlay."""
    parts = {name: folder / "trial" / name for name in ("lower", "upper", "work", "merged")}
    for part in parts.values():
        part.mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={parts['lower']},upperdir={parts['upper']},workdir={parts['work']}"
    command = ["mount", "-t", "overlay", "overlay", "-o", options, str(parts["merged"])]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return False
    subprocess.run(["umount", str(parts["merged"])], check=True)
    return True
