"""Writers on a real node, while Redis is evicted, rolled, rotated and killed, and while DNS is away."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.control_plane import kubectl
from local.paths import ROOT
from local.stack import LocalStack
from tests.e2e.outages import NAMESPACE, Writers, is_ready, pods, rolled_out
from tests.servers import require_real_node, until

from . import outages

pytestmark = [pytest.mark.engine, pytest.mark.quiet, pytest.mark.xdist_group("real-node")]
PLANNED, CRASH, AWAY = 5.0, 15.0, 50
"""Seconds that writes may be interrupted by what is planned, and by a crash; seconds without DNS."""
REDIS = ("statefulset/redis-sentinel", "statefulset/redis", "deployment/redis-proxy")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outages")


@pytest.fixture(scope="module")
def laptop(folder: Path) -> Iterator[LocalStack]:
    require_real_node()
    stack = outages.laptop(folder)
    try:
        outages.bring_up(stack)
        rolled_out(stack, *REDIS, "deployment/game-server")
        yield stack
    finally:
        stack.plane.remove()


@pytest.fixture(scope="module")
def writers(laptop: LocalStack) -> Iterator[Writers]:
    with Writers(laptop) as found:
        until(lambda: found.acknowledged > 100, 60)
        yield found


@contextmanager
def interrupted(
    writers: Writers, seconds: float, record: Any, what: str, connections: tuple[str, ...] = ("kept", "new")
) -> Iterator[None]:
    """What happens within may interrupt writes for that long, and lose none that was acknowledged."""
    writers.look()
    begin, before = datetime.now(UTC), writers.acknowledged
    yield
    time.sleep(3)
    writers.look()
    found = writers.outages(begin, *connections)
    record(f"{what}: interruptions of writes, seconds", [round(each, 1) for each in found])
    print(f"{what}: outages {[round(each, 1) for each in found]}, {writers.acknowledged - before} written")
    assert writers.acknowledged > before
    assert writers.lost == 0
    assert max(found, default=0) <= seconds


def _evict(stack: LocalStack, pod: str) -> None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    with stack.plane.client() as client:
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
        until(lambda: client.post(path, json=body).status_code == 201, 120)


def test_each_pod_is_evicted(laptop: LocalStack, writers: Writers, record_property: Any) -> None:
    """As when nodes are drained: the budget lets one go at a time."""
    with interrupted(writers, PLANNED, record_property, "evictions"):
        for pod in pods(laptop, app="redis"):
            _evict(laptop, pod["metadata"]["name"])
            uid = pod["metadata"]["uid"]

            def replaced(uid: str = uid) -> bool:
                there = pods(laptop, app="redis")
                return all(is_ready(each) for each in there) and uid not in {each["metadata"]["uid"] for each in there}

            until(replaced, 120)
            time.sleep(15)  # a drain goes on with the next node; Sentinels ask nodes for their state every 10 s
            rolled_out(laptop, *REDIS)


def test_a_rollout_of_redis(laptop: LocalStack, writers: Writers, record_property: Any) -> None:
    with interrupted(writers, PLANNED, record_property, "rollout"):
        for workload in REDIS:
            kubectl("rollout", "restart", workload, "-n", NAMESPACE, plane=laptop.plane)
            rolled_out(laptop, workload)


def test_a_rotation(laptop: LocalStack, writers: Writers, folder: Path, record_property: Any) -> None:
    with interrupted(writers, PLANNED, record_property, "rotation"):
        outages.declare(folder, rotation=2)
        laptop.start()
        outages.up(laptop)
        rolled_out(laptop, *REDIS, "deployment/game-server")


def test_a_rollout_of_a_service_fails_no_request(laptop: LocalStack, record_property: Any) -> None:
    service = json.loads(kubectl("get", "service", "game-server", "-n", NAMESPACE, "-o", "json", plane=laptop.plane))
    url = f"http://{service['spec']['clusterIP']}:8080/"
    command = [*laptop.plane.real_node.in_network(), sys.executable, str(ROOT / "tests" / "e2e" / "steady.py"), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        try:
            time.sleep(2)
            kubectl("rollout", "restart", "deployment/game-server", "-n", NAMESPACE, plane=laptop.plane)
            rolled_out(laptop, "deployment/game-server")
            time.sleep(10)  # the last of the old pods stops
        finally:
            client.send_signal(signal.SIGTERM)
            output, _ = client.communicate(timeout=30)
    said = json.loads(output)
    record_property("requests during the rollout of a service", said["sent"])
    print(f"rollout of a service: {said['sent']} requests, {len(said['failures'])} failed")
    assert said["failures"] == []
    assert said["sent"] > 100


def test_the_master_is_killed(laptop: LocalStack, writers: Writers, record_property: Any) -> None:
    """SIGKILL, at the node; the kubelet starts the container again."""

    def master() -> str:
        client = 'REDISCLI_AUTH=$INTERNAL_PASSWORD redis-cli --user health -p "$SENTINEL_PORT"'
        ask = f'{client} sentinel get-master-addr-by-name "$MASTER"'
        words = ("exec", "redis-sentinel-0", "-n", NAMESPACE, "--", "sh", "-c", ask)
        return kubectl(*words, plane=laptop.plane).partition(".")[0]

    with interrupted(writers, CRASH, record_property, "crash"):
        outages.process(laptop, "redis-server", master()).kill()
        time.sleep(15)
        rolled_out(laptop, *REDIS)


def test_dns_is_away(laptop: LocalStack, writers: Writers, record_property: Any) -> None:
    """Stopped, so that questions find no answer. Who dials anew by a name needs it; a connection that is there goes on."""
    dns = outages.process(laptop, "coredns")
    with interrupted(writers, PLANNED, record_property, "without DNS", ("kept",)):
        dns.suspend()
        try:
            time.sleep(AWAY)
        finally:
            dns.resume()
        time.sleep(10)
