"""The command line of each process of the control plane."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from .mode import Nodes
from .node.layout import ADDRESS
from .pki import Pair
from .tools import ETCD, KUBERNETES, KWOK

SERVICE_NETWORK = "10.96.0.0/16"


@dataclass(frozen=True)
class CommandLines:
    """The command lines of one cluster."""

    folder: Path
    """The folder of the cluster."""

    @property
    def _pki(self) -> Path:
        return self.folder / "pki"

    def _pair(self, name: str) -> Pair:
        return Pair(self._pki / f"{name}.crt", self._pki / f"{name}.key")

    def etcd(self, port: int, peer: int) -> list[str]:
        """Returns etcd's; its client and peer ports are on the loopback interface."""
        pair, authority = self._pair("etcd"), self._pki / "ca.crt"
        client, members = f"https://127.0.0.1:{port}", f"https://127.0.0.1:{peer}"
        return [
            str(ETCD.program("etcd")),
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={members}",
            f"--initial-advertise-peer-urls={members}",
            f"--initial-cluster=default={members}",
            f"--cert-file={pair.certificate}",
            f"--key-file={pair.key}",
            f"--trusted-ca-file={authority}",
            "--client-cert-auth",
            f"--peer-cert-file={pair.certificate}",
            f"--peer-key-file={pair.key}",
            f"--peer-trusted-ca-file={authority}",
            "--peer-client-cert-auth",
            "--unsafe-no-fsync",  # its content can be recreated from Pulumi's state and the program
            "--log-level=warn",
        ]

    def api_server(self, port: int, etcd: int, nodes: Nodes) -> list[str]:
        """Returns the API server's on that port; with a real node it runs in the node's network."""
        server, client, account = (self._pair(n) for n in ("kube-apiserver", "etcd-client", "service-account"))
        kubelet = self._pair("kubelet-client")
        reached = {
            # the reconciler of the Service "kubernetes" refuses a loopback address
            Nodes.SIMULATED: ["--bind-address=127.0.0.1", "--endpoint-reconciler-type=none"],
            # in the node's network namespace, which the host reaches only through the relay
            Nodes.REAL: [
                "--bind-address=0.0.0.0",
                f"--advertise-address={ADDRESS}",
                f"--kubelet-certificate-authority={self._pki / 'ca.crt'}",
                f"--kubelet-client-certificate={kubelet.certificate}",
                f"--kubelet-client-key={kubelet.key}",
                "--kubelet-preferred-address-types=InternalIP",
            ],
        }
        return [
            str(KUBERNETES.program("kube-apiserver")),
            *reached[nodes],
            f"--secure-port={port}",
            f"--etcd-servers=https://127.0.0.1:{etcd}",
            f"--etcd-cafile={self._pki / 'ca.crt'}",
            f"--etcd-certfile={client.certificate}",
            f"--etcd-keyfile={client.key}",
            f"--client-ca-file={self._pki / 'ca.crt'}",
            f"--tls-cert-file={server.certificate}",
            f"--tls-private-key-file={server.key}",
            f"--service-cluster-ip-range={SERVICE_NETWORK}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={account.certificate}",
            f"--service-account-signing-key-file={account.key}",
            "--authorization-mode=Node,RBAC",
            "--anonymous-auth=false",
            "--profiling=false",
        ]

    def controller_manager(self) -> list[str]:
        """Returns the controller manager's."""
        kubeconfig = self.folder / "kube-controller-manager.kubeconfig"
        return [
            str(KUBERNETES.program("kube-controller-manager")),
            f"--kubeconfig={kubeconfig}",
            "--leader-elect=false",
            "--secure-port=0",
            "--use-service-account-credentials",
            f"--service-account-private-key-file={self._pair('service-account').key}",
            f"--root-ca-file={self._pki / 'ca.crt'}",
            "--horizontal-pod-autoscaler-sync-period=5s",
        ]

    def scheduler(self) -> list[str]:
        """Returns the scheduler's."""
        return [
            str(KUBERNETES.program("kube-scheduler")),
            f"--kubeconfig={self.folder / 'kube-scheduler.kubeconfig'}",
            "--leader-elect=false",
            "--secure-port=0",
        ]

    def kwok(self) -> list[str]:
        """Returns KWOK's, which simulates nodes with its annotation."""
        return [
            str(KWOK.program("kwok")),
            f"--kubeconfig={self.folder / 'kwok.kubeconfig'}",
            f"--config={KWOK.folder / 'stages.yaml'}",
            "--manage-all-nodes=false",
            "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            "--node-lease-duration-seconds=40",
            "--cidr=10.244.0.0/16",
            "--node-ip=10.0.0.1",
        ]

    def volumes(self) -> list[str]:
        """Returns that of the process that creates volumes."""
        return [
            sys.executable,
            "-P",
            "-m",
            "local.volumes",
            str(self.folder / "kwok.kubeconfig"),
            str(self.folder / "volumes"),
        ]
