"""A Kubernetes control plane on the loopback interface: etcd, API server, controller manager, scheduler, and KWOK for nodes.

Pods are scheduled and reported Ready; no container runs. Quotas, limits, RBAC, Pod Security and admission are real.
"""

from __future__ import annotations

import base64
import json
import os
import shlex
import shutil
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from config.cluster import fingerprint
from config.system import NodePool

from .console import Trouble, phase
from .nodes import make
from .paths import HOME, ROOT
from .pki import Authority, Pair
from .processes import Processes, free_port, is_free
from .tools import CONTROL_PLANE, ETCD, KUBERNETES, KWOK, ensure

SERVICE_NETWORK = "10.96.0.0/16"
ORDER = ("volumes", "kwok", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")
"""In which to stop them: nobody loses what it talks to."""


@dataclass(frozen=True)
class ControlPlane:
    """One cluster, in a folder of its own."""

    name: str
    home: Path = HOME

    @property
    def folder(self) -> Path:
        """Its data, certificates, logs and process ids."""
        return self.home / "clusters" / self.name

    @property
    def kubeconfig(self) -> Path:
        """For its administrator; 0600."""
        return self.folder / "kubeconfig"

    @property
    def processes(self) -> Processes:
        return Processes(self.folder)

    @property
    def _pki(self) -> Path:
        return self.folder / "pki"

    def _pair(self, name: str) -> Pair:
        return Pair(self._pki / f"{name}.crt", self._pki / f"{name}.key")

    def authority(self) -> bytes:
        """The certificate authority, PEM."""
        return (self._pki / "ca.crt").read_bytes()

    def settings(self) -> dict[str, Any]:
        """What the stack's configuration says of the cluster: its pin, and that a placeholder stands for what is not given."""
        return {"clusterCaSha256": fingerprint(self.authority()), "placeholders": True}

    def statement(self) -> str:
        """What a run on it proves, for the end of the run."""
        return "[bold yellow]Scheduled, not run:[/] a real API server, scheduler and controllers; no container runs."

    def kubectl(self) -> str:
        """How to look at it."""
        program = shlex.quote(str(KUBERNETES.program("kubectl")))
        return f"KUBECONFIG={shlex.quote(str(self.kubeconfig))} {program}"

    def running(self) -> bool:
        """Whether every process runs and the API server says that it is ready."""
        return all(self.processes.find(name) for name in ORDER) and self._ready()

    def status(self) -> dict[str, str]:
        """Process to ``running (pid)`` or ``stopped``."""
        found = {name: self.processes.find(name) for name in reversed(ORDER)}
        return {name: f"running ({process.pid})" if process else "stopped" for name, process in found.items()}

    def up(self, nodes: NodePool) -> None:
        """Starts what does not run; makes the nodes. Raises ``Trouble`` with the end of the log of what failed."""
        ensure(*CONTROL_PLANE)
        if not (self._pki / "ca.crt").exists():
            self._make_pki()
        if not self.running():
            with phase(f"starting the control plane of {self.name!r}"):
                self._start()
        with self.client() as client:
            make(client, nodes)

    def down(self) -> None:
        """Stops it; its data stays."""
        self.processes.stop(*ORDER)

    def remove(self) -> None:
        """Stops it and removes its data."""
        self.down()
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart_api_server(self) -> None:
        """Ends the API server at once and starts it again on the same port, as a test of what talks to it."""
        process = self.processes.find("kube-apiserver")
        if process is None:
            raise Trouble(f"the API server of {self.name!r} does not run")
        command = process.cmdline()
        process.kill()
        process.wait(10)
        self.processes.start("kube-apiserver", command)

    def _make_pki(self) -> None:
        authority = Authority(self._pki)
        authority.sign("etcd", "etcd", hosts=("127.0.0.1", "localhost"))
        authority.sign("etcd-client", "kube-apiserver-etcd-client")
        names = ("127.0.0.1", "localhost", "10.96.0.1", "kubernetes", "kubernetes.default.svc")
        authority.sign("kube-apiserver", "kube-apiserver", hosts=names)
        authority.sign("admin", "understudy-admin", "system:masters")
        authority.sign("kube-controller-manager", "system:kube-controller-manager")
        authority.sign("kube-scheduler", "system:kube-scheduler")
        authority.sign("kwok", "kwok", "system:masters")
        authority.sign("service-account", "service-account")

    def _start(self) -> None:
        processes = self.processes
        processes.stop(*ORDER)
        etcd, peer, api = free_port(), free_port(), self._same_port() or free_port()
        for user in ("admin", "kube-controller-manager", "kube-scheduler", "kwok"):
            self._write_kubeconfig(user, api)
        processes.start("etcd", self._etcd(etcd, peer))
        processes.start("kube-apiserver", self._api_server(api, etcd))
        self._wait_ready()
        with self.client() as client:  # else KWOK waits until the leases of its former self end: 40 s without nodes
            client.delete("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases")
        processes.start("kube-controller-manager", self._controller_manager())
        processes.start("kube-scheduler", self._scheduler())
        processes.start("kwok", self._kwok())
        processes.start("volumes", self._volumes(), {**os.environ, "PYTHONPATH": str(ROOT)})

    def _same_port(self) -> int | None:
        """The API server's of last time, when nobody took it: whoever was told of the cluster still finds it."""
        if not self.kubeconfig.exists():
            return None
        port = int(self.server().rpartition(":")[2])
        return port if is_free(port) else None

    def server(self) -> str:
        """The URL of its API."""
        content = json.loads(self.kubeconfig.read_text(encoding="utf-8"))
        return str(content["clusters"][0]["cluster"]["server"])

    def _wait_ready(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not self._ready():
            dead = [name for name in ("etcd", "kube-apiserver") if self.processes.find(name) is None]
            if dead or time.monotonic() > deadline:
                name = dead[0] if dead else "kube-apiserver"
                raise Trouble(f"{name} of {self.name!r} did not start:\n{self.processes.log(name)}")
            time.sleep(0.2)

    def _ready(self) -> bool:
        try:
            with self.client() as client:
                return client.get("/readyz", timeout=2).status_code == httpx.codes.OK
        except (httpx.HTTPError, OSError):
            return False

    def client(self) -> httpx.Client:
        """An HTTP client of its administrator."""
        server = self.server()
        admin = self._pair("admin")
        context = ssl.create_default_context(cafile=str(self._pki / "ca.crt"))
        context.load_cert_chain(admin.certificate, admin.key)
        return httpx.Client(base_url=server, verify=context, timeout=10)

    def _write_kubeconfig(self, user: str, port: int) -> None:
        def data(path: Path) -> str:
            return base64.b64encode(path.read_bytes()).decode()

        pair = self._pair(user)
        cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": data(self._pki / "ca.crt")}
        credentials = {"client-certificate-data": data(pair.certificate), "client-key-data": data(pair.key)}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": self.name,
            "clusters": [{"name": self.name, "cluster": cluster}],
            "contexts": [{"name": self.name, "context": {"cluster": self.name, "user": user}}],
            "users": [{"name": user, "user": credentials}],
        }
        path = self.kubeconfig if user == "admin" else self.folder / f"{user}.kubeconfig"
        partial = path.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(content, indent=1), encoding="utf-8")
        partial.replace(path)

    def _etcd(self, port: int, peer: int) -> list[str]:
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
            "--unsafe-no-fsync",  # a cache of what Pulumi's state and the program can make again
            "--log-level=warn",
        ]

    def _api_server(self, port: int, etcd: int) -> list[str]:
        server, client, account = (self._pair(n) for n in ("kube-apiserver", "etcd-client", "service-account"))
        return [
            str(KUBERNETES.program("kube-apiserver")),
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            "--endpoint-reconciler-type=none",  # the default one refuses a loopback address
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

    def _controller_manager(self) -> list[str]:
        kubeconfig = self.folder / "kube-controller-manager.kubeconfig"
        return [
            str(KUBERNETES.program("kube-controller-manager")),
            f"--kubeconfig={kubeconfig}",
            "--leader-elect=false",
            "--secure-port=0",
            "--use-service-account-credentials",
            f"--service-account-private-key-file={self._pair('service-account').key}",
            f"--root-ca-file={self._pki / 'ca.crt'}",
            "--enable-hostpath-provisioner",
            "--horizontal-pod-autoscaler-sync-period=5s",
        ]

    def _scheduler(self) -> list[str]:
        return [
            str(KUBERNETES.program("kube-scheduler")),
            f"--kubeconfig={self.folder / 'kube-scheduler.kubeconfig'}",
            "--leader-elect=false",
            "--secure-port=0",
        ]

    def _kwok(self) -> list[str]:
        return [
            str(KWOK.program("kwok")),
            f"--kubeconfig={self.folder / 'kwok.kubeconfig'}",
            f"--config={KWOK.folder / 'stages.yaml'}",
            "--manage-all-nodes=true",
            "--node-lease-duration-seconds=40",
            "--cidr=10.244.0.0/16",
            "--node-ip=10.0.0.1",
        ]

    def _volumes(self) -> list[str]:
        return [sys.executable, "-P", "-m", "local.volumes", str(self.folder / "kwok.kubeconfig")]


def kubectl(*arguments: str, plane: ControlPlane) -> str:
    """Runs kubectl against the cluster; raises ``Trouble`` with what it said."""
    environment = {**os.environ, "KUBECONFIG": str(plane.kubeconfig)}
    command = [str(KUBERNETES.program("kubectl")), *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Trouble(f"kubectl {' '.join(arguments)}: {result.stderr.strip()}")
    return result.stdout
