"""The kubelet's configuration."""

from __future__ import annotations

import json
import platform

from local.tools import NODE

from . import cgroups
from .layout import ADDRESS, DNS_ADDRESS, DOMAIN, KUBELET, NAME, POD_LOGS, SOCKET, Layout
from .placement import LABEL, RUN

ZONE = "local-a"
"""That of the first simulated node."""
LABELS = {
    "topology.kubernetes.io/region": "local",
    "topology.kubernetes.io/zone": ZONE,
    LABEL: RUN,
}


def labels() -> dict[str, str]:
    """Those that the node has in the cluster: these, and what a kubelet says of its machine."""
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    machine = {"os": "linux", "arch": architecture, "hostname": NAME}
    return {**LABELS, **{f"kubernetes.io/{key}": value for key, value in machine.items()}}


def configure(layout: Layout) -> list[str]:
    """Writes its configuration; the command that starts it."""
    resolver = layout.folder / "resolv.conf"
    resolver.write_text("", encoding="utf-8")  # a pod with the node's resolver finds no names: there is no way outside
    config = layout.folder / "kubelet.json"
    config.write_text(json.dumps(_configuration(layout), indent=1), encoding="utf-8")
    return [
        str(NODE.program("kubelet")),
        f"--config={config}",
        f"--kubeconfig={layout.kubeconfig('kubelet')}",
        f"--root-dir={KUBELET}",
        f"--hostname-override={NAME}",
        f"--node-ip={ADDRESS}",
        f"--containerd={SOCKET}",  # where it reads the containers' metrics
        f"--node-labels={','.join(f'{key}={value}' for key, value in LABELS.items())}",
    ]


def _configuration(layout: Layout) -> dict[str, object]:
    client_authority = {"clientCAFile": str(layout.pki / "ca.crt")}
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": ADDRESS,
        "healthzPort": 0,
        "readOnlyPort": 0,
        "tlsCertFile": str(layout.pki / "kubelet-server.crt"),
        "tlsPrivateKeyFile": str(layout.pki / "kubelet-server.key"),
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True}, "x509": client_authority},
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{layout.cgroup}",
        **({} if cgroups.unified() else {"failCgroupV1": False}),
        "cpuCFSQuota": False,  # limits in proportion to a small machine would slow probes down, which fail then
        "failSwapOn": False,
        "oomScoreAdj": 0,  # a lower one takes a capability that root in a container lacks
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": DOMAIN,
        "resolvConf": str(layout.folder / "resolv.conf"),
        "podLogsDir": str(POD_LOGS),
        "volumePluginDir": str(layout.folder / "volume-plugins"),
        "containerLogMaxSize": "5Mi",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "2%", "imagefs.available": "2%"},
        # images are not to be had again from a registry
        "imageGCHighThresholdPercent": 100,
        "imageMinimumGCAge": "24h",
        # pods that have no place here by the admission policy are kept away, such as those of a DaemonSet
        "registerWithTaints": [{"key": LABEL, "value": RUN, "effect": "NoSchedule"}],
        "nodeStatusReportFrequency": "10s",
    }
