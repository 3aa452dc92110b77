"""The cluster of a local run: a local one, or that of a context of the user's kubeconfig.

The state of a stack on a user's cluster is separate from that of the local one, by the identity of the cluster:
``contexts/<identity>`` contains a backend, a passphrase and the stack's file. The user's kubeconfig is only read.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from config.errors import ConfigError, ExternalError, Problem
from config.kinds import Eks
from config.loader import load
from config.reading.kubeconfig import access
from config.stack import PROJECT, read_stack
from config.system import NodePool, Resolved
from doctor.live import LiveCluster

from .builds import Module
from .console import console
from .control_plane import ControlPlane
from .engine import Engine
from .mode import Nodes
from .paths import HOME
from .stack import LocalStack

NAMES = "names.json"
"""Context to the identity of its cluster when a stack was first brought up on it."""


@dataclass(frozen=True)
class UsersCluster(ControlPlane):
    """An existing cluster; it is neither started nor stopped. ``name`` is the context's."""

    live: LiveCluster | None = None
    protected: bool = False
    """Whether the environment is protected; a protected one gets no placeholders for missing given values."""

    @property
    def _live(self) -> LiveCluster:
        assert self.live is not None
        return self.live

    @property
    def kubeconfig(self) -> Path:
        """A copy of the one context, 0600, during this process: the engine reads a single file."""
        path = self.home / "kubeconfig"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(json.dumps(access(self.name).alone(), indent=1), encoding="utf-8")
            atexit.register(path.unlink, missing_ok=True)
        return path

    def settings(self) -> dict[str, Any]:
        authority = self._live.authority()
        return {
            **({"clusterCaSha256": authority} if authority else {}),
            **({} if self.protected else {"placeholders": True}),
            "context": self.name,
        }

    def modules(self, nodes: Nodes | None = None) -> tuple[Module, ...]:  # noqa: ARG002 - of the local cluster
        """Returns no modules, because nothing is built for it."""
        return ()

    def up(self, pool: NodePool, nodes: Nodes | None = None) -> None:  # noqa: ARG002 - of the local cluster
        """Starts nothing; rewrites the kubeconfig that a killed run left."""
        (self.home / "kubeconfig").unlink(missing_ok=True)

    def down(self) -> None:
        """Stops nothing."""

    def remove(self) -> None:
        """Removes nothing."""

    def restart_api_server(self) -> None:
        raise ExternalError(f"the API server of {self.name!r} is the user's")

    def running(self) -> bool:
        return True  # the cluster has answered

    def status(self) -> dict[str, str]:
        return {"context": self.name, "server": self.server(), "version": self._live.version()}

    def server(self) -> str:
        return self._live.server()

    def client(self) -> httpx.Client:
        """Returns an HTTP client with the user's rights; the official client runs exec plugins and uses tokens."""
        return httpx.Client(base_url=self.server(), transport=_Reader(self._live))

    def statement(self) -> str:
        return (
            f"[bold yellow]Your cluster:[/] context {self.name}, {self.server()}. What runs there is real; "
            f"nothing else of it was changed. make destroy CONTEXT={self.name} deletes what was made."
        )

    def kubectl(self) -> str:
        return f"kubectl --context {self.name}"


class _Reader(httpx.BaseTransport):
    """Reads through the official client; other requests are refused."""

    def __init__(self, live: LiveCluster) -> None:
        self._live = live

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            raise ExternalError(f"{request.method} {request.url.path}: a user's cluster is only read here")
        response = self._live.one(request.url.raw_path.decode())
        return httpx.Response(404, json={}) if response is None else httpx.Response(200, json=response)


def chosen(name: str, context: str | None, home: Path = HOME, source: Path | None = None) -> LocalStack:
    """Returns the stack on its local cluster, or on the cluster of ``context``.

    ``source`` is its file, default the tracked one.

    Raises ``ConfigError`` where the stack must not run on that cluster, or the context leads to another one than before.
    """
    if not context:
        return LocalStack(name, Engine(home=home), source)
    stack = LocalStack(name, source=source)
    resolved = stack.resolved()
    _refuse_platform(stack, resolved)
    live = LiveCluster(context)
    _refuse_other(stack, resolved, live)
    identity = _identity(live)
    _remember(home, live.context, identity)
    place = home / "contexts" / identity[:16]
    cluster = UsersCluster(live.context, place, live, resolved.environment.protect)
    return LocalStack(name, Engine(home=place), source, cluster)


def _refuse_platform(stack: LocalStack, resolved: Resolved) -> None:
    eks = any(isinstance(component, Eks) for component in resolved.components.values())
    if resolved.environment.account or eks or stack.settings().platform is not None:
        message = "the environment has an AWS account, or a cluster of its own: a context cannot stand for it"
        fix = "without CONTEXT it runs on this machine, with an offline AWS; on AWS use the official CLI (docs/quick-start.md)"
        raise ConfigError(Problem(f"Pulumi.{stack.name}.yaml", None, PROJECT, message, fix))


def _refuse_other(stack: LocalStack, resolved: Resolved, live: LiveCluster) -> None:
    """Refuses a protected environment on a cluster to which it is not pinned, and any environment on another's cluster."""
    settings, environment = stack.settings(), resolved.environment
    file, authority = f"Pulumi.{stack.name}.yaml", live.authority()
    pin = settings.cluster_ca_sha256 or environment.cluster.ca_sha256
    uid = environment.cluster.kube_system_uid
    here = (pin == authority) if pin else (uid is not None and uid == _uid(live))
    if not authority and not here:
        message = "the kubeconfig names no certificate authority, so the stack cannot be pinned to the cluster by it"
        fix = f"environments.{environment.name}.cluster: kubeSystemUid: {_uid(live)}"
        raise ConfigError(Problem("kubeconfig", None, f"context {live.context!r}", message, fix))
    if environment.protect and not here:
        declared = f"{(pin or uid or '')[:16]}…" if pin or uid else "no cluster"
        message = (
            f"{environment.name} is protected and belongs to {declared}; the context leads to {(authority or '')[:16]}…"
        )
        fix = (
            "choose the context of its cluster"
            if pin or uid
            else f"under config: {PROJECT}:clusterCaSha256: {authority}"
        )
        raise ConfigError(Problem(file, None, f"context {live.context!r}", message, f"{fix}; nothing was changed"))
    for other, pinned in _others(stack).items():
        if authority and pinned == authority and pin != authority:
            message = f"the context leads to the cluster of {other}; {environment.name} does not belong there"
            fix = "choose another context; nothing was changed"
            raise ConfigError(Problem(file, None, f"context {live.context!r}", message, fix))
    if pin and not here:
        actual = f"{(authority or '')[:16]}…"
        warning = f"{environment.name} is declared to belong to the cluster {pin[:16]}…; this run is on {actual}"
        console.print(f"[yellow]![/] {warning}", soft_wrap=True)


def refuse_foreign_namespace(stack: LocalStack) -> None:
    """Raises ``ConfigError`` when the environment's namespace is on the user's cluster and not in the stack's state.

    The provider that is built here adopts an existing object, and a destroy would delete it.
    """
    namespace = stack.resolved().environment.namespace
    if not isinstance(stack.plane, UsersCluster) or stack.name in holds(stack.engine.home):
        return
    if stack.plane.live and stack.plane.live.one(f"/api/v1/namespaces/{namespace}") is not None:
        message = f"the namespace {namespace!r} is there already, and this stack did not make it"
        fix = (
            f"choose another namespace in the system's file, or delete it when nothing in it is needed: "
            f"kubectl --context {stack.plane.name} delete namespace {namespace}"
        )
        raise ConfigError(Problem(f"Pulumi.{stack.name}.yaml", None, f"context {stack.plane.name!r}", message, fix))


def _others(stack: LocalStack) -> Mapping[str, str]:
    """Returns every other environment of the system with its pinned authority, from its file or a stack's."""
    settings = stack.settings()
    system = load(settings.system)
    pins = {name: e.cluster.ca_sha256 for name, e in system.environments.items() if e.cluster.ca_sha256}
    for file in stack.engine.project.glob("Pulumi.*.yaml"):
        other = read_stack(file)
        if other.cluster_ca_sha256 and other.system == settings.system:
            pins[other.environment] = other.cluster_ca_sha256
    return {name: pinned for name, pinned in pins.items() if name != settings.environment}


def _uid(live: LiveCluster) -> str | None:
    namespace = live.one("/api/v1/namespaces/kube-system")
    return str(namespace["metadata"]["uid"]) if namespace else None


def _identity(live: LiveCluster) -> str:
    """Returns the UID of kube-system, because clusters may share an authority, as the profiles of one minikube do."""
    return (_uid(live) or live.authority() or "").replace("-", "")


def _names(home: Path) -> dict[str, str]:
    file = home / "contexts" / NAMES
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def _write_names(home: Path, names: Mapping[str, str]) -> None:
    file = home / "contexts" / NAMES
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(names, indent=1), encoding="utf-8")
    partial.replace(file)


def _remember(home: Path, context: str, identity: str) -> None:
    """Raises ``ConfigError`` when the context led to another cluster, which still has resources of this project."""
    names = _names(home)
    before = names.get(context)
    if before not in (None, identity) and (held := holds(home / "contexts" / str(before)[:16])):
        message = (
            f"it led to the cluster {str(before)[:16]}, where {', '.join(held)} is up; now it leads to {identity[:16]}"
        )
        fix = (
            f"choose the right context; if that cluster is gone for good: ./understudy local forget --context {context}"
        )
        raise ConfigError(Problem("kubeconfig", None, f"context {context!r}", message, fix))
    if before != identity:
        _write_names(home, {**names, context: identity})


def holds(place: Path) -> list[str]:
    """Returns the names of the stacks in the directory whose state contains resources."""
    objects = []
    for file in sorted((place / "state" / ".pulumi" / "stacks").glob(f"{PROJECT}/*.json")):
        latest = json.loads(file.read_text(encoding="utf-8")).get("checkpoint", {}).get("latest") or {}
        if latest.get("resources"):
            objects.append(file.stem)
    return objects


def forget(context: str, home: Path = HOME) -> str:
    """Removes the state of a context's deleted cluster; raises ``ConfigError`` when there is none."""
    names = _names(home)
    if context not in names:
        contexts = ", ".join(names) or "none"
        raise ConfigError(Problem("--context", None, "", f"nothing is known of {context!r}; known: {contexts}"))
    place = home / "contexts" / names.pop(context)[:16]
    held = holds(place)
    if place.name not in {identity[:16] for identity in names.values()}:
        shutil.rmtree(place, ignore_errors=True)
    _write_names(home, names)
    return f"{context}: forgotten" + (f", with the state of {', '.join(held)}" if held else "")
