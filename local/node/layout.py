"""Addresses and folders of the real node.

Each cluster's node is in a network namespace of its own, so the addresses are the same in all of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

NAME = "real"
"""The node's name in the cluster."""
ADDRESS = "172.22.16.10"
"""The node's address: of kubelet, API server and CoreDNS."""
POD_NETWORK = "10.245.0.0/16"
"""Addresses of pods that run; those of simulated pods are in 10.244.0.0/16."""
DNS_ADDRESS = "10.96.0.10"
"""The cluster IP of CoreDNS."""
DOMAIN = "cluster.local"
POD_LOGS = Path("/var/log/pods")
KUBELET = Path("/var/lib/kubelet")
SOCKET = Path("/run/containerd/containerd.sock")
"""containerd's socket, inside the node's mount namespace, where ``/run`` is empty at first."""


@dataclass(frozen=True)
class Layout:
    """Paths of the node's files, below the directory of its cluster."""

    cluster: Path

    @property
    def folder(self) -> Path:
        """The folder of configuration, containerd's content store, the kubelet's data and the logs of pods."""
        return self.cluster / "node"

    @property
    def ready(self) -> Path:
        """The file that the node's first process creates when namespaces, mounts and network exist."""
        return self.folder / "ready"

    @property
    def admitted(self) -> Path:
        """The file that starts the kubelet; the cluster knows by then which pods may run on the node."""
        return self.folder / "admitted"

    @property
    def pki(self) -> Path:
        """The folder of the cluster's certificates."""
        return self.cluster / "pki"

    def kubeconfig(self, user: str) -> Path:
        """Returns a component's kubeconfig."""
        return self.cluster / f"{user}.kubeconfig"

    @property
    def cgroup(self) -> str:
        """The name of the control group of all pods of the node, in each hierarchy."""
        return f"understudy-{hashlib.sha256(str(self.cluster).encode()).hexdigest()[:12]}"
