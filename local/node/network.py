"""The node's network: one address, routes to pods and Services, and no route to the outside."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .layout import ADDRESS

DEVICE = "node0"


def set_up(services: str) -> None:
    """Sets it up in the caller's network namespace; ``services`` is the network of cluster IPs."""
    for words in (
        "link set lo up",
        f"link add {DEVICE} type veth peer name {DEVICE}p",
        f"address add {ADDRESS}/32 dev {DEVICE}",
        f"link set {DEVICE} up",
        f"link set {DEVICE}p up",
        # kube-proxy translates these addresses, but only in packets that have a route
        f"route add {services} dev {DEVICE} src {ADDRESS}",
        # a connection to a simulated pod or to the outside fails at once, not after a time-out
        "route add unreachable default metric 4000",
    ):
        subprocess.run(["ip", *words.split()], check=True)
    for setting in ("ip_forward", "conf/all/route_localnet"):
        Path("/proc/sys/net/ipv4", setting).write_text("1", encoding="utf-8")
