"""Redis with Sentinel, or a single Redis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi

from config.kinds import Redis as Declared
from config.system import Resolved

from ..configuration import checksum
from ..labels import selector
from ..parts import Depends, Parts
from ..pods import container, field, mounts, ports, probe, security, variables
from ..secrets import Secrets
from .configuration import MASTER, haproxy_cfg, redis_conf, sentinel_conf

UID = 999
"""The user ``redis`` of the official image."""
PROXY_UID = 99
"""The user ``haproxy`` of the official image."""
_HERE = Path(__file__).parent
SCRIPTS = {name: (_HERE / name).read_text(encoding="utf-8") for name in ("users.sh", "start.sh")}
SENTINEL_SCRIPTS = {"sentinel.sh": (_HERE / "sentinel.sh").read_text(encoding="utf-8")}
ROTATE = (_HERE / "rotate.sh").read_text(encoding="utf-8")
CONFIG, DATA, RUN = "/etc/redis", "/data", "/run/redis"


def members(name: str, namespace: str, store: Declared) -> tuple[list[str], list[str]]:
    """The names of the nodes, and those of the Sentinels."""
    suffix = f"{namespace}.svc.cluster.local"
    nodes = [f"{name}-{index}.{_headless(name, store)}.{suffix}" for index in range(store.nodes)]
    watchers = range(store.sentinels if store.sentinel else 0)
    return nodes, [f"{name}-sentinel-{index}.{name}-sentinel.{suffix}" for index in watchers]


def _headless(name: str, store: Declared) -> str:
    """A single node's clients use ``<name>``; a cluster's use ``<name>-master`` and ``<name>-replicas``."""
    return name if store.sentinel else f"{name}-nodes"


def files(name: str, namespace: str, store: Declared) -> dict[str, str]:
    """What the pods read: configuration and the scripts that start them."""
    found = {"redis.conf": redis_conf(store), **SCRIPTS, "rotate.sh": ROTATE}
    if store.sentinel:
        proxy = haproxy_cfg(*members(name, namespace, store), store.ports())
        found |= {"sentinel.conf": sentinel_conf(), "haproxy.cfg": proxy, **SENTINEL_SCRIPTS}
    return found


def environment(name: str, namespace: str, store: Declared) -> dict[str, str]:
    """What the scripts read, besides passwords and the pod's own name."""
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

    A rotation's Job runs before the pods roll: each then meets others that know both passwords.
    """

    def __init__(
        self,
        name: str,
        resolved: Resolved,
        store: Declared,
        secrets: Secrets,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("understudy:redis:Redis", name, None, opts)
        self._name, self._resolved, self._store = name, resolved, store
        self._parts = parts = Parts(self, resolved, name)
        namespace = resolved.environment.namespace
        data = files(name, namespace, store)
        self._passwords = {"PASSWORD": store.password, "INTERNAL_PASSWORD": store.internal_password}
        self._annotations = {
            "understudy.dev/configuration": checksum(data),
            "understudy.dev/secrets": checksum(secrets.checksums(store.secrets_read())),
        }
        account = parts.account(store.service_account_annotations)
        listens = store.ports()
        nodes = selector(name, "node")
        redis = {"redis": (listens["redis"],) * 2}
        headless = parts.service(
            _headless(name, store), {**redis, "metrics": (listens["metrics"],) * 2}, nodes, headless=True
        )
        claims = parts.claims(store.volumes(name))
        ready: Depends = [account, headless, parts.files(name, data), *claims]
        if any(secrets.rotation(secret) > 1 for secret in store.secrets_read()):
            content = secrets.checksums(store.secrets_read())
            ready = [*ready, parts.job(f"{name}-rotation", self._rotation(), content, ready)]
        if store.sentinel:
            watchers = parts.service(
                f"{name}-sentinel",
                {"sentinel": (listens["sentinel"],) * 2},
                selector(name, "sentinel"),
                headless=True,
            )
            self._sentinels([*ready, watchers])
        guards = [parts.disruption(name, "node")] if store.nodes > 1 else []
        members = parts.statefulset(
            name, "node", _headless(name, store), store.nodes, self._node(), [*ready, *guards], self._annotations
        )
        if store.sentinel:
            proxies = self._proxies([*ready, members])
            for service, port in (("master", "redis"), ("replicas", "replicas")):
                target = {"redis": (listens["redis"], listens[port])}
                parts.service(f"{name}-{service}", target, selector(name, "proxy"), [proxies])
        else:
            parts.service(name, redis, nodes, [members])
        self.register_outputs({"host": store.host(name, namespace), "port": store.port()})

    def _environment(self) -> list[Any]:
        plain = environment(self._name, self._resolved.environment.namespace, self._store)
        return variables(plain, self._passwords)

    def _self(self, service: str) -> list[Any]:
        suffix = f"{service}.{self._resolved.environment.namespace}.svc.cluster.local"
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
        asks = 'REDISCLI_AUTH="$INTERNAL_PASSWORD" redis-cli --user health -p "$PORT" ping | grep -q PONG'
        exporter = {"REDIS_ADDR": f"redis://localhost:{listens['redis']}", "REDIS_USER": "metrics"}
        return {
            "securityContext": security(UID),
            "terminationGracePeriodSeconds": 60,
            "containers": [
                container(
                    name,
                    f"{store.image}:{store.version}",
                    store.resources,
                    command=["/bin/sh", f"{CONFIG}/start.sh"],
                    env=[*self._self(_headless(name, store)), *self._environment()],
                    ports=ports({"redis": listens["redis"]}),
                    volumeMounts=mounts({"data": DATA, "files": CONFIG, "run": RUN}, ["files"]),
                    # loading a large AOF takes its time; it is not a reason to begin anew
                    startupProbe=probe(period=5, failures=120, tcpSocket={"port": "redis"}),
                    readinessProbe=probe(period=5, failures=2, exec={"command": ["/bin/sh", "-c", asks]}),
                    livenessProbe=probe(period=10, failures=6, tcpSocket={"port": "redis"}),
                ),
                container(
                    "exporter",
                    f"oliver006/redis_exporter:{store.exporter}",
                    store.exporter_resources,
                    env=variables(exporter, {"REDIS_PASSWORD": store.internal_password}),
                    ports=ports({"metrics": listens["metrics"]}),
                    readinessProbe=probe(period=10, failures=3, httpGet={"path": "/health", "port": "metrics"}),
                ),
            ],
            "volumes": self._volumes(name, "run"),
        }

    def _sentinels(self, ready: Depends) -> None:
        store, name = self._store, f"{self._name}-sentinel"
        pod = {
            "securityContext": security(UID),
            "terminationGracePeriodSeconds": 10,
            "containers": [
                container(
                    "sentinel",
                    f"{store.image}:{store.version}",
                    store.sentinel_resources,
                    command=["/bin/sh", f"{CONFIG}/sentinel.sh"],
                    env=[*self._self(name), *self._environment()],
                    ports=ports({"sentinel": store.ports()["sentinel"]}),
                    volumeMounts=mounts({"data": DATA, "files": CONFIG, "run": RUN}, ["files"]),
                    readinessProbe=probe(period=5, failures=2, tcpSocket={"port": "sentinel"}),
                    livenessProbe=probe(period=10, failures=6, tcpSocket={"port": "sentinel"}),
                )
            ],
            "volumes": self._volumes(self._name, "run"),
        }
        guard = self._parts.disruption(name, "sentinel")
        self._parts.statefulset(name, "sentinel", name, store.sentinels, pod, [*ready, guard], self._annotations)

    def _proxies(self, ready: Depends) -> pulumi.Resource:
        store, name = self._store, f"{self._name}-proxy"
        listens = store.ports()
        health = {"path": "/healthz", "port": "health"}
        pod = {
            "securityContext": security(PROXY_UID),
            "containers": [
                container(
                    "proxy",
                    f"haproxy:{store.proxy}",
                    store.proxy_resources,
                    command=["haproxy", "-W", "-db", "-f", f"{CONFIG}/haproxy.cfg"],
                    env=variables({"BIND": "*"}, {"INTERNAL_PASSWORD": store.internal_password}),
                    ports=ports({"redis": listens["redis"], "replicas": listens["replicas"], "health": 8404}),
                    volumeMounts=mounts({"files": CONFIG}, ["files"]),
                    readinessProbe=probe(period=5, failures=2, httpGet=health),
                    livenessProbe=probe(period=10, failures=3, httpGet=health),
                )
            ],
            "volumes": self._volumes(self._name),
        }
        guard = self._parts.disruption(name, "proxy")
        return self._parts.deployment(name, "proxy", store.proxies, pod, [*ready, guard], self._annotations)

    def _rotation(self) -> Any:
        store = self._store
        return {
            "securityContext": security(UID),
            "containers": [
                container(
                    "rotation",
                    f"{store.image}:{store.version}",
                    store.helper_resources,
                    command=["/bin/sh", f"{CONFIG}/rotate.sh"],
                    env=self._environment(),
                    volumeMounts=mounts({"files": CONFIG}, ["files"]),
                )
            ],
            "volumes": self._volumes(self._name),
        }
