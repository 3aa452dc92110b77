"""The kubelet's configuration."""

from __future__ import annotations

import json
import platform

from local.tools import NODE

from . import cgroups
from .layout import ADDRESS, DNS_ADDRESS, DOMAIN, KUBELET, NAME, POD_LOGS, SOCKET, Layout
from .placement import LABEL, RUN

ZONE = "local-a"
"""The same as the first simulated node's."""
LABELS = {
    "topology.kubernetes.io/region": "local",
    "topology.kubernetes.io/zone": ZONE,
    LABEL: RUN,
}


def labels() -> dict[str, str]:
    """Labels of the node in the cluster: these, and those that a kubelet sets for its machine."""
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    machine = {"os": "linux", "arch": architecture, "hostname": NAME}
    return {**LABELS, **{f"kubernetes.io/{key}": value for key, value in machine.items()}}


def configure(layout: Layout) -> list[str]:
    """Writes its configuration; returns the command that starts it."""
    resolver = layout.folder / "resolv.conf"
    # names outside of the cluster do not resolve, because the node has no route to the outside
    resolver.write_text("", encoding="utf-8")
    config = layout.folder / "kubelet.json"
    config.write_text(json.dumps(_configuration(layout), indent=1), encoding="utf-8")
    return [
        str(NODE.program("kubelet")),
        f"--config={config}",
        f"--kubeconfig={layout.kubeconfig('kubelet')}",
        f"--root-dir={KUBELET}",
        f"--hostname-override={NAME}",
        f"--node-ip={ADDRESS}",
        f"--containerd={SOCKET}",  # the folder in which it reads the containers' metrics
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
        "cpuCFSQuota": False,  # limits in proportion to a small machine would slow probes down until they fail
        "failSwapOn": False,
        "oomScoreAdj": 0,  # lowering it takes a capability that root in a container lacks
        "clusterDNS": [DNS_ADDRESS],
        "clusterDomain": DOMAIN,
        "resolvConf": str(layout.folder / "resolv.conf"),
        "podLogsDir": str(POD_LOGS),
        "volumePluginDir": str(layout.folder / "volume-plugins"),
        "containerLogMaxSize": "5Mi",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "2%", "imagefs.available": "2%"},
        # deleted images could not be fetched again, because there is no registry
        "imageGCHighThresholdPercent": 100,
        "imageMinimumGCAge": "24h",
        # keeps away pods that the admission policy does not place here, such as those of a DaemonSet
        "registerWithTaints": [{"key": LABEL, "value": RUN, "effect": "NoSchedule"}],
        "nodeStatusReportFrequency": "10s",
    }
