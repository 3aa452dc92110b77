"""Redis, Sentinel and HAProxy as generated, started for real and hurt."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tests.components.redis_servers import APP, INTERNAL, Cluster, running
from tests.servers import Server, until

pytestmark = [pytest.mark.servers, pytest.mark.quiet, pytest.mark.xdist_group("redis")]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running(tmp_path_factory.mktemp("redis")) as found:
        yield found


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
