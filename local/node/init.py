"""The first process of the real node: ``python -m local.node.init <cluster's folder> <network of Services>``.

It creates namespaces, sets up mounts, network and control group, and then supervises containerd, kubelet, kube-proxy and
CoreDNS. SIGTERM stops the pods' processes in order; SIGKILL ends all processes at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from local.paths import HOME, ROOT, TOOLS

from . import cgroups, containerd, kernel, kubelet, mounts, network, services
from .layout import KUBELET, POD_LOGS, Layout
from .requirements import ADMINISTRATORS

GRACE = 10.0
"""Seconds from SIGTERM to SIGKILL for the pods' processes."""
_RESTART = 1.0


class Init:
    """Starts the node's programs, restarts those that end, and reaps orphaned processes."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._running: dict[int, str] = {}
        self._due: dict[str, float] = {}
        self._commands: dict[str, list[str]] = {}
        self._ending = False

    def run(self, service_network: str) -> None:
        """Runs until SIGTERM."""
        signal.signal(signal.SIGTERM, self._asked_to_end)
        layout, folder = self._layout, self._layout.folder
        scratch = folder / "tunables"
        scratch.mkdir(exist_ok=True)
        binds = {folder / "kubelet": KUBELET, folder / "logs": POD_LOGS}
        mounts.set_up((ROOT, HOME, TOOLS, layout.cluster), binds, scratch)
        network.set_up(service_network)
        cgroups.make(layout.cgroup)
        snapshotter = "overlayfs" if mounts.overlay_works(folder) else "native"
        self._commands = {
            "containerd": containerd.configure(layout, snapshotter),
            "kubelet": kubelet.configure(layout),
            "kube-proxy": services.kube_proxy(layout),
            "coredns": services.coredns(layout),
        }
        self._due = dict.fromkeys(self._commands, 0.0)
        layout.ready.touch()
        while not self._ending:
            self._start_due()
            self._reap()
            time.sleep(0.1)
        self._stop()

    def _asked_to_end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True

    def _start_due(self) -> None:
        now = time.monotonic()
        held = set() if self._layout.admitted.exists() else {"kubelet"}
        for name in [name for name, due in self._due.items() if due <= now and name not in held]:
            del self._due[name]
            with (self._layout.folder / f"{name}.log").open("ab") as log:
                process = subprocess.Popen(
                    self._commands[name],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._layout.folder,
                    start_new_session=True,
                )
            process.returncode = 0  # _reap waits for it, as for all others
            self._running[process.pid] = name

    def _reap(self) -> None:
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if name := self._running.pop(pid, None):
                self._due[name] = time.monotonic() + _RESTART

    def _stop(self) -> None:
        """Stops the kubelet first, which would restart containers; then the pods' processes."""
        for pid, name in self._running.items():
            if name == "kubelet":
                os.kill(pid, signal.SIGKILL)
        for pid in cgroups.processes(self._layout.cgroup):
            with contextlib.suppress(OSError):  # it has ended
                os.kill(pid, signal.SIGTERM if _minds(pid) else signal.SIGKILL)
        deadline = time.monotonic() + GRACE
        while cgroups.processes(self._layout.cgroup) and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.1)


def _minds(pid: int) -> bool:
    """Returns whether the process handles SIGTERM; a container's first process without a handler does not receive it."""
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines())
    first = status["NSpid"].split()[-1] == "1"
    handled = bool(int(status["SigCgt"], 16) >> (signal.SIGTERM - 1) & 1)
    return handled or not first


def main() -> None:
    """Runs as the parent of the first process: waits for it and forwards SIGTERM."""
    layout = Layout(Path(sys.argv[1]))
    os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *ADMINISTRATORS])
    kernel.unshare(kernel.NEW_MOUNTS | kernel.NEW_PROCESS_IDS | kernel.NEW_NETWORK)
    child = os.fork()
    if child == 0:
        kernel.end_with_parent()
        Init(layout).run(sys.argv[2])
        return
    signal.signal(signal.SIGTERM, lambda _number, _frame: os.kill(child, signal.SIGTERM))
    _, status = os.waitpid(child, 0)
    raise SystemExit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
