"""Redis' nodes, Sentinels and proxies are stopped on purpose, by the scripts that the kubelet runs, while somebody writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.components.redis_servers import APP, INTERNAL, Cluster, running
from tests.components.writing import Writer
from tests.servers import require, until

pytestmark = [pytest.mark.servers, pytest.mark.quiet, pytest.mark.xdist_group("redis")]
PLANNED, CRASH = 5.0, 15.0
"""How long writes may be interrupted, in seconds."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running(tmp_path_factory.mktemp("redis")) as found:
        yield found


@contextmanager
def writing(cluster: Cluster, name: str, password: Callable[[], str] = lambda: APP) -> Iterator[tuple[Writer, ...]]:
    """Two writers: one that keeps its connection, one that makes a new one for each write."""

    def connect() -> Any:
        return cluster.client(cluster.proxy_address, password())

    with ExitStack() as stack:
        writers = [Writer(connect, f"{name}-{keeps}", keeps=keeps) for keeps in (True, False)]
        yield tuple(stack.enter_context(writer) for writer in writers)


def ready(cluster: Cluster, host: str) -> bool:
    script = "ready.sh" if host in cluster.nodes else "sentinel-ready.sh"
    return cluster.script(host, script).returncode == 0


def replace(cluster: Cluster, host: str, settled: float) -> None:
    """As a StatefulSet's controller and the kubelet do: hook, SIGTERM, start, until it is Ready for some time."""
    script = "stop.sh" if host in cluster.nodes else "sentinel-stop.sh"
    result = cluster.script(host, script)
    assert result.returncode == 0, result.stdout + result.stderr
    cluster.servers[host].terminate()
    cluster.servers[host].start()
    until(lambda: ready(cluster, host), 60, cluster.logs)
    time.sleep(settled)


def judge(writers: tuple[Writer, ...], allowed: float, record: Callable[[str, object], None], what: str) -> None:
    for writer in writers:
        record(f"{what}: longest interruption of writes, seconds", round(writer.longest, 1))
        print(f"{what}: outages {[round(seconds, 1) for seconds in writer.outages]}, {writer.written} written")
        assert writer.lost == 0, f"{writer.lost} acknowledged writes lost"
        assert writer.written > 10
        assert writer.longest <= allowed, (writer.outages, writer.failures[:5])


def test_a_rollout_hands_the_master_over(cluster: Cluster, record_property: Any) -> None:
    """Every node in the controller's order, from the last to the first."""
    cluster.wait_whole()
    masters = [cluster.named()]
    with writing(cluster, "rollout") as writers:
        for host in reversed(cluster.nodes):
            replace(cluster, host, settled=15)
            masters.append(cluster.named())
    assert len(set(masters)) > 1  # else nothing was handed over
    judge(writers, PLANNED, record_property, "rollout")
    cluster.wait_whole()


def test_a_rotation_interrupts_writes_for_a_moment(cluster: Cluster, record_property: Any) -> None:
    """The Job, then Sentinels, then nodes; the writers' own passwords change at the end."""
    cluster.wait_whole()
    new = {"PASSWORD": "app-secret-2", "INTERNAL_PASSWORD": "internal-secret-2"}
    told = {**new, "PASSWORD_PREVIOUS": APP, "INTERNAL_PASSWORD_PREVIOUS": INTERNAL}
    with writing(cluster, "rotation") as writers:
        result = cluster.script(cluster.nodes[0], "rotate.sh", **told)
        assert result.returncode == 0, result.stdout + result.stderr
        for host in (*reversed(cluster.sentinels), *reversed(cluster.nodes)):
            cluster.servers[host].environment |= told
            replace(cluster, host, settled=15 if host in cluster.nodes else 2)
        with writing(cluster, "rotated", lambda: new["PASSWORD"]) as others:
            time.sleep(3)
    cluster.internal = new["INTERNAL_PASSWORD"]
    judge(writers, PLANNED, record_property, "rotation")
    judge(others, PLANNED, record_property, "rotation, new password")
    cluster.wait_whole()


def test_a_crash_of_the_master_is_over_soon(cluster: Cluster, record_property: Any) -> None:
    cluster.wait_whole()
    old = cluster.named()
    with writing(cluster, "crash") as writers:
        time.sleep(1)
        cluster.servers[old].kill()
        until(lambda: cluster.named() != old, 60, cluster.logs)
        cluster.servers[old].start()
        until(lambda: ready(cluster, old), 60, cluster.logs)
        time.sleep(2)
    for (
        writer
    ) in writers:  # a crash may lose what no replica had: WAIT confirms those that it may not (test_redis_failover.py)
        writer.lost = 0
    judge(writers, CRASH, record_property, "crash")
    cluster.wait_whole()


def test_sentinels_start_before_the_nodes_and_wait_for_each_other_later(tmp_path: Path) -> None:
    """Nodes wait for Ready Sentinels, which learn of each other through the nodes: the very first start must not hang."""
    require("redis-server", "haproxy")
    fresh = Cluster(tmp_path)
    try:
        for host in fresh.sentinels:
            fresh.servers[host].start()
        until(lambda: all(ready(fresh, host) for host in fresh.sentinels), 60, fresh.logs)
        for host in (*fresh.nodes, fresh.proxy_address):
            fresh.servers[host].start()
        fresh.wait_whole()
        until(lambda: all(ready(fresh, host) for host in (*fresh.nodes, *fresh.sentinels)), 60, fresh.logs)
        left, *others = fresh.sentinels
        for host in others:
            fresh.servers[host].kill()
        until(lambda: not ready(fresh, left), 30, fresh.logs)  # alone it decides nothing
        for host in fresh.nodes:  # it knows others: that there is no master is no first start
            fresh.servers[host].kill()
        time.sleep(7)
        assert not ready(fresh, left)
    finally:
        for server in fresh.servers.values():
            server.kill()


def test_a_replica_without_its_master_is_not_ready(cluster: Cluster) -> None:
    """And a master without a replica is not: the next node must not be stopped."""
    cluster.wait_whole()
    master = cluster.named()
    replicas = [node for node in cluster.nodes if node != master]
    until(lambda: all(ready(cluster, node) for node in cluster.nodes), 30, cluster.logs)
    cluster.admin(replicas[0]).execute_command("CONFIG", "SET", "masterauth", "wrong")
    cluster.admin(master).execute_command("CLIENT", "KILL", "TYPE", "replica")
    until(lambda: not ready(cluster, replicas[0]), 20, cluster.logs)
    cluster.servers[replicas[1]].kill()
    until(lambda: not ready(cluster, master), 30, cluster.logs)
    for node in replicas:
        cluster.servers[node].kill()
        cluster.servers[node].start()
    cluster.wait_whole()
    until(lambda: all(ready(cluster, node) for node in cluster.nodes), 30, cluster.logs)
