"""Redis, Sentinel and HAProxy as generated, started for real and hurt."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from components.redis import ROTATE, SCRIPTS, SENTINEL_SCRIPTS, environment
from components.redis.configuration import MASTER, haproxy_cfg, redis_conf, sentinel_conf
from config.kinds import Redis
from tests.servers import Server, network, require, until

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("redis")]
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
        self.folder = folder
        ports = STORE.ports()
        address = network(*ports.values(), 8404)
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

    def client(self, host: str, password: str = APP, user: str = "default", port: int = 6379) -> Any:
        return redis.Redis(
            host=host, port=port, username=user, password=password, socket_timeout=2, decode_responses=True
        )

    def admin(self, host: str) -> Any:
        return self.client(host, INTERNAL, "admin")

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
        answer = self.client(sentinel, INTERNAL, "sentinel", 26379).execute_command("SENTINEL", "MASTER", MASTER)
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


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    require("redis-server", "haproxy")
    found = Cluster(tmp_path_factory.mktemp("redis"))
    try:
        for server in found.servers.values():
            server.start()
        found.wait_whole()
        yield found
    finally:
        for server in found.servers.values():
            server.kill()


def write(cluster: Cluster, prefix: str, acknowledged: dict[str, str]) -> None:
    """A write that counts only when two replicas have it."""
    client = cluster.clients
    key = f"{prefix}-{len(acknowledged)}"
    client.set(key, prefix)
    if client.wait(2, 1000) == 2:
        acknowledged[key] = prefix


def test_the_master_is_killed_twice(cluster: Cluster, record_property: Any, capsys: Any) -> None:
    acknowledged: dict[str, str] = {}
    for round_ in ("first", "second"):
        cluster.wait_whole()
        for _ in range(50):
            write(cluster, round_, acknowledged)
        old = cluster.named()
        cluster.servers[old].kill()
        seconds = until(lambda: cluster.clients.set("probe", "1"), 60, cluster.logs)
        record_property(f"{round_} failover, seconds to the first accepted write", round(seconds, 1))
        with capsys.disabled():
            print(f"\n{round_} failover: {seconds:.1f} s to the first accepted write through the proxy")
        new = cluster.named()
        assert new != old
        assert cluster.clients.info("replication")["role"] == "master"
        assert cluster.admin(new).get("probe") == "1"  # the proxy led there and nowhere else
        assert {key: cluster.clients.get(key) for key in acknowledged} == acknowledged
        cluster.servers[old].start()
    cluster.wait_whole()
    assert len(acknowledged) >= 90
    assert {key: cluster.clients.get(key) for key in acknowledged} == acknowledged


def test_replicas_are_reached_and_do_not_write(cluster: Cluster) -> None:
    cluster.wait_whole()
    replicas = cluster.client(cluster.proxy_address, port=6380)
    assert replicas.info("replication")["role"] == "slave"
    with pytest.raises(redis.ReadOnlyError):
        replicas.set("x", "1")


def test_everything_restarts_at_once(cluster: Cluster) -> None:
    """Not on the first node: the promoted one has the newest data, and stays the master."""
    cluster.wait_whole()
    if cluster.named() == cluster.nodes[0]:
        cluster.servers[cluster.nodes[0]].kill()
        until(lambda: cluster.named() != cluster.nodes[0], 60, cluster.logs)
        cluster.servers[cluster.nodes[0]].start()
        cluster.wait_whole()
    promoted = cluster.named()
    acknowledged: dict[str, str] = {}
    for _ in range(20):
        write(cluster, "before", acknowledged)
    assert len(acknowledged) >= 18
    for server in cluster.servers.values():
        server.kill()
    for server in cluster.servers.values():
        server.start()
    cluster.wait_whole()
    assert cluster.named() == promoted
    assert {key: cluster.clients.get(key) for key in acknowledged} == acknowledged


def test_a_master_that_lost_its_volume_does_not_empty_the_others(cluster: Cluster) -> None:
    cluster.wait_whole()
    acknowledged: dict[str, str] = {}
    write(cluster, "kept", acknowledged)
    assert acknowledged
    master = cluster.named()
    cluster.servers[master].kill()
    shutil.rmtree(cluster.folder / master)
    (cluster.folder / master / "run").mkdir(parents=True)
    cluster.servers[master].start()  # at once: the Sentinels still take it for the master
    until(lambda: cluster.named() != master, 60, cluster.logs)
    cluster.wait_whole()
    assert "the volume is empty and others have data" in cluster.servers[master].text()
    assert {key: cluster.clients.get(key) for key in acknowledged} == acknowledged


def test_a_master_without_replicas_takes_no_writes(cluster: Cluster) -> None:
    cluster.wait_whole()
    master = cluster.named()
    replicas = [node for node in cluster.nodes if node != master]
    for node in replicas:
        cluster.servers[node].kill()

    def refused() -> bool:
        try:
            cluster.client(master).set("alone", "1")
        except redis.ResponseError as error:
            return "NOREPLICAS" in str(error)
        return False

    until(refused, 20, cluster.logs)
    for node in replicas:
        cluster.servers[node].start()
    cluster.wait_whole()


def test_users_have_their_rights_and_no_more(cluster: Cluster) -> None:
    cluster.wait_whole()
    client = cluster.clients
    assert client.config_get("protected-mode") == {"protected-mode": "yes"}
    assert client.config_get("appendfsync") == {"appendfsync": "always"}
    assert client.config_get("latency-monitor-threshold") == {"latency-monitor-threshold": "50"}
    assert client.config_get("loglevel") == {"loglevel": "debug"}
    assert client.config_get("min-replicas-to-write") == {"min-replicas-to-write": "1"}
    assert client.config_get("maxmemory") == {"maxmemory": "1500000000"}
    for command in (("CONFIG", "SET", "maxmemory", "1"), ("ACL", "LIST"), ("SHUTDOWN",), ("REPLICAOF", "NO", "ONE")):
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*command)
    with pytest.raises(redis.exceptions.NoPermissionError):
        cluster.client(cluster.nodes[0], INTERNAL, "health").get("x")
    metrics = cluster.client(cluster.nodes[0], INTERNAL, "metrics")
    assert metrics.info("memory")["used_memory"] > 0
    assert metrics.execute_command("LATENCY", "LATEST") is not None
    with pytest.raises(redis.AuthenticationError):
        cluster.client(cluster.nodes[0], "wrong").ping()
    with pytest.raises(redis.AuthenticationError):
        cluster.client(cluster.nodes[0], APP, "admin").ping()


def test_passwords_rotate_without_a_stop(cluster: Cluster) -> None:
    """Last: the cluster has other passwords after it."""
    cluster.wait_whole()
    new = {"PASSWORD": "app-secret-2", "INTERNAL_PASSWORD": "internal-secret-2"}
    new |= {"PASSWORD_PREVIOUS": APP, "INTERNAL_PASSWORD_PREVIOUS": INTERNAL}
    for _ in range(2):  # it may be done again
        job = Server(
            ["sh", str(cluster.config / "rotate.sh")], {**cluster.environment("job"), **new}, cluster.folder / "job.log"
        )
        job.start()
        assert job.process
        assert job.process.wait(60) == 0, job.text()
    assert cluster.clients.ping()
    assert cluster.client(cluster.proxy_address, new["PASSWORD"]).ping()
    for host in (*cluster.sentinels, *reversed(cluster.nodes)):
        server = cluster.servers[host]
        server.environment |= new
        server.kill()
        server.start()
        until(lambda: cluster.client(cluster.proxy_address, new["PASSWORD"]).set("during", "1"), 60, cluster.logs)
        until(cluster.whole, 60, cluster.logs)
    stale = {**cluster.environment("job"), "INTERNAL_PASSWORD": "neither", "INTERNAL_PASSWORD_PREVIOUS": "of them"}
    job = Server(["sh", str(cluster.config / "rotate.sh")], stale, cluster.folder / "stale.log")
    job.start()
    assert job.process
    assert job.process.wait(60) == 1
    assert "accepts neither" in job.text()
