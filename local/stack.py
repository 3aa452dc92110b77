"""One stack on the local engine and its own local cluster."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import psutil
from ruamel.yaml import YAML

from config.derivation.charts import charts_of
from config.derivation.derive import derive
from config.errors import ExternalError
from config.loader import load
from config.stack import PROJECT, Stack, read_stack
from config.system import Resolved

from .charts import mirror
from .console import console
from .control_plane import ControlPlane
from .engine import Engine
from .mode import Nodes
from .moto import Moto

_YAML = YAML()


@dataclass(frozen=True)
class LocalStack:
    """A stack and its local settings. Its tracked file is only read: the engine gets a copy with the local settings."""

    name: str
    engine: Engine = field(default_factory=Engine)
    source: Path | None = None
    """The stack's file; default: the tracked ``Pulumi.<name>.yaml``."""
    cluster: ControlPlane | None = None
    """The cluster of the stack; default: a local one."""

    @cached_property
    def plane(self) -> ControlPlane:
        """Its cluster; each stack has a separate local one, and those of one AWS account share the account's."""
        if self.cluster:
            return self.cluster
        resolved = self.resolved()
        shared = f"{resolved.system}-{resolved.environment.name}"
        return ControlPlane(shared if resolved.environment.account else self.name, self.engine.home)

    @property
    def file(self) -> Path:
        """The engine's copy of the stack's file."""
        return self.engine.home / "stacks" / f"Pulumi.{self.name}.yaml"

    @property
    def _tracked(self) -> Path:
        return self.source or self.engine.project / f"Pulumi.{self.name}.yaml"

    def settings(self) -> Stack:
        """The stack's configuration; raises ``ConfigError``."""
        return read_stack(self._tracked)

    def resolved(self) -> Resolved:
        """Returns the environment; raises ``ConfigError``."""
        settings = self.settings()
        return derive(load(settings.system), settings.environment)[0]

    @cached_property
    def account(self) -> Moto | None:
        """Its AWS account, where the environment has one; every stack of the environment uses the same."""
        account = self.resolved().environment.account
        return Moto(account.id, self.engine.home) if account else None

    @property
    def platform(self) -> LocalStack | None:
        """The stack of its platform, where its configuration names one of the project's."""
        named = self.settings().platform
        name = named.rpartition("/")[2] if isinstance(named, str) else ""
        exists = (self.engine.project / f"Pulumi.{name}.yaml").exists()
        return LocalStack(name, self.engine) if name and exists else None

    def is_up(self) -> bool:
        """Returns whether its cluster and account run, and its outputs belong to them."""
        if not self.plane.running() or (self.account and not (self.account.running() and self._known(self.account))):
            return False
        if self.name not in {entry["name"] for entry in json.loads(self._stack("ls", "--json"))}:
            return False
        access = self.outputs().get("platform", {}).get("cluster", {})
        return bool(access.get("endpoint") == self.plane.server())

    @property
    def report(self) -> Path:
        """File in which the AWS stand-in records how real each of its resources is."""
        return self.engine.home / "stacks" / f"{self.name}.aws"

    def start(self, nodes: Nodes | None = None) -> None:
        """Starts its cluster and account, and creates the stack in the backend. ``nodes`` is as in ``ControlPlane.up``."""
        account = self.account
        if account and not self.plane.running():
            account.down()  # otherwise its state would be wrong about the cluster
        self.plane.up(self.resolved().environment.cluster.nodes, nodes)
        if account:
            account.up()
        self._write_file()
        if self.name not in {entry["name"] for entry in json.loads(self._stack("ls", "--json"))}:
            self._stack("init", self.name, "--no-select", "--secrets-provider", "passphrase")
        if account and self._known(account) and self._interrupted("aws:"):
            account.down()  # the created resources are not known; a new account takes seconds
            account.up()
        if account and not self._known(account):
            self.report.unlink(missing_ok=True)
            self._forget("aws:")
            self._account_file.write_text(account.begun(), encoding="utf-8")
        self._recover()

    @property
    def _account_file(self) -> Path:
        """The file with the offline account that the stack's state belongs to; each account begins empty."""
        return self.engine.home / "stacks" / f"{self.name}.account"

    def _known(self, account: Moto) -> bool:
        """Returns whether the stack's state belongs to the running account; another stack may have restarted it."""
        return self._account_file.exists() and self._account_file.read_text(encoding="utf-8") == account.begun()

    def stop(self) -> None:
        """Stops the cluster, whose data are kept, and the AWS account, whose data are lost."""
        self.plane.down()
        if account := self.account:
            account.down()

    def _write_file(self) -> None:
        content = dict(_YAML.load(self._tracked.read_text(encoding="utf-8")))
        config = content.setdefault("config", {})
        config.pop(f"{PROJECT}:context", None)
        config |= {f"{PROJECT}:{key}": value for key, value in self.plane.settings().items()}
        if wanted := self.charts():
            config[f"{PROJECT}:charts"] = str(mirror(wanted))
        if self.file.exists():
            kept = _YAML.load(self.file.read_text(encoding="utf-8")) or {}
            content |= {key: kept[key] for key in ("encryptionsalt", "secretsprovider") if key in kept}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("w", encoding="utf-8") as handle:
            _YAML.dump(content, handle)
        # `pulumi stack init` writes the salt into the file beside the project's: this copy, not the tracked one
        (self.file.parent / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n", encoding="utf-8")

    def charts(self) -> dict[str, str]:
        """Returns Helm chart to version, for each chart of the stack."""
        return charts_of(self.resolved()) if self.settings().layer != "application" else {}

    def pulumi(self, *arguments: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
        """Runs the CLI on this stack: up, preview, refresh, destroy."""
        scoped = [*arguments, "--stack", self.name, "--config-file", str(self.file)]
        if arguments[0] == "up":
            self.unfinished.touch()
        result = self.engine.run(scoped, self.plane.kubeconfig, capture=capture, variables=self._variables())
        if arguments[0] in ("up", "refresh") and result.returncode == 0:
            self.unfinished.unlink(missing_ok=True)
        return result

    @property
    def unfinished(self) -> Path:
        """File that exists during an update, and after an update that failed or was cancelled.

        An object whose update was cancelled may have changed in the cluster and not in the state, so the next run
        reads it again.
        """
        return self.engine.home / "stacks" / f"{self.name}.unfinished"

    def _variables(self) -> dict[str, str]:
        account = self.account
        if account is None:
            return {}
        content = json.loads(self.plane.kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]
        cluster = {"endpoint": content["server"], "authority": content["certificate-authority-data"]}
        return self.engine.aws(account.endpoint, self.report, cluster)

    def levels(self) -> dict[str, int]:
        """Returns the number of the stack's AWS resources that are ``real``, ``validated`` and ``recorded``."""
        lines = self.report.read_text(encoding="utf-8").splitlines() if self.report.exists() else []
        recorded = {(line["type"], line["name"]): str(line["level"]) for line in map(json.loads, lines)}
        resources = [(r["type"], r["urn"].rpartition("::")[2]) for r in self.export().get("resources") or []]
        return dict(Counter(recorded[key] for key in resources if key in recorded))

    def _interrupted(self, prefix: str) -> bool:
        """Returns whether a run was killed while it created resources of these types."""
        pending = self.export().get("pending_operations") or []
        return any(operation["resource"]["type"].startswith(prefix) for operation in pending)

    def _forget(self, prefix: str) -> None:
        """Removes resources of these types from the state, because they do not exist any more."""
        deployment = self.export()
        resources = deployment.get("resources") or []
        removed = {resource["urn"] for resource in resources if resource["type"].startswith(prefix)}
        if not removed:
            return
        console.print(
            f"[yellow]![/] the offline AWS begins anew and holds nothing; {len(removed)} resource(s) are forgotten"
        )
        deployment["resources"] = [
            _without(resource, removed) for resource in resources if resource["urn"] not in removed
        ]
        deployment["pending_operations"] = [
            operation
            for operation in deployment.get("pending_operations") or []
            if not operation["resource"]["type"].startswith(prefix)
        ]
        self._import(deployment)

    def _stack(self, *arguments: str) -> str:
        """Runs ``pulumi stack …``, which needs no program; raises ``ExternalError`` with its output."""
        result = self.engine.run(["stack", *arguments], self.plane.kubeconfig, folder=self.file.parent, capture=True)
        if result.returncode:
            raise ExternalError(f"pulumi stack {arguments[0]}: {result.stderr.strip() or result.stdout.strip()}")
        return result.stdout

    def outputs(self) -> dict[str, Any]:
        """Returns the stack's outputs, without secret values."""
        return dict(json.loads(self._stack("output", "--json", "--stack", self.name)))

    def secret_output(self, name: str) -> str:
        """Returns one of the stack's outputs as JSON, with its secrets; raises ``ExternalError`` for an unknown name."""
        return self._stack("output", name, "--json", "--show-secrets", "--stack", self.name)

    def export(self) -> dict[str, Any]:
        """Returns the stack's state, with encrypted secrets."""
        return dict(json.loads(self._stack("export", "--stack", self.name))["deployment"] or {})

    def unprotect(self) -> None:
        """Removes the protection of a stack's resources, for a destroy."""
        result = self.engine.run(
            ["state", "unprotect", "--all", "--yes", "--stack", self.name],
            self.plane.kubeconfig,
            folder=self.file.parent,
            capture=True,
        )
        if result.returncode:
            raise ExternalError(f"pulumi state unprotect: {result.stderr.strip()}")

    def destroy(self) -> int:
        """Deletes the stack's resources; returns the engine's exit code.

        Raises ``ExternalError`` for a protected environment, because the engine would delete its unprotected resources
        and stop at the others. In other environments the protection of stores is removed, because the deletion is
        intended.
        """
        if self.resolved().environment.protect:
            raise ExternalError(
                f"{self.name} is a protected environment (protect: true); nothing was deleted\n"
                "    fix: to mean it, take 'protect' out of the system's file, and bring the stack up once without it"
            )
        self.start()
        self.unprotect()
        code = self.pulumi("destroy", "--yes", "--skip-preview").returncode
        if code == 0 and self.account and self.settings().layer != "application":
            # moto never completes the deletion of a replication group, so the next up begins with an empty account
            self.account.down()
        return code

    def _recover(self) -> None:
        """Repairs the state after a run that was killed.

        Its lock is removed, and pending creations are imported or forgotten.
        """
        self.engine.end_orphaned_plugins()
        locks = list((self.engine.home / "state" / ".pulumi" / "locks").glob(f"**/{PROJECT}/{self.name}/*.json"))
        for lock in locks:
            if not _alive(json.loads(lock.read_text(encoding="utf-8"))):
                console.print("[yellow]![/] an earlier run was killed; lifting its lock")
                lock.unlink(missing_ok=True)
        if any(lock.exists() for lock in locks):
            return  # an update of this stack is running
        deployment = self.export()
        pending = [op["resource"] for op in deployment.get("pending_operations") or [] if op["type"] == "creating"]
        if not pending and not (self.unfinished.exists() and deployment.get("resources")):
            return
        if pending:
            self._adopt(deployment, pending)
        console.print("[yellow]![/] the last update did not end well; reading what it left")
        result = self.pulumi("refresh", "--yes", "--skip-preview", capture=True)
        if result.returncode:
            raise ExternalError(f"pulumi refresh: {result.stderr.strip() or result.stdout.strip()}")

    def _adopt(self, deployment: dict[str, Any], pending: list[dict[str, Any]]) -> None:
        """Adds the pending creations of a killed run to the state, as far as they exist; forgets the others."""
        console.print(f"[yellow]![/] an earlier run was killed; looking for {len(pending)} object(s) it was creating")
        with self.plane.client() as client:
            adopted = [{**resource, "id": identity} for resource in pending if (identity := _find(client, resource))]
        # existing objects get the inputs of their creation; the refresh reads the rest
        deployment["resources"] = [*deployment.get("resources", []), *adopted]
        deployment["pending_operations"] = []
        self._import(deployment)

    def _import(self, deployment: dict[str, Any]) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".json", dir=self.file.parent) as file:  # 0600
            json.dump({"version": 3, "deployment": deployment}, file)
            file.flush()
            self._stack("import", "--stack", self.name, "--file", file.name)


def _without(resource: dict[str, Any], gone: set[str]) -> dict[str, Any]:
    """Returns a resource of the state without dependencies on these."""
    kept = [urn for urn in resource.get("dependencies") or [] if urn not in gone]
    by_property = {
        name: [urn for urn in urns or [] if urn not in gone]
        for name, urns in (resource.get("propertyDependencies") or {}).items()
    }
    return {**resource, "dependencies": kept, "propertyDependencies": by_property}


def _alive(lock: dict[str, Any]) -> bool:
    """Returns whether the engine that holds the lock runs; locks of other machines are kept."""
    if lock.get("hostname") != socket.gethostname():
        return True
    try:
        return "pulumi" in psutil.Process(int(lock["pid"])).name()
    except (psutil.Error, KeyError, ValueError):
        return False


def _find(client: httpx.Client, resource: dict[str, Any]) -> str | None:
    """Returns the id of a Kubernetes object whose creation was pending, when it exists; other types cannot be found."""
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
    response = client.get(f"{root}{place}/{kind['name']}/{metadata['name']}")
    identity = f"{metadata['namespace']}/{metadata['name']}" if kind["namespaced"] else metadata["name"]
    return identity if response.is_success else None
