"""Redis, Sentinel and HAProxy as generated, started for real on loopback addresses."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from components.kinds.redis import ROTATE, SCRIPTS, SENTINEL_SCRIPTS, environment
from components.kinds.redis.configuration import MASTER, haproxy_cfg, redis_conf, sentinel_conf
from config.kinds import Redis
from tests.servers import Server, network, require, until

STORE = Redis.model_validate(
    {
        "kind": "redis",
        "version": "7.0.15",
        "resources": {"requests": {"cpu": "250m", "memory": "1G"}, "limits": {"cpu": "500m", "memory": "2G"}},
        "storage": "10G",
        "password": {"secret": "s", "key": "app"},
        "internalPassword": {"secret": "s", "key": "internal"},
        "appendFsync": "always",
        "logLevel": "debug",
        "latencyMonitorThreshold": "50ms",
    }
)
APP, INTERNAL = 'app-secret"\\1', "internal-secret-1"


class Cluster:
    """Three nodes, three Sentinels and a proxy."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.internal = folder, INTERNAL
        ports = STORE.ports()
        address = network(*ports.values(), 8404, 8405)
        self.nodes = [address(11 + index) for index in range(3)]
        self.sentinels = [address(21 + index) for index in range(3)]
        self.proxy_address = address(31)
        self.config = folder / "config"
        self.config.mkdir()
        files = {**SCRIPTS, **SENTINEL_SCRIPTS, "rotate.sh": ROTATE}
        files |= {"redis.conf": redis_conf(STORE), "sentinel.conf": sentinel_conf()}
        files["haproxy.cfg"] = haproxy_cfg(self.nodes, self.sentinels, ports)
        for name, text in files.items():
            (self.config / name).write_text(text)
        self.servers = {host: self._member(host, "start.sh") for host in self.nodes}
        self.servers |= {host: self._member(host, "sentinel.sh") for host in self.sentinels}
        proxy = ["haproxy", "-W", "-db", "-f", str(self.config / "haproxy.cfg")]
        variables = {"BIND": self.proxy_address, "INTERNAL_PASSWORD": INTERNAL}
        self.servers[self.proxy_address] = Server(proxy, variables, folder / "proxy.log")

    def environment(self, host: str) -> dict[str, str]:
        home = self.folder / host
        return {
            **environment("redis", "shop", STORE),
            "CONFIG": str(self.config),
            "DATA": str(home),
            "RUN": str(home / "run"),
            "NODES": " ".join(self.nodes),
            "SENTINELS": " ".join(self.sentinels),
            "SELF": host,
            "BIND": host,
            "PASSWORD": APP,
            "INTERNAL_PASSWORD": INTERNAL,
        }

    def _member(self, host: str, script: str) -> Server:
        (self.folder / host / "run").mkdir(parents=True)
        return Server(["sh", str(self.config / script)], self.environment(host), self.folder / f"{host}.log")

    def script(self, host: str, name: str, **more: str) -> subprocess.CompletedProcess[str]:
        """What a probe or a hook of that member does."""
        environment = {**self.servers[host].environment, **more}
        command = ["sh", str(self.config / name)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    def client(self, host: str, password: str = APP, user: str = "default", port: int = 6379) -> Any:
        return redis.Redis(
            host=host, port=port, username=user, password=password, socket_timeout=2, decode_responses=True
        )

    def admin(self, host: str) -> Any:
        return self.client(host, self.internal, "admin")

    @property
    def clients(self) -> Any:
        """As the users of ``redis-master``: through the proxy."""
        return self.client(self.proxy_address)

    def named(self) -> str:
        """The master that all Sentinels name."""
        answers = {
            self.client(s, port=26379).execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)[0]
            for s in self.sentinels
        }
        assert len(answers) == 1, answers
        return str(answers.pop())

    def _watched(self, sentinel: str) -> dict[str, str]:
        answer = self.client(sentinel, self.internal, "sentinel", 26379).execute_command("SENTINEL", "MASTER", MASTER)
        return dict(zip(answer[::2], answer[1::2], strict=True))

    def whole(self) -> bool:
        """Everybody agrees on the master, it has two replicas that follow, and every Sentinel knows the others."""
        master = self.named()
        info = self.admin(master).info("replication")
        states = [info.get(f"slave{index}", {}).get("state") for index in range(2)]
        watched = [self._watched(s) for s in self.sentinels]
        others = all((w["num-other-sentinels"], w["num-slaves"], w["flags"]) == ("2", "2", "master") for w in watched)
        return info["role"] == "master" and states == ["online", "online"] and others

    def logs(self) -> str:
        return "\n".join(f"--- {host}\n{server.text()[-1500:]}" for host, server in self.servers.items())

    def wait_whole(self) -> None:
        until(self.whole, 60, self.logs)
        until(lambda: bool(self.clients.ping()), 20, self.logs)


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """A started cluster whose replicas follow; its servers are killed in the end."""
    require("redis-server", "haproxy")
    cluster = Cluster(folder)
    try:
        for server in cluster.servers.values():
            server.start()
        cluster.wait_whole()
        yield cluster
    finally:
        for server in cluster.servers.values():
            server.kill()
