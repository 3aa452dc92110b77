"""HAProxy as generated, in front of a real Redis: when DNS is away, when an address changes, when it is replaced."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from components.kinds.redis.configuration import haproxy_cfg
from tests.components.name_server import NameServer
from tests.components.redis_servers import INTERNAL, STORE, Cluster, running
from tests.components.writing import Writer
from tests.servers import Server, until

pytestmark = [pytest.mark.servers, pytest.mark.quiet, pytest.mark.xdist_group("redis")]
AWAY = 50
"""Seconds without DNS."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running(tmp_path_factory.mktemp("redis")) as found:
        yield found


def proxy(cluster: Cluster, folder: Path, address: str, text: str) -> Server:
    file = folder / f"{address}.cfg"
    file.write_text(text)
    variables = {"BIND": address, "INTERNAL_PASSWORD": INTERNAL}
    server = Server(["haproxy", "-W", "-db", "-f", str(file)], variables, folder / f"{address}.log")
    server.start()
    until(lambda: bool(cluster.client(address).set("started", "1")), 20, server.text)
    return server


def another(cluster: Cluster, last: int) -> str:
    """A further address beside the proxy's."""
    return f"{cluster.proxy_address.rpartition('.')[0]}.{last}"


def test_nothing_fails_while_dns_is_away(cluster: Cluster, tmp_path: Path, record_property: Any) -> None:
    cluster.wait_whole()
    nodes = [f"redis-{index}.shop.svc.cluster.local" for index in range(3)]
    sentinels = [f"redis-sentinel-{index}.shop.svc.cluster.local" for index in range(3)]
    names = dict(zip([*nodes, *sentinels], [*cluster.nodes, *cluster.sentinels], strict=True))
    address = another(cluster, 41)
    with NameServer(names) as dns:
        text = haproxy_cfg(nodes, sentinels, STORE.ports())
        server = proxy(cluster, tmp_path, address, text.replace("parse-resolv-conf", f"nameserver dns {dns.address}"))
        try:
            with Writer(lambda: cluster.client(address), "kept", keeps=True) as kept:
                with Writer(lambda: cluster.client(address), "fresh", keeps=False) as fresh:
                    time.sleep(2)
                    dns.silent, before = True, dns.asked
                    time.sleep(AWAY)
                    assert dns.asked > before  # it asked, and found no answer
                    dns.silent = False
                    time.sleep(5)
                for writer in (kept, fresh):
                    assert (writer.failures, writer.lost) == ([], 0), server.text()
                    assert writer.longest < 1
                    assert writer.written > AWAY
                # a Service that is made anew has another address
                master = next(name for name in nodes if names[name] == cluster.named())
                other = next(name for name in nodes if name != master)
                names[master], names[other] = names[other], names[master]
                time.sleep(10)
            record_property("seconds until a changed address is followed", round(kept.longest, 1))
            assert kept.longest < 5, (kept.outages, server.text())
            assert kept.lost == 0
        finally:
            server.kill()


def test_a_proxy_is_replaced_without_a_failure(cluster: Cluster, tmp_path: Path) -> None:
    """As the kubelet and the endpoints do: no new connections, then the soft stop; connections that are there go on."""
    cluster.wait_whole()
    text = haproxy_cfg(cluster.nodes, cluster.sentinels, STORE.ports())
    old, new = another(cluster, 42), another(cluster, 43)
    servers = {address: proxy(cluster, tmp_path, address, text) for address in (old, new)}
    endpoint = [old]
    answers: list[object] = []
    try:
        slow = threading.Thread(target=lambda: answers.append(cluster.client(old).blpop(["slow"], 1.5)))
        with Writer(lambda: cluster.client(endpoint[0]), "replaced", keeps=False) as fresh:
            kept = cluster.client(old)
            kept.set("kept", 1)
            time.sleep(1)
            endpoint[0] = new
            time.sleep(1)
            slow.start()
            time.sleep(0.5)
            process = servers[old].process
            assert process
            process.send_signal(signal.SIGUSR1)
            for _ in range(30):
                assert kept.incr("kept")
                time.sleep(0.1)
            slow.join(5)
            with pytest.raises(redis.ConnectionError):
                cluster.client(old).ping()
            kept.close()
            process.wait(10)
        assert process.returncode == 0
        assert answers == [None]
        assert (fresh.failures, fresh.lost) == ([], 0)
        assert fresh.written > 20
    finally:
        for server in servers.values():
            server.kill()


def test_it_is_started_when_it_has_found_the_master(cluster: Cluster, tmp_path: Path) -> None:
    """Before its first checks every node counts as up: a write would find a replica."""
    import httpx

    nowhere = [another(cluster, 51 + index) for index in range(3)]
    address = another(cluster, 44)
    file = tmp_path / "nowhere.cfg"
    file.write_text(haproxy_cfg(nowhere, nowhere, STORE.ports()))
    variables = {"BIND": address, "INTERNAL_PASSWORD": INTERNAL}
    lost = Server(["haproxy", "-W", "-db", "-f", str(file)], variables, tmp_path / "nowhere.log")
    lost.start()
    try:
        until(lambda: httpx.get(f"http://{address}:8404/healthz").status_code == 200, 20, lost.text)
        assert httpx.get(f"http://{address}:8405/started").status_code == 503
        until(lambda: httpx.get(f"http://{cluster.proxy_address}:8405/started").status_code == 200, 20, cluster.logs)
    finally:
        lost.kill()
