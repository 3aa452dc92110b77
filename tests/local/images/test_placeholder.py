"""The placeholder as a process, against real stores: what it says while they are away, and what it does when it is stopped."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Iterator
from concurrent import futures
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from components.core.issuing import authority
from local.builds import ensure
from local.images.programs import PLACEHOLDER
from tests.components.kinds.test_postgresql_server import cluster  # noqa: F401 - a fixture
from tests.components.postgresql_servers import APP, STORE, Cluster
from tests.servers import Server, network, require, until

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("placeholder")]
PASSWORD = "secret: it's 100%"
PROBES = [
    {"port": 0, "path": "/health/ready", "ready": True},
    {"port": 0, "path": "/health/live", "ready": False},
]


@pytest.fixture(scope="session")
def program() -> Path:
    ensure(PLACEHOLDER)
    return PLACEHOLDER.program("placeholder")


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Placeholder(Server):
    """A placeholder with two ports of its own."""

    def __init__(self, program: Path, folder: Path, environment: dict[str, str], **config: Any) -> None:
        self.http, metrics = _port(), _port()
        known = {
            "image": "registry.test/shop:1",
            "ports": [{"name": "http", "number": self.http}, {"name": "metrics", "number": metrics}],
            "probes": [{**probe, "port": self.http} for probe in PROBES],
            **config,
        }
        file = folder / "config.json"
        file.write_text(json.dumps(known))
        self.url, self.metrics = f"http://127.0.0.1:{self.http}", f"http://127.0.0.1:{metrics}/metrics"
        told = {"PLACEHOLDER_CONFIG": str(file), "PLACEHOLDER_DRAIN": "1s", "OTEL_SERVICE_NAME": "shop", **environment}
        super().__init__([str(program)], told, folder / "placeholder.log")

    def code(self, path: str) -> int:
        return httpx.get(self.url + path).status_code

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(self.url + "/status").json()
        return found

    def backend(self, name: str) -> dict[str, Any]:
        return next(each for each in self.status()["backends"] if each["name"] == name)

    def ready(self) -> bool:
        return self.code("/health/ready") == httpx.codes.OK

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines()]


class Redis(Server):
    def __init__(self, folder: Path) -> None:
        require("redis-server")
        self.host = network(6379)(11)
        options = ["--bind", self.host, "--requirepass", PASSWORD, "--save", "", "--dir", str(folder)]
        super().__init__(["redis-server", *options], {}, folder / "redis.log")

    def told(self) -> dict[str, str]:
        return {"CACHE_HOST": self.host, "CACHE_PORT": "6379", "CACHE_PASSWORD": PASSWORD}

    def ask(self, *words: str) -> bytes:
        with socket.create_connection((self.host, 6379), 5) as connection:
            for each in (("AUTH", PASSWORD), words):
                parts = b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in each)
                connection.sendall(b"*%d\r\n" % len(each) + parts)
                answer = connection.recv(4096)
        return answer


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def placeholders(program: Path, tmp_path: Path) -> Iterator[Any]:
    made: list[Placeholder] = []

    def start(environment: dict[str, str], **config: Any) -> Placeholder:
        folder = tmp_path / f"placeholder-{len(made)}"
        folder.mkdir()
        made.append(Placeholder(program, folder, environment, **config))
        made[-1].start()
        until(lambda: made[-1].code("/health/live") == httpx.codes.OK, 15, made[-1].text)
        return made[-1]

    yield start
    for each in made:
        each.kill()


def test_it_is_ready_only_while_the_store_answers(redis: Redis, placeholders: Any) -> None:
    shop = placeholders(redis.told())
    assert not shop.ready()
    assert shop.code("/health/live") == httpx.codes.OK
    assert shop.backend("cache")["state"] == "silent"
    redis.start()
    until(shop.ready, 15, shop.text)
    assert shop.backend("cache") | {"since": ""} == {
        "name": "cache",
        "host": redis.host,
        "port": "6379",
        "protocol": "redis",
        "state": "answers",
        "since": "",
    }
    redis.kill()
    until(lambda: not shop.ready(), 15, shop.text)
    assert shop.code("/health/live") == httpx.codes.OK
    redis.start()
    until(shop.ready, 15, shop.text)
    assert {line["msg"] for line in shop.lines()} >= {"serving", "backend answers", "backend does not answer"}


def test_a_wrong_password_is_said_and_never_shown(redis: Redis, placeholders: Any) -> None:
    redis.start()
    shop = placeholders({**redis.told(), "CACHE_PASSWORD": "not-the-password"})
    until(lambda: "WRONGPASS" in shop.backend("cache").get("reason", ""), 15, shop.text)
    assert not shop.ready()
    assert "not-the-password" not in shop.text() + json.dumps(shop.status())


def test_a_password_from_a_file(redis: Redis, placeholders: Any, tmp_path: Path) -> None:
    redis.start()
    (tmp_path / "password").write_text(PASSWORD + "\n")
    told = {name: value for name, value in redis.told().items() if name != "CACHE_PASSWORD"}
    shop = placeholders({**told, "CACHE_PASSWORD_FILE": str(tmp_path / "password")})
    until(shop.ready, 15, shop.text)


def test_postgresql_is_asked_with_tls_that_is_verified(cluster: Cluster, placeholders: Any, tmp_path: Path) -> None:  # noqa: F811
    told = {
        "DB_HOST": cluster.hosts[0],
        "DB_PORT": "5432",
        "DB_USER": "shop",
        "DB_PASSWORD": APP,
        "DB_DATABASE": STORE.database,
        "DB_CA_FILE": str(cluster.certs / "ca.crt"),
    }
    shop = placeholders(told)
    until(shop.ready, 15, shop.text)
    assert shop.backend("db")["protocol"] == "postgres"
    sessions = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND query = 'SELECT 1'"
    [(connections,)] = cluster.query(sessions)
    assert connections == 1
    other = authority("another", 3600)
    (tmp_path / "other.crt").write_text(other["certificate"])
    wrong = placeholders({**told, "DB_CA_FILE": str(tmp_path / "other.crt")})
    until(lambda: "certificate" in wrong.backend("db").get("reason", ""), 15, wrong.text)
    assert not wrong.ready()
    wrong = placeholders({**told, "DB_PASSWORD": "not-the-password"})
    until(lambda: "password authentication failed" in wrong.backend("db").get("reason", ""), 15, wrong.text)
    assert "not-the-password" not in wrong.text() + json.dumps(wrong.status())


def test_what_cannot_answer_is_not_asked_and_named(placeholders: Any) -> None:
    services = {
        "store.shop.svc.cluster.local": {"ports": {"26257": "sql"}, "simulated": "its pods are simulated: no image"},
    }
    told = {"STORE_HOST": "store.shop.svc.cluster.local", "STORE_PORT": "26257", "MAIL_HOST": "mail.example.com"}
    shop = placeholders(told, services=services)
    assert shop.ready()
    assert shop.backend("store")["state"] == "not asked"
    assert shop.backend("store")["reason"] == "simulated: its pods are simulated: no image"
    assert shop.backend("mail")["reason"] == "outside the cluster"
    assert sum(line["msg"] == "backend not asked" for line in shop.lines()) == 2


def test_the_declared_metrics(placeholders: Any) -> None:
    declared = {
        "requests_total": {"type": "counter", "help": "Requests answered"},
        "request_seconds": {"type": "histogram", "help": "Time to answer"},
        "players": {"type": "gauge", "help": "Players connected"},
    }
    shop = placeholders({}, metrics=declared)
    assert httpx.get(f"{shop.url}/any/path").json() == {"path": "/any/path", "placeholder": "registry.test/shop:1"}
    text = httpx.get(shop.metrics).text
    assert 'requests_total{code="200",method="GET"} 1\n' in text
    assert 'request_seconds_count{code="200",method="GET"} 1\n' in text
    assert "\nplayers NaN\n" in text


def test_a_stop_fails_no_request(placeholders: Any) -> None:
    shop = placeholders({"PLACEHOLDER_DRAIN": "5s"})
    codes: list[int] = []
    stop = threading.Event()

    def send_requests() -> None:
        with httpx.Client() as client:
            while not stop.is_set():
                codes.append(client.get(shop.url).status_code)

    thread = threading.Thread(target=send_requests)
    thread.start()
    until(lambda: len(codes) > 10, 15, shop.text)
    shop.process.send_signal(signal.SIGTERM)
    until(lambda: shop.code("/health/ready") == httpx.codes.SERVICE_UNAVAILABLE, 5, shop.text)
    stop.set()
    thread.join(5)
    assert set(codes) == {httpx.codes.OK}
    assert shop.process.wait(10) == 0
    assert [line["msg"] for line in shop.lines()][-2:] == ["stopping", "stopped"]


def test_a_stop_closes_no_connection_before_its_next_answer(placeholders: Any) -> None:
    shop = placeholders({"PLACEHOLDER_DRAIN": "5s"})
    connection = HTTPConnection("127.0.0.1", shop.http)
    connection.request("GET", "/")
    assert connection.getresponse().read() != b""
    shop.process.send_signal(signal.SIGTERM)
    until(lambda: shop.code("/health/ready") == httpx.codes.SERVICE_UNAVAILABLE, 5, shop.text)
    assert connection.sock is not None
    connection.request("GET", "/")
    response = connection.getresponse()
    assert response.status == httpx.codes.OK
    assert response.getheader("Connection") == "close"


def test_the_writer_counts_outages_and_lost_writes(redis: Redis, placeholders: Any) -> None:
    redis.start()
    shop = placeholders({**redis.told(), "PLACEHOLDER_WRITER": "cache"})
    until(lambda: shop.status()["writer"]["acknowledged"] > 10, 20, shop.text)
    redis.process.send_signal(signal.SIGSTOP)
    until(lambda: shop.status()["writer"]["outages"] != [], 20, shop.text)
    redis.process.send_signal(signal.SIGCONT)
    until(lambda: {each["over"] for each in shop.status()["writer"]["outages"]} == {True}, 20, shop.text)
    writer = shop.status()["writer"]
    assert writer["longestOutage"] >= 2
    assert writer["lost"] == 0
    assert redis.ask("FLUSHALL") == b"+OK\r\n"
    until(lambda: shop.status()["writer"]["lost"] > 10, 20, shop.text)


def test_there_is_no_writer_unless_it_is_asked_for(redis: Redis, placeholders: Any) -> None:
    redis.start()
    shop = placeholders(redis.told())
    until(shop.ready, 15, shop.text)
    assert shop.status()["writer"] is None
    assert redis.ask("DBSIZE") == b":0\r\n"


def test_traces_are_exported_and_grpc_probes_answered(placeholders: Any) -> None:
    calls: list[bytes] = []

    class Collector(grpc.GenericRpcHandler):
        def service(self, handler_call_details: Any) -> Any:
            if not handler_call_details.method.endswith("TraceService/Export"):
                return None
            return grpc.unary_unary_rpc_method_handler(self.export)

        def export(self, request: bytes, _: Any) -> bytes:
            calls.append(request)
            return b""

    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((Collector(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        shop = placeholders({"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"})
        until(shop.ready, 15, shop.text)
        assert shop.backend("otel")["protocol"] == "otlp"
        assert calls[0] == b""
        with grpc.insecure_channel(f"127.0.0.1:{shop.http}") as channel:
            check: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
            assert check(b"", timeout=5) == b"\x08\x01"
    finally:
        server.stop(0)
    until(lambda: not shop.ready(), 15, shop.text)


@pytest.mark.parametrize(("arguments", "code"), [(["run", "migrate"], 0), (["run", "other"], 127)])
def test_a_job_ends_once_everything_has_answered(
    program: Path, redis: Redis, tmp_path: Path, arguments: list[str], code: int
) -> None:
    redis.start()
    (tmp_path / "npm").symlink_to(program)
    command = {"program": "/usr/bin/npm", "arguments": ["run", "migrate"], "does": "task"}
    job = Placeholder(program, tmp_path, redis.told(), commands=[command])
    job.command = [str(tmp_path / "npm"), *arguments]
    job.start()
    assert job.process.wait(20) == code
    if code == 0:
        assert job.lines()[-1]["backends"][0]["state"] == "answers"
        assert "was not run" in job.lines()[-1]["msg"]


def test_probes_that_are_commands(program: Path, redis: Redis, placeholders: Any, tmp_path: Path) -> None:
    (tmp_path / "ask").symlink_to(program)
    commands = [{"program": "/bin/ask", "arguments": [does], "does": does} for does in ("ready", "live", "nothing")]
    shop = placeholders(redis.told(), commands=commands)

    def asked(does: str) -> int:
        probe = Server([str(tmp_path / "ask"), does], shop.environment, tmp_path / "ask.log")
        probe.start()
        return int(probe.process.wait(10))

    assert (asked("ready"), asked("live"), asked("nothing")) == (1, 0, 0)
    redis.start()
    until(shop.ready, 15, shop.text)
    assert asked("ready") == 0


def test_a_configuration_that_is_no_json_is_said(program: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    server = Server([str(program)], {"PLACEHOLDER_CONFIG": str(tmp_path / "config.json")}, tmp_path / "log")
    server.start()
    assert server.process.wait(10) == 2
    assert "placeholder: unexpected end of JSON" in server.text()
    assert "goroutine" not in server.text()
