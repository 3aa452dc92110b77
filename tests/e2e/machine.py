"""What a local cluster might leave on the machine."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.node import cgroups
from local.node.mounts import TUNABLES
from local.processes import MARK

SETTINGS = (
    *(f"/proc/sys/{name}" for name in TUNABLES),
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/ipv4/conf/all/route_localnet",
    "/proc/sys/net/netfilter/nf_conntrack_max",
)


@dataclass(frozen=True)
class Machine:
    """Its settings, network devices and routes; mounts, control groups and processes of clusters below a folder."""

    settings: dict[str, str]
    network: str
    mounts: frozenset[str]
    groups: frozenset[str]
    processes: frozenset[str]


def look(home: Path) -> Machine:
    """As it is now."""
    return Machine(
        {name: Path(name).read_text() for name in SETTINGS if Path(name).exists()},
        _ip("-brief", "link") + _ip("route"),
        frozenset(
            line
            for line in Path("/proc/mounts").read_text().splitlines()
            if any(word in line for word in (str(home), "containerd", "kubelet", "netns", "nsfs"))
        ),
        frozenset(str(group) for hierarchy in cgroups.hierarchies() for group in hierarchy.glob("understudy-*")),
        frozenset(_processes(home)),
    )


def _ip(*words: str) -> str:
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout


def _processes(home: Path) -> list[str]:
    """Those that were started for a cluster below the folder, or name it."""
    found = []
    for process in psutil.process_iter():
        try:
            words, mark = " ".join(process.cmdline()), process.environ().get(MARK, "")
            if process.status() != psutil.STATUS_ZOMBIE and (mark.startswith(str(home)) or f"{home}/clusters" in words):
                found.append(f"{process.pid} {words}")
        except psutil.Error:  # it has ended
            continue
    return found
