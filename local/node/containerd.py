"""containerd of the node: its configuration, the network of pods, and the images that are imported."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from config.errors import ExternalError
from local.files import write

from .layout import POD_NETWORK, SOCKET, Layout

PAUSE = "local/pause:1"
"""The image of the process that holds a pod's namespaces."""
PLUGINS = Path("/usr/lib/cni")
"""Debian's directory of CNI plugins."""
CONFIG = """\
version = 2
root = "{root}"
state = "/run/containerd/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]

[grpc]
  address = "{socket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # setting a lower value than its own takes a capability that root in a container lacks
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{networks}"
"""


def configure(layout: Layout, snapshotter: str) -> list[str]:
    """Writes its files; returns the command that starts it."""
    networks = layout.folder / "cni"
    networks.mkdir(parents=True, exist_ok=True)
    (networks / "pods.conflist").write_text(json.dumps(_pod_network(), indent=1), encoding="utf-8")
    config = layout.folder / "containerd.toml"
    content = CONFIG.format(
        root=layout.folder / "containerd",
        socket=SOCKET,
        pause=PAUSE,
        snapshotter=snapshotter,
        plugins=PLUGINS,
        networks=networks,
    )
    config.write_text(content, encoding="utf-8")
    return ["containerd", "--config", str(config)]


def _pod_network() -> dict[str, object]:
    """Returns the configuration of a pair of devices for each pod.

    A bridge would need a kernel module for its filters.
    """
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": POD_NETWORK}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": "/run/cni",
    }
    pods = {"type": "ptp", "ipMasq": False, "ipam": addresses}
    return {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [pods, {"type": "portmap", "capabilities": {"portMappings": True}}],
    }


def import_images(archive: Path, layout: Layout, inside: list[str]) -> None:
    """Imports an archive once; the command ``inside`` enters the node. Raises ``ExternalError`` with containerd's output."""
    stat = archive.stat()
    mark = json.dumps([str(archive), stat.st_size, stat.st_ino])
    done = layout.folder / "imported.json"
    if done.exists() and done.read_text(encoding="utf-8") == mark:
        return
    command = [*inside, "ctr", "--namespace", "k8s.io", "images", "import", str(archive)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise ExternalError(f"containerd did not take the images of {archive}: {result.stderr.strip()[-2000:]}")
    write(done, mark)
