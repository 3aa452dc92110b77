"""One stack on the local engine and its own local cluster."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from ruamel.yaml import YAML

from config.cluster import fingerprint
from config.derive import derive
from config.loader import load
from config.stack import PROJECT, Stack, read_stack
from config.system import Resolved

from .console import Trouble, console
from .control_plane import ControlPlane
from .engine import Engine

_YAML = YAML()


@dataclass(frozen=True)
class LocalStack:
    """A stack's tracked file is read, never written: the engine gets a copy of it with what is local added."""

    name: str
    engine: Engine = field(default_factory=Engine)
    source: Path | None = None
    """The stack's file; default: the tracked ``Pulumi.<name>.yaml``."""

    @property
    def plane(self) -> ControlPlane:
        """Its cluster; each stack has one of its own, as environments do."""
        return ControlPlane(self.name, self.engine.home)

    @property
    def file(self) -> Path:
        """The copy."""
        return self.engine.home / "stacks" / f"Pulumi.{self.name}.yaml"

    @property
    def _tracked(self) -> Path:
        return self.source or self.engine.project / f"Pulumi.{self.name}.yaml"

    def settings(self) -> Stack:
        """The stack's configuration; raises ``ConfigError``."""
        return read_stack(self._tracked)

    def resolved(self) -> Resolved:
        """The environment; raises ``ConfigError``."""
        settings = self.settings()
        return derive(load(settings.system), settings.environment)[0]

    def start(self) -> None:
        """Its cluster, and its place in the backend."""
        nodes = self.resolved().environment.cluster.nodes
        self.plane.up(nodes)
        self._write_file()
        if self.name not in {entry["name"] for entry in json.loads(self._stack("ls", "--json"))}:
            self._stack("init", self.name, "--no-select", "--secrets-provider", "passphrase")
        self._recover()

    def _write_file(self) -> None:
        content = dict(_YAML.load(self._tracked.read_text(encoding="utf-8")))
        config = content.setdefault("config", {})
        config[f"{PROJECT}:clusterCaSha256"] = fingerprint(self.plane.authority())
        config[f"{PROJECT}:placeholders"] = True  # pods do not run here, so nobody reads what is given
        if self.file.exists():
            kept = _YAML.load(self.file.read_text(encoding="utf-8")) or {}
            content |= {key: kept[key] for key in ("encryptionsalt", "secretsprovider") if key in kept}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("w", encoding="utf-8") as handle:
            _YAML.dump(content, handle)
        # `pulumi stack init` writes the salt beside a project file: beside this one, not the tracked one
        (self.file.parent / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n", encoding="utf-8")

    def pulumi(self, *arguments: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
        """Runs the CLI on this stack: up, preview, refresh, destroy."""
        scoped = [*arguments, "--stack", self.name, "--config-file", str(self.file)]
        return self.engine.run(scoped, self.plane.kubeconfig, capture=capture)

    def _stack(self, *arguments: str) -> str:
        """``pulumi stack …``, which needs no program; raises ``Trouble`` with what it said."""
        result = self.engine.run(["stack", *arguments], self.plane.kubeconfig, folder=self.file.parent, capture=True)
        if result.returncode:
            raise Trouble(f"pulumi stack {arguments[0]}: {result.stderr.strip() or result.stdout.strip()}")
        return result.stdout

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs; secrets are not shown."""
        return dict(json.loads(self._stack("output", "--json", "--stack", self.name)))

    def export(self) -> dict[str, Any]:
        """The stack's state, secrets encrypted."""
        return dict(json.loads(self._stack("export", "--stack", self.name))["deployment"] or {})

    def unprotect(self) -> None:
        """Lets a protected stack be destroyed."""
        result = self.engine.run(
            ["state", "unprotect", "--all", "--yes", "--stack", self.name],
            self.plane.kubeconfig,
            folder=self.file.parent,
            capture=True,
        )
        if result.returncode:
            raise Trouble(f"pulumi state unprotect: {result.stderr.strip()}")

    def _recover(self) -> None:
        """After a run that was killed: its lock is lifted, and what it was creating is imported or forgotten."""
        locks = list((self.engine.home / "state" / ".pulumi" / "locks").glob(f"**/{PROJECT}/{self.name}/*.json"))
        for lock in locks:
            if not _alive(json.loads(lock.read_text(encoding="utf-8"))):
                console.print("[yellow]![/] an earlier run was killed; lifting its lock")
                lock.unlink(missing_ok=True)
        deployment = self.export()
        pending = [op["resource"] for op in deployment.get("pending_operations") or [] if op["type"] == "creating"]
        if not pending:
            return
        console.print(f"[yellow]![/] an earlier run was killed; looking for {len(pending)} object(s) it was creating")
        with self.plane.client() as client:
            found = [{**resource, "id": identity} for resource in pending if (identity := _find(client, resource))]
        # what exists becomes known with the inputs it was created from; the refresh reads the rest of it
        deployment["resources"] = [*deployment.get("resources", []), *found]
        deployment["pending_operations"] = []
        self._import(deployment)
        result = self.pulumi("refresh", "--yes", "--skip-preview", capture=True)
        if result.returncode:
            raise Trouble(f"pulumi refresh: {result.stderr.strip() or result.stdout.strip()}")

    def _import(self, deployment: dict[str, Any]) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".json", dir=self.file.parent) as file:  # 0600
            json.dump({"version": 3, "deployment": deployment}, file)
            file.flush()
            self._stack("import", "--stack", self.name, "--file", file.name)


def _alive(lock: dict[str, Any]) -> bool:
    """Whether the engine that holds the lock still runs; locks of other machines are left alone."""
    if lock.get("hostname") != socket.gethostname():
        return True
    try:
        return "pulumi" in psutil.Process(int(lock["pid"])).name()
    except (psutil.Error, KeyError, ValueError):
        return False


def _find(client: httpx.Client, resource: dict[str, Any]) -> str | None:
    """The id of a Kubernetes object that was being created, when it exists; nothing else leaves a trace to find."""
    token = resource["urn"].split("::")[2].rpartition("$")[2]
    inputs = resource.get("inputs") or {}
    if not token.startswith("kubernetes:") or "name" not in (inputs.get("metadata") or {}):
        return None
    metadata, api = inputs["metadata"], inputs["apiVersion"]
    root = f"/apis/{api}" if "/" in api else f"/api/{api}"
    kinds = {item["kind"]: item for item in client.get(root).json().get("resources", []) if "/" not in item["name"]}
    kind = kinds.get(inputs["kind"])
    if kind is None:
        return None
    place = f"/namespaces/{metadata['namespace']}" if kind["namespaced"] else ""
    answer = client.get(f"{root}{place}/{kind['name']}/{metadata['name']}")
    identity = f"{metadata['namespace']}/{metadata['name']}" if kind["namespaced"] else metadata["name"]
    return identity if answer.is_success else None
