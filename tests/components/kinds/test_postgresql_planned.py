"""PostgreSQL's nodes are stopped on purpose, and asked whether they are of use, by the scripts that the kubelet runs."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.components.postgresql_servers import INTERNAL, Cluster, started
from tests.servers import until

pytestmark = [pytest.mark.servers, pytest.mark.quiet, pytest.mark.xdist_group("postgresql")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with started() as found:
        yield found


def ready(cluster: Cluster, node: int) -> bool:
    return cluster.task("ready.sh", node).returncode == 0


def streams(cluster: Cluster) -> bool:
    """Whether the standby follows."""
    asked = cluster.query(
        "SELECT state FROM pg_stat_replication", user="postgres", password=INTERNAL, dbname="postgres"
    )
    return bool(asked == [("streaming",)])


def test_a_planned_stop_waits_for_nobody_and_the_standby_is_back_soon(cluster: Cluster, record_property: Any) -> None:
    until(lambda: streams(cluster) and ready(cluster, 0) and ready(cluster, 1), 60, cluster.logs)
    primary = cluster.servers[0]
    with cluster.connect() as connection:  # a client that stays: SIGTERM would wait for it
        connection.execute("CREATE TABLE IF NOT EXISTS planned (n int)")
        connection.execute("INSERT INTO planned VALUES (1)")
        begin = time.monotonic()
        stopped = cluster.task("stop.sh")
        assert stopped.returncode == 0, stopped.stderr
        assert primary.process
        assert primary.process.wait(30) == 0, cluster.logs()
        assert time.monotonic() - begin < 20
    assert cluster.query("SELECT n FROM planned", node=1) == [(1,)]  # it was sent everything
    assert not ready(cluster, 0)
    assert ready(cluster, 1)  # the only one to read from
    with silent(cluster.hosts[0]):  # as an address whose pod is gone: packets are lost, nothing refuses
        time.sleep(12)
    primary.start()
    seconds = until(lambda: streams(cluster), 60, cluster.logs)
    record_property("seconds from the primary's start until the standby follows", round(seconds, 1))
    print(f"standby follows {seconds:.1f} s after the start of the primary")
    assert seconds < 15
    until(lambda: ready(cluster, 0) and ready(cluster, 1), 10, cluster.logs)


@contextmanager
def silent(host: str) -> Iterator[None]:
    """PostgreSQL's port of the address answers no connection: its queue is full."""
    with socket.socket() as listener, ExitStack() as stack:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, 5432))
        listener.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex((host, 5432))
        yield


def test_a_standby_that_does_not_follow_is_not_ready(cluster: Cluster) -> None:
    until(lambda: ready(cluster, 1), 60, cluster.logs)
    with cluster.connect(INTERNAL, "postgres", dbname="postgres") as connection:
        connection.execute("ALTER ROLE replication NOLOGIN")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
        try:
            until(lambda: not ready(cluster, 1), 20, cluster.logs)
            assert ready(cluster, 0)
        finally:
            connection.execute("ALTER ROLE replication LOGIN")
    until(lambda: ready(cluster, 1), 30, cluster.logs)


def test_a_rotation_does_not_wait_for_a_primary_that_is_not_there(cluster: Cluster) -> None:
    result = cluster.task("setup.sh", PATIENCE="1", PRIMARY="127.0.0.9")
    assert result.returncode == 0, result.stderr
    assert "does not answer" in result.stdout
