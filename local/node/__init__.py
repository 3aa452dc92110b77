"""A node that runs pods: kubelet, containerd, kube-proxy and CoreDNS beside the simulated nodes (``NODES=real``).

Its processes share a network, a mount and a process namespace, whose first process is ``local.node.init``. When that
process ends, for whatever reason, the kernel ends the others and removes the mounts and network devices.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import httpx

from config.errors import ExternalError
from local.files import write
from local.paths import ROOT
from local.processes import Processes

from . import capacity, cgroups, containerd, kubelet, placement, services
from .layout import NAME, Layout
from .report import Row, rows

_PROCESS = "node"


class Images(Protocol):
    """Built images."""

    @property
    def archive(self) -> Path:
        """An archive in the format of ``docker save``."""

    @property
    def available(self) -> Mapping[str, str]:
        """Image, as pods write it, to the version that runs."""

    @property
    def missing(self) -> Mapping[str, str]:
        """Image to the reason why it is missing."""


@dataclass(frozen=True)
class RealNode:
    """The node of one cluster, in the cluster's folder."""

    cluster: Path
    processes: Processes

    @property
    def _layout(self) -> Layout:
        return Layout(self.cluster)

    def start(self, service_network: str) -> None:
        """Starts the first process and waits for namespaces, mounts and network; raises ``ExternalError``."""
        layout = self._layout
        layout.folder.mkdir(parents=True, exist_ok=True)
        for file in (layout.ready, layout.admitted):
            file.unlink(missing_ok=True)
        command = [sys.executable, "-P", "-m", "local.node.init", str(self.cluster), service_network]
        self.processes.start(_PROCESS, command, {**os.environ, "PYTHONPATH": str(ROOT)})
        self._wait(layout.ready.exists, "the real node did not start", lambda: self.processes.log(_PROCESS))

    def in_network(self) -> list[str]:
        """Returns the command that runs another one in the node's network."""
        return ["nsenter", f"--net=/proc/{self._pid()}/ns/net"]

    def _inside(self) -> list[str]:
        """Returns the command that runs another one in the node's network and with its mounts."""
        return [*self.in_network(), f"--mount=/proc/{self._pid()}/ns/mnt"]

    def _pid(self) -> int:
        process = self.processes.find(_PROCESS)
        if process is None:
            raise ExternalError(f"the real node does not run:\n{self.processes.log(_PROCESS)}")
        return process.pid

    def relay(self, port: int) -> None:
        """Makes the API server, which runs in the node's network, reachable on the host's loopback interface."""
        command = [sys.executable, "-P", "-m", "local.node.relay", str(self._pid()), str(port)]
        self.processes.start("relay", command, {**os.environ, "PYTHONPATH": str(ROOT)})

    def join(self, client: httpx.Client) -> None:
        """Creates the placement policy, starts the kubelet, waits until the node is Ready; raises ``ExternalError``."""
        services.publish(client)
        placement.publish(client, self.known()[0], kubelet.labels())
        self._layout.admitted.touch()
        began = self._layout.ready.stat().st_mtime
        self._wait(
            lambda: _ready(client, began), "the real node did not become ready", lambda: self.log("kubelet"), 120
        )

    def publish(self, client: httpx.Client, images: Images, objects: Iterable[dict[str, Any]] = ()) -> None:
        """Imports images; pods whose images are all among them or earlier ones run from then on.

        Raises ``ExternalError``, also when pods of these objects would run and do not fit on the node.
        """
        capacity.check(client, objects, images.available)
        containerd.import_images(images.archive, self._layout, self._inside())
        earlier, without = self.known()
        available = {**earlier, **images.available}
        missing = {name: why for name, why in {**without, **images.missing}.items() if name not in available}
        write(self._known, json.dumps([available, missing]))
        placement.publish(client, available, kubelet.labels())

    @property
    def _known(self) -> Path:
        return self._layout.folder / "images.json"

    def known(self) -> tuple[dict[str, str], dict[str, str]]:
        """Returns image to the version that runs, and image to the reason why it is missing, for all requested images."""
        if not self._known.exists():
            return {}, {}
        available, missing = json.loads(self._known.read_text(encoding="utf-8"))
        return available, missing

    def report(self, client: httpx.Client, seconds: float = 120) -> list[Row]:
        """Returns which pods ran and which were simulated, when those that run are Ready or the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            pods = client.get("/api/v1/pods").json()["items"]
            table_rows = rows(pods, *self.known())
            if all(row.pods == row.ready for row in table_rows if row.ran) or time.monotonic() > deadline:
                return table_rows
            time.sleep(1)

    def log(self, program: str, lines: int = 15) -> str:
        """Returns the end of the output of containerd, kubelet, kube-proxy or coredns."""
        try:
            return "\n".join((self._layout.folder / f"{program}.log").read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def clear(self) -> None:
        """Removes the control group of the node's pods, which remains when its processes have ended."""
        cgroups.remove(self._layout.cgroup)

    def _wait(self, condition: Callable[[], bool], what: str, log: Callable[[], str], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if self.processes.find(_PROCESS) is None or time.monotonic() > deadline:
                raise ExternalError(f"{what}:\n{log()}")
            time.sleep(0.1)


def _ready(client: httpx.Client, since: float) -> bool:
    """Returns whether the kubelet reported Ready after that time (seconds since 1970), and not an earlier one."""
    response = client.get(f"/api/v1/nodes/{NAME}")
    if response.status_code != httpx.codes.OK:
        return False
    conditions = {entry["type"]: entry for entry in response.json()["status"].get("conditions") or []}
    ready = conditions.get("Ready", {})
    if ready.get("status") != "True":
        return False
    return datetime.fromisoformat(ready["lastHeartbeatTime"]).timestamp() >= since - 1
