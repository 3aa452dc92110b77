"""SpaceTime's ``laptop`` on a real node, with placeholders of its services that write to Redis and count."""

from __future__ import annotations

import json
import subprocess
import threading
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import psutil

from config.errors import ExternalError
from local.control_plane import kubectl
from local.engine import Engine
from local.images import build
from local.mode import Nodes
from local.node import cgroups
from local.node.asked import images
from local.node.layout import Layout
from local.paths import ROOT
from local.stack import LocalStack
from review.graph import graph, manifests

SYSTEM = ROOT / "config" / "systems" / "spacetime.yaml"
NAMESPACE = "laptop"
WRITES = (
    "  game-server:\n    kind: service\n",
    "  game-server:\n    kind: service\n    env: {PLACEHOLDER_WRITER: redis}\n",
)
"""The placeholder of the game server writes to Redis all the time."""


def declare(folder: Path, rotation: int = 1, tag: str = "1.4.0") -> Path:
    """The stack's file in that folder, and the system's that it names. ``rotation``: of Redis' passwords."""
    text = SYSTEM.read_text(encoding="utf-8")
    assert text.count(WRITES[0]) == 1
    system = folder / "spacetime.yaml"
    system.write_text(text.replace(*WRITES), encoding="utf-8")
    config = {
        "understudy:system": str(system),
        "understudy:environment": "laptop",
        "understudy:images": {"game-server": tag},
        "understudy:rotation": {"database-credentials": rotation},
    }
    file = folder / "Pulumi.laptop.yaml"
    file.write_text(json.dumps({"config": config}), encoding="utf-8")
    return file


def laptop(folder: Path) -> LocalStack:
    """The stack, its cluster in that folder."""
    return LocalStack("laptop", Engine(home=folder / "home"), declare(folder))


def bring_up(stack: LocalStack) -> None:
    """Its cluster with the images that its pods ask for, and everything that it declares."""
    assert stack.source
    stack.start(Nodes.REAL)
    found = [body for _, body in manifests(graph("laptop", stack.source))]
    stack.plane.publish(build(images(found), found, stack.resolved()))
    up(stack)


def up(stack: LocalStack) -> None:
    """What is declared now."""
    result = stack.pulumi("up", "--yes", "--skip-preview", "--suppress-outputs", capture=True)
    assert result.returncode == 0, result.stdout + result.stderr


def pods(stack: LocalStack, **labels: str) -> list[dict[str, Any]]:
    """Those that carry the labels and are not going."""
    chosen = ",".join(f"{name}={value}" for name, value in labels.items())
    found = json.loads(kubectl("get", "pods", "-n", NAMESPACE, "-l", chosen, "-o", "json", plane=stack.plane))["items"]
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def is_ready(pod: dict[str, Any]) -> bool:
    """Whether the kubelet says so."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def rolled_out(stack: LocalStack, *workloads: str) -> None:
    """Waits until every pod of the workloads is as declared, and Ready."""
    for workload in workloads:
        kubectl("rollout", "status", workload, "-n", NAMESPACE, "--timeout=300s", plane=stack.plane)


def process(stack: LocalStack, program: str, pod: str | None = None) -> psutil.Process:
    """The process of the node that runs the program; in a pod: that pod's."""
    init = stack.plane.processes.find("node")
    assert init
    in_pods = cgroups.processes(Layout(stack.plane.folder).cgroup)
    for number in (*(child.pid for child in init.children(recursive=True)), *in_pods):
        with suppress(psutil.Error):
            found = psutil.Process(number)
            if found.name() == program and (pod is None or _hostname(number) == pod):
                return found
    raise AssertionError(f"no {program} runs on the node")


def _hostname(number: int) -> str:
    """Of a process' container: the pod's name. (Redis writes its title over its environment.)"""
    try:
        return Path(f"/proc/{number}/root/etc/hostname").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


class Writers:
    """What the writers in the game server's pods have seen, pod by pod, also of pods that are gone."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._seen: dict[str, dict[str, Any]] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(30)

    def look(self) -> None:
        """Asks every writer once."""
        for pod in pods(self._stack, app="game-server"):
            address = pod.get("status", {}).get("podIP")
            inside = self._stack.plane.real_node.in_network()
            command = [*inside, "curl", "--silent", "--max-time", "2", f"http://{address}:8080/status"]
            answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            with suppress(ValueError, KeyError):
                self._seen[pod["metadata"]["uid"]] = json.loads(answer)["writer"]

    def _run(self) -> None:
        while not self._end.wait(1):
            with suppress(ExternalError):
                self.look()

    @property
    def acknowledged(self) -> int:
        """Writes, of all pods."""
        return sum(each["acknowledged"] for each in self._seen.values())

    @property
    def lost(self) -> int:
        """Acknowledged writes that were not there afterwards."""
        return sum(each["lost"] for each in self._seen.values())

    def outages(self, since: datetime, *connections: str) -> list[float]:
        """Seconds of each that began after that moment, of these connections: ``kept``, and ``new`` for each write."""
        return [
            outage["seconds"]
            for each in self._seen.values()
            for outage in each["outages"]
            if datetime.fromisoformat(outage["from"]) >= since and outage["connection"] in connections
        ]
