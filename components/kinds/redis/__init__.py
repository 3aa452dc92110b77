"""Redis with Sentinel, or a single Redis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi

from components.core.configuration import checksum
from components.core.context import BuildContext
from components.core.labels import selector
from components.core.object_factory import Depends, ObjectFactory
from components.core.pods import before_stop, field, mounts, pause, probe, security, variables
from config.kinds import Redis as Declared

from .configuration import MASTER, haproxy_cfg, redis_conf, sentinel_conf

UID = 999
"""The user ``redis`` of the official image."""
PROXY_UID = 99
"""The user ``haproxy`` of the official image."""
_HERE = Path(__file__).parent
SCRIPTS = {name: (_HERE / name).read_text(encoding="utf-8") for name in ("users.sh", "start.sh", "ready.sh", "stop.sh")}
SENTINEL_SCRIPTS = {
    name: (_HERE / name).read_text(encoding="utf-8")
    for name in ("sentinel.sh", "sentinel-ready.sh", "sentinel-stop.sh")
}
ROTATE = (_HERE / "rotate.sh").read_text(encoding="utf-8")
CONFIG, DATA, RUN = "/etc/redis", "/data", "/run/redis"
SETTLED, SEEN = 15, 5
"""Seconds that a replaced node or Sentinel is Ready before the next one is stopped. Sentinels read the state of nodes
every 10 s and fail over only to a node whose state they know; they read each other's state every second."""
_RESOLVER = {
    "options": [{"name": "ndots", "value": "1"}, {"name": "timeout", "value": "1"}, {"name": "attempts", "value": "2"}]
}
"""Names are fully qualified, because a search list costs Redis and Sentinel several lookups that block them."""


def members(name: str, namespace: str, store: Declared) -> tuple[list[str], list[str]]:
    """Returns the names of the nodes and of the Sentinels. Each name is a Service, whose address outlives the pod."""
    suffix = f"{namespace}.svc.cluster.local"
    nodes = [f"{name}-{index}.{suffix}" for index in range(store.nodes)]
    watchers = range(store.sentinels if store.sentinel else 0)
    return nodes, [f"{name}-sentinel-{index}.{suffix}" for index in watchers]


def _headless(name: str, store: Declared) -> str:
    """Returns the headless Service's name.

    A single node's clients use ``<name>``; a cluster's ``<name>-master`` and ``<name>-replicas``.
    """
    return name if store.sentinel else f"{name}-nodes"


def files(name: str, namespace: str, store: Declared) -> dict[str, str]:
    """Returns the files of the pods: configuration and start scripts."""
    texts = {"redis.conf": redis_conf(store), **SCRIPTS, "rotate.sh": ROTATE}
    if store.sentinel:
        proxy = haproxy_cfg(*members(name, namespace, store), store.ports())
        texts |= {"sentinel.conf": sentinel_conf(), "haproxy.cfg": proxy, **SENTINEL_SCRIPTS}
    return texts


def environment(name: str, namespace: str, store: Declared) -> dict[str, str]:
    """Returns the scripts' variables, without passwords and the pod's own name."""
    nodes, sentinels = members(name, namespace, store)
    listens = store.ports()
    watched = {
        "SENTINELS": " ".join(sentinels),
        "SENTINEL_PORT": str(listens.get("sentinel")),
        "QUORUM": str(store.quorum),
        "MASTER": MASTER,
    }
    return {
        "CONFIG": CONFIG,
        "DATA": DATA,
        "RUN": RUN,
        "NODES": " ".join(nodes),
        "PORT": str(listens["redis"]),
        **(watched if store.sentinel else {}),
    }


class Redis(pulumi.ComponentResource):
    """Nodes with a volume each; with Sentinel also the Sentinels, and the proxy behind ``<name>-master``.

    A rotation's Job runs before the pods roll: each then meets others that know both passwords. Sentinels roll first, then
    nodes, then proxies: a node hands over through Sentinels that stay. The provider may call an update done before it has
    begun, so a master also waits by itself until the Sentinels have settled (stop.sh).
    """

    def __init__(
        self,
        name: str,
        store: Declared,
        context: BuildContext,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("understudy:redis:Redis", name, None, opts)
        resolved, secrets = context.resolved, context.secrets
        self._name, self._resolved, self._store = name, resolved, store
        self._objects = objects = ObjectFactory(self, resolved, name)
        namespace = resolved.environment.namespace
        data = files(name, namespace, store)
        self._passwords = {"PASSWORD": store.password, "INTERNAL_PASSWORD": store.internal_password}
        self._annotations = {
            "understudy.dev/configuration": checksum(data),
            "understudy.dev/secrets": checksum(secrets.checksums(store.secrets_read())),
        }
        account = objects.account(store.service_account_annotations)
        listens = store.ports()
        nodes = selector(name, "node")
        redis = {"redis": (listens["redis"],) * 2}
        headless = objects.service(
            _headless(name, store), {**redis, "metrics": (listens["metrics"],) * 2}, nodes, headless=True
        )
        claims = objects.claims()
        addresses = objects.addresses(name, redis, nodes)
        ready: Depends = [account, headless, *addresses, objects.files(name, data), *claims]
        if any(secrets.rotation(secret) > 1 for secret in store.secrets_read()):
            content = secrets.checksums(store.secrets_read())
            ready = [*ready, objects.job(f"{name}-rotation", self._rotation(), content, ready)]
        if store.sentinel:
            ready = [*ready, self._sentinels(ready)]
        guards = [objects.disruption(name)] if store.nodes > 1 else []
        members = objects.statefulset(
            name,
            _headless(name, store),
            self._node(),
            [*ready, *guards],
            self._annotations,
            min_ready_seconds=SETTLED if store.nodes > 1 else 0,
        )
        if store.sentinel:
            proxies = self._proxies([*ready, members])
            for service, port in (("master", "redis"), ("replicas", "replicas")):
                target = {"redis": (listens["redis"], listens[port])}
                objects.service(f"{name}-{service}", target, selector(name, "proxy"), [proxies])
        else:
            objects.service(name, redis, nodes, [members])
        self.register_outputs({"host": store.host(name, namespace), "port": store.port()})

    def _environment(self) -> list[Any]:
        plain = environment(self._name, self._resolved.environment.namespace, self._store)
        return variables(plain, self._passwords)

    def _self(self) -> list[Any]:
        suffix = f"{self._resolved.environment.namespace}.svc.cluster.local"
        return [field("POD", "metadata.name"), {"name": "SELF", "value": f"$(POD).{suffix}"}]

    def _volumes(self, name: str, *temporary: str) -> list[Any]:
        memory = {"medium": "Memory", "sizeLimit": "1Mi"}
        return [
            {"name": "files", "configMap": {"name": name}},
            *({"name": volume, "emptyDir": memory} for volume in temporary),
        ]

    def _node(self) -> Any:
        store, name = self._store, self._name
        listens = store.ports()
        exporter = {"REDIS_ADDR": f"redis://localhost:{listens['redis']}", "REDIS_USER": "metrics"}
        return {
            "securityContext": security(UID),
            "terminationGracePeriodSeconds": 180,  # 100 s for stop.sh, the rest for replicas and the disk
            "dnsConfig": _RESOLVER,
            "containers": [
                self._objects.container(
                    name,
                    name,
                    f"{store.image}:{store.version}",
                    command=["/bin/sh", f"{CONFIG}/start.sh"],
                    env=[*self._self(), *self._environment()],
                    volumeMounts=mounts({"data": DATA, "files": CONFIG, "run": RUN}, ["files"]),
                    # loading a large AOF takes long and is not a reason to restart
                    startupProbe=probe(period=5, failures=120, tcpSocket={"port": "redis"}),
                    readinessProbe=probe(period=5, failures=2, exec={"command": ["/bin/sh", f"{CONFIG}/ready.sh"]}),
                    livenessProbe=probe(period=10, failures=6, tcpSocket={"port": "redis"}),
                    lifecycle=before_stop(f"{CONFIG}/stop.sh"),
                ),
                self._objects.container(
                    name,
                    "exporter",
                    f"oliver006/redis_exporter:{store.exporter}",
                    env=variables(exporter, {"REDIS_PASSWORD": store.internal_password}),
                    readinessProbe=probe(period=10, failures=3, httpGet={"path": "/health", "port": "metrics"}),
                ),
            ],
            "volumes": self._volumes(name, "run"),
        }

    def _sentinels(self, ready: Depends) -> pulumi.Resource:
        store, name = self._store, f"{self._name}-sentinel"
        port, select = {"sentinel": (store.ports()["sentinel"],) * 2}, selector(self._name, "sentinel")
        headless = self._objects.service(name, port, select, headless=True)
        addresses = self._objects.addresses(name, port, select)
        pod = {
            "securityContext": security(UID),
            "terminationGracePeriodSeconds": 30,
            "dnsConfig": _RESOLVER,
            "containers": [
                self._objects.container(
                    name,
                    "sentinel",
                    f"{store.image}:{store.version}",
                    command=["/bin/sh", f"{CONFIG}/sentinel.sh"],
                    env=[*self._self(), *self._environment()],
                    volumeMounts=mounts({"data": DATA, "files": CONFIG, "run": RUN}, ["files"]),
                    # starts after the name of the master resolves
                    startupProbe=probe(period=2, failures=150, tcpSocket={"port": "sentinel"}),
                    readinessProbe=probe(
                        period=5, failures=2, exec={"command": ["/bin/sh", f"{CONFIG}/sentinel-ready.sh"]}
                    ),
                    livenessProbe=probe(period=10, failures=6, tcpSocket={"port": "sentinel"}),
                    lifecycle=before_stop(f"{CONFIG}/sentinel-stop.sh"),
                )
            ],
            "volumes": self._volumes(self._name, "run"),
        }
        guard = self._objects.disruption(name)
        before = [*ready, headless, *addresses, guard]
        return self._objects.statefulset(name, name, pod, before, self._annotations, min_ready_seconds=SEEN)

    def _proxies(self, ready: Depends) -> pulumi.Resource:
        store, name = self._store, f"{self._name}-proxy"
        health = {"path": "/healthz", "port": "health"}
        pod = {
            "securityContext": security(PROXY_UID),
            "terminationGracePeriodSeconds": 40,  # longer than the pause before the stop and hard-stop-after
            "dnsConfig": _RESOLVER,
            "containers": [
                self._objects.container(
                    name,
                    "proxy",
                    f"haproxy:{store.proxy}",
                    command=["haproxy", "-W", "-db", "-f", f"{CONFIG}/haproxy.cfg"],
                    env=variables({"BIND": "*"}, {"INTERNAL_PASSWORD": store.internal_password}),
                    volumeMounts=mounts({"files": CONFIG}, ["files"]),
                    # the master was found once; during a failover the proxy stays, because it finds the new master first
                    startupProbe=probe(period=1, failures=300, httpGet={"path": "/started", "port": 8405}),
                    readinessProbe=probe(period=5, failures=2, httpGet=health),
                    livenessProbe=probe(period=10, failures=3, httpGet=health),
                    lifecycle=pause(),  # the image's stop signal is SIGUSR1, the soft stop
                )
            ],
            "volumes": self._volumes(self._name),
        }
        guard = self._objects.disruption(name)
        return self._objects.deployment(name, pod, [*ready, guard], self._annotations)

    def _rotation(self) -> Any:
        store = self._store
        return {
            "securityContext": security(UID),
            "containers": [
                self._objects.container(
                    f"{self._name}-rotation",
                    "rotation",
                    f"{store.image}:{store.version}",
                    command=["/bin/sh", f"{CONFIG}/rotate.sh"],
                    env=self._environment(),
                    volumeMounts=mounts({"files": CONFIG}, ["files"]),
                )
            ],
            "volumes": self._volumes(self._name),
        }
