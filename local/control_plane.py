"""A Kubernetes control plane on the loopback interface.

Etcd, API server, controller manager, scheduler, and KWOK for nodes.

Pods are scheduled and reported Ready; containers run only with a real node beside the simulated ones (``local/node``).
Quotas, limits, RBAC, Pod Security and admission are real.
"""

from __future__ import annotations

import base64
import json
import os
import shlex
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from config.errors import ExternalError
from config.reading.kubeconfig import fingerprint
from config.system import NodePool

from .builds import Module, ensure
from .command_lines import SERVICE_NETWORK, CommandLines
from .console import phase
from .files import write
from .mode import Nodes
from .node import Images, RealNode
from .node.layout import ADDRESS
from .node.layout import NAME as REAL_NODE
from .node.placement import withdraw
from .node.report import Row
from .node.requirements import check
from .nodes import make
from .paths import HOME, ROOT
from .pki import Authority, Pair
from .processes import Processes, free_port, is_free
from .tools import CONTROL_PLANE, KUBERNETES, NODE
from .webhooks import disregard

ORDER = ("volumes", "kwok", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")
"""Processes in the order in which they are stopped: each before those that it connects to."""
REAL_ORDER = ("node", *ORDER, "relay")
"""The same with a real node, whose pods end first."""
USERS = {
    "kube-controller-manager": ("system:kube-controller-manager", None),
    "kube-scheduler": ("system:kube-scheduler", None),
    "kwok": ("kwok", "system:masters"),
    "kubelet": (f"system:node:{REAL_NODE}", "system:nodes"),
    "kube-proxy": ("system:kube-proxy", None),
    "coredns": ("coredns", "system:masters"),
}
"""Component to the name and group in its certificate; each has a kubeconfig."""


@dataclass(frozen=True)
class ControlPlane:
    """One cluster, in a separate folder."""

    name: str
    home: Path = HOME

    @property
    def folder(self) -> Path:
        """The folder of its data, certificates, logs and process ids."""
        return self.home / "clusters" / self.name

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig; its mode is 0600."""
        return self.folder / "kubeconfig"

    @property
    def processes(self) -> Processes:
        return Processes(self.folder)

    @property
    def nodes(self) -> Nodes:
        """Behaviour of the cluster's nodes at its last start; simulated before the first."""
        return Nodes(self._nodes.read_text(encoding="utf-8")) if self._nodes.exists() else Nodes.SIMULATED

    @property
    def _nodes(self) -> Path:
        return self.folder / "nodes"

    @property
    def real_node(self) -> RealNode:
        """The node that runs pods; ``None`` with simulated nodes."""
        return RealNode(self.folder, self.processes)

    @property
    def _order(self) -> tuple[str, ...]:
        return REAL_ORDER if self.nodes is Nodes.REAL else ORDER

    @property
    def _pki(self) -> Path:
        return self.folder / "pki"

    def _pair(self, name: str) -> Pair:
        return Pair(self._pki / f"{name}.crt", self._pki / f"{name}.key")

    def authority(self) -> bytes:
        """The certificate authority, PEM."""
        return (self._pki / "ca.crt").read_bytes()

    def settings(self) -> dict[str, Any]:
        """Returns the stack's configuration for this cluster: its pin, and placeholders for missing given values."""
        return {"clusterCaSha256": fingerprint(self.authority()), "placeholders": True}

    def statement(self) -> str:
        """Returns what a run on this cluster proves, as a sentence."""
        if self.nodes is Nodes.REAL:
            return (
                "[bold yellow]Run and simulated:[/] pods that ran did so in containers of this machine; a simulated pod "
                "answers nothing. Limits of memory hold, those of CPU do not. NetworkPolicies are enforced by nothing here."
            )
        return "[bold yellow]Scheduled, not run:[/] a real API server, scheduler and controllers; no container runs."

    def kubectl(self) -> str:
        """Returns the kubectl command for the cluster."""
        program = shlex.quote(str(KUBERNETES.program("kubectl")))
        return f"KUBECONFIG={shlex.quote(str(self.kubeconfig))} {program}"

    def running(self) -> bool:
        """Returns whether every process runs and the API server reports that it is ready."""
        return all(self.processes.find(name) for name in self._order) and self._ready()

    def status(self) -> dict[str, str]:
        """Returns process to ``running (pid)`` or ``stopped``."""
        processes = {name: self.processes.find(name) for name in reversed(self._order)}
        return {name: f"running ({process.pid})" if process else "stopped" for name, process in processes.items()}

    def modules(self, nodes: Nodes | None = None) -> tuple[Module, ...]:
        """Returns the modules to build for the cluster; ``nodes`` as in ``up``."""
        return (*CONTROL_PLANE, NODE) if (nodes or self.nodes) is Nodes.REAL else CONTROL_PLANE

    def up(self, pool: NodePool, nodes: Nodes | None = None) -> None:
        """Starts missing processes and creates the nodes.

        Raises ``ExternalError`` with the end of the failed process' log.

        ``nodes`` is the behaviour of the nodes, default as before. A change of it restarts the cluster.
        """
        mode = nodes or self.nodes
        if mode is Nodes.REAL:
            check()
        ensure(*self.modules(mode))
        if mode is not self.nodes or not self.running():
            with phase(f"starting the control plane of {self.name!r}"):
                self._start(mode)
        with self.client() as client:
            if mode is Nodes.REAL:
                with phase("waiting for the real node"):
                    self.real_node.join(client)
            else:
                withdraw(client)
            make(client, pool)
            disregard(client)

    def publish(self, images: Images, objects: Iterable[dict[str, Any]] = ()) -> None:
        """Imports images into the real node; pods whose images are all among them run from then on.

        Raises ``ExternalError``, also when pods of these objects would run and do not fit on the node.
        """
        with self.client() as client:
            self.real_node.publish(client, images, objects)

    def pods(self) -> list[Row]:
        """Returns which pods ran and which were simulated, when those that run are Ready (or after two minutes)."""
        with self.client() as client:
            return self.real_node.report(client)

    def down(self) -> None:
        """Stops the cluster, and processes of commands that were killed; its data stay."""
        self.processes.stop(*REAL_ORDER)
        self.processes.end_unrecorded()
        self.real_node.clear()

    def remove(self) -> None:
        """Stops the cluster and removes its data."""
        self.down()
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart_api_server(self) -> None:
        """Kills the API server and starts it again on the same port, for tests of its clients."""
        process = self.processes.find("kube-apiserver")
        if process is None:
            raise ExternalError(f"the API server of {self.name!r} does not run")
        inside = self.real_node.in_network() if self.nodes is Nodes.REAL else []
        command = [*inside, *process.cmdline()]
        process.kill()
        process.wait(10)
        self.processes.start("kube-apiserver", command)

    def _sign(self) -> None:
        """Creates missing certificates."""
        authority = Authority(self._pki)
        local = ("127.0.0.1", "localhost")
        names = (*local, "10.96.0.1", "kubernetes", "kubernetes.default.svc", ADDRESS)
        for name, common_name, organization, hosts in (
            ("etcd", "etcd", None, local),
            ("etcd-client", "kube-apiserver-etcd-client", None, ()),
            ("kube-apiserver", "kube-apiserver", None, names),
            ("kubelet-client", "kube-apiserver-kubelet-client", "system:masters", ()),
            ("kubelet-server", f"system:node:{REAL_NODE}", "system:nodes", (ADDRESS, REAL_NODE)),
            ("admin", "understudy-admin", "system:masters", ()),
            ("service-account", "service-account", None, ()),
            *((user, common_name, organization, ()) for user, (common_name, organization) in USERS.items()),
        ):
            if not self._pair(name).certificate.exists():
                authority.sign(name, common_name, organization, hosts)

    def _start(self, nodes: Nodes) -> None:
        """Starts all processes."""
        self.down()
        write(self._nodes, nodes)
        self._sign()
        etcd, peer, api = free_port(), free_port(), self._same_port() or free_port()
        for user in ("admin", *USERS):
            self._write_kubeconfig(user, api)
        real = self.real_node if nodes is Nodes.REAL else None
        inside: list[str] = []
        if real:
            real.start(SERVICE_NETWORK)
            inside = real.in_network()
            real.relay(api)
        processes, commands = self.processes, CommandLines(self.folder)
        processes.start("etcd", [*inside, *commands.etcd(etcd, peer)])
        processes.start("kube-apiserver", [*inside, *commands.api_server(api, etcd, nodes)])
        self._wait_ready()
        with self.client() as client:  # otherwise KWOK waits until its former leases end: 40 s without nodes
            client.delete("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases")
        processes.start("kube-controller-manager", [*inside, *commands.controller_manager()])
        processes.start("kube-scheduler", [*inside, *commands.scheduler()])
        processes.start("kwok", [*inside, *commands.kwok()])
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        processes.start("volumes", [*inside, *commands.volumes()], environment)

    def _same_port(self) -> int | None:
        """Returns the API server's last port if it is free, so that existing kubeconfigs stay valid."""
        if not self.kubeconfig.exists():
            return None
        port = int(self.server().rpartition(":")[2])
        return port if is_free(port) else None

    def server(self) -> str:
        """The URL of the API server."""
        content = json.loads(self.kubeconfig.read_text(encoding="utf-8"))
        return str(content["clusters"][0]["cluster"]["server"])

    def _wait_ready(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not self._ready():
            needed = ("etcd", "kube-apiserver", *(["relay"] if self.nodes is Nodes.REAL else []))
            dead = [name for name in needed if self.processes.find(name) is None]
            if dead or time.monotonic() > deadline:
                name = dead[0] if dead else "kube-apiserver"
                raise ExternalError(f"{name} of {self.name!r} did not start:\n{self.processes.log(name)}")
            time.sleep(0.2)

    def _ready(self) -> bool:
        try:
            with self.client() as client:
                return client.get("/readyz", timeout=2).status_code == httpx.codes.OK
        except (httpx.HTTPError, OSError):
            return False

    def client(self) -> httpx.Client:
        """Returns an HTTP client with the administrator's credentials."""
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
        write(path, json.dumps(content, indent=1), mode=0o600)


def kubectl(*arguments: str, plane: ControlPlane) -> str:
    """Runs kubectl against the cluster; raises ``ExternalError`` with its output."""
    environment = {**os.environ, "KUBECONFIG": str(plane.kubeconfig)}
    command = [str(KUBERNETES.program("kubectl")), *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise ExternalError(f"kubectl {' '.join(arguments)}: {result.stderr.strip()}")
    return result.stdout
