"""Requirements of a real node on the machine."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from config.errors import ExternalError

PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "runc": "runc",
    "ip": "iproute2",
    "iptables": "iptables",
    "mount": "mount",
    "nsenter": "util-linux",
    "mmdebstrap": "mmdebstrap",
}
"""Program to Debian package."""
ADMINISTRATORS = ("/usr/sbin", "/sbin")
"""Folders of programs that root's PATH may not contain."""
NETWORK_PLUGINS = ("ptp", "portmap", "host-local", "loopback")
_PLUGIN_FOLDER = Path("/usr/lib/cni")


class UnmetRequirement(ExternalError):
    """The machine does not meet a requirement."""

    exit_code = 2


def missing(path: str | None = None, plugins: Path = _PLUGIN_FOLDER) -> list[str]:
    """Returns the missing Debian packages, in alphabetical order.

    ``path`` is by default PATH with the administrators' folders.
    """
    where = path if path is not None else os.pathsep.join([os.environ.get("PATH", ""), *ADMINISTRATORS])
    packages = {package for program, package in PROGRAMS.items() if shutil.which(program, path=where) is None}
    if not all((plugins / name).exists() for name in NETWORK_PLUGINS):
        packages.add("containernetworking-plugins")
    return sorted(packages)


def check() -> None:
    """Raises ``UnmetRequirement`` with all unmet requirements and their remedies."""
    lacks = []
    if sys.platform != "linux":
        raise UnmetRequirement("NODES=real needs Linux; NODES=simulated works here")
    if os.geteuid() != 0:
        lacks.append(f"run as root (found user id {os.geteuid()}): sudo -E make up NODES=real")
    if packages := missing():
        lacks.append(f"install what is missing: apt-get install {' '.join(packages)}")
    if lacks:
        raise UnmetRequirement("\n    ".join(["NODES=real cannot run on this machine; NODES=simulated can", *lacks]))
