"""RabbitMQ's files and scripts with a real cluster of three nodes on loopback addresses; Debian's version is 3.10."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pika
import pika.exceptions
import pytest

from components.kinds.rabbitmq import SCRIPT, environment
from components.kinds.rabbitmq.configuration import ENABLED_PLUGINS, definitions, rabbitmq_conf
from components.kinds.rabbitmq.monitoring import monitoring
from components.monitoring.subject import Subject
from config.derivation.derive import derive
from config.kinds import RabbitMQ
from config.model.promql import selectors
from tests.servers import Server, network, require, until
from tests.systems import QUEUED, system

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("rabbitmq")]
PROGRAMS = "/usr/lib/rabbitmq/bin"
"""Where Debian keeps the scripts of RabbitMQ itself; those on PATH change the user."""
PASSWORD = 'se"cret\\&|/1'


def free_ports(count: int) -> list[int]:
    """Ports that no process uses now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def loopback(address: str) -> str:
    """Arguments of an Erlang node that listens on this address alone."""
    return f"-kernel inet_dist_use_interface {{{address.replace('.', ',')}}}"


class Cluster:
    """Three nodes that share the loopback interface: Erlang names, addresses and distribution ports are their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        declared = derive(system(*QUEUED), "staging")[0].components["queue"]
        assert isinstance(declared, RabbitMQ)
        self.store = declared
        address = network(5671, 15692)
        self.addresses = [address(11 + index) for index in range(3)]
        self.names = [f"node{index}@{host}" for index, host in enumerate(self.addresses)]
        self.epmd, *self.ports = (str(port) for port in free_ports(4))
        self.certs = folder / "certs"
        self.certs.mkdir()
        names = ",".join(f"IP:{host}" for host in self.addresses)
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=queue"),
                *("-addext", f"subjectAltName={names}", "-keyout", "tls.key", "-out", "tls.crt"),
            ],
            cwd=self.certs,
            check=True,
            capture_output=True,
        )
        shutil.copy(self.certs / "tls.crt", self.certs / "ca.crt")
        self.servers = [self._node(index) for index in range(3)]
        for server in self.servers:
            server.start()

    def environment(self, index: int) -> dict[str, str]:
        home, config = self.folder / f"data-{index}", self.folder / f"config-{index}"
        return {
            **environment(str(config), str(home)),
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "RABBITMQ_NODENAME": self.names[index],
            "RABBITMQ_DIST_PORT": self.ports[index],
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": loopback(self.addresses[index]),
            "RABBITMQ_CTL_ERL_ARGS": loopback(self.addresses[index]),
            "ERL_EPMD_PORT": self.epmd,
            "ERL_EPMD_ADDRESS": ",".join(self.addresses),
            "ERL_EPMD_RELAXED_COMMAND_CHECK": "true",  # it can be ended while it knows names
            "COOKIE": "a-cookie-of-the-test",
        }

    def _node(self, index: int) -> Server:
        home, config = self.folder / f"data-{index}", self.folder / f"config-{index}"
        for path in (home, config):
            path.mkdir()
        text = rabbitmq_conf(self.store, self.names, str(self.certs))
        # on one machine each node listens on an address of its own
        host = self.addresses[index]
        text = text.replace("listeners.ssl.default = 5671", f"listeners.ssl.1 = {host}:5671")
        text += f"prometheus.tcp.ip = {host}\n"
        files = {"rabbitmq.sh": SCRIPT, "rabbitmq.conf": text, "enabled_plugins": ENABLED_PLUGINS}
        files["definitions.json"] = definitions(self.store)
        for name, content in files.items():
            (config / name).write_text(content, encoding="utf-8")
        return Server(
            ["/bin/sh", str(config / "rabbitmq.sh"), "start"], self.environment(index), self.folder / f"{index}.log"
        )

    def setup(self, password: str) -> None:
        """Runs the script of the setup Job."""
        run = self.folder / "run"
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir()
        own = {"RUN": str(run), "NODES": " ".join(self.names), "CLIENT": self.store.user, "PASSWORD": password}
        script = str(self.folder / "config-0" / "rabbitmq.sh")
        result = subprocess.run(
            ["/bin/sh", script, "setup"],
            env={**self.environment(0), **own},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr + self.log()

    def log(self) -> str:
        return "\n".join((self.folder / f"{index}.log").read_text()[-2000:] for index in range(3))

    def connect(self, index: int, password: str, attempts: int = 30) -> pika.BlockingConnection:
        context = ssl.create_default_context(cafile=str(self.certs / "ca.crt"))
        host = self.addresses[index]
        return pika.BlockingConnection(
            pika.ConnectionParameters(
                host,
                5671,
                self.store.virtual_host,
                pika.PlainCredentials(self.store.user, password),
                ssl_options=pika.SSLOptions(context, host),
                connection_attempts=attempts,
                retry_delay=1,
            )
        )

    def tool(self, index: int, *command: str) -> str:
        result = subprocess.run(
            command, env=self.environment(index), capture_output=True, text=True, check=False, timeout=120
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def purge(self, queue: str) -> None:
        self.tool(1, "rabbitmqctl", "-q", "purge_queue", "-p", "app", queue)

    def close(self) -> None:
        for server in self.servers:
            server.kill()
        subprocess.run(["epmd", "-port", self.epmd, "-kill"], capture_output=True, check=False)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    require("rabbitmqctl")
    three_nodes = Cluster(tmp_path_factory.mktemp("rabbitmq"))
    try:
        three_nodes.setup(PASSWORD)
        yield three_nodes
    finally:
        three_nodes.close()


def test_the_setup_makes_the_user_and_queues_on_all_nodes(cluster: Cluster) -> None:
    assert cluster.tool(0, "rabbitmqctl", "-q", "list_users", "--no-table-headers").split() == ["app", "[]"]
    listed = cluster.tool(
        1, "rabbitmqctl", "-q", "list_queues", "-p", "app", "--no-table-headers", "name", "type", "members"
    )
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in listed.strip().splitlines()}
    assert rows.keys() == set(cluster.store.queues)
    for kind, members in rows.values():
        assert kind == "quorum"
        assert all(name in members for name in cluster.names)


def test_clients_need_tls_and_the_password(cluster: Cluster) -> None:
    plain = pika.ConnectionParameters(cluster.addresses[0], 5671, "app", pika.PlainCredentials("app", PASSWORD))
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(plain)
    cluster.connect(0, PASSWORD).close()
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        cluster.connect(0, "wrong", attempts=1)


def test_its_metrics_are_those_that_rules_and_dashboards_read(cluster: Cluster) -> None:
    with cluster.connect(0, PASSWORD) as connection:
        connection.channel().basic_publish("", "orders", b"counted")
        time.sleep(1)
        text = httpx.get(f"http://{cluster.addresses[0]}:15692/metrics").text
    exposed = set(re.findall(r"^(\w+)", text, re.MULTILINE))
    declared = system(*QUEUED)
    resolved, production = (derive(declared, name)[0] for name in ("staging", "production"))
    contributed = monitoring(Subject("queue", resolved.components["queue"], resolved, production))
    expressions = [alert.expr for alert in contributed.alerts]
    expressions += [q.expr for d in contributed.dashboards for row in d.rows for p in row.panels for q in p.queries]
    read = {
        selector.metric
        for expr in expressions
        for selector in selectors(expr.replace("$__rate_interval", "1m").replace("$pod", ".*"))
    }
    assert len(read) > 8
    assert read - exposed == {"up"}


def test_a_rejected_message_goes_to_the_dead_letter_queue(cluster: Cluster) -> None:
    with cluster.connect(1, PASSWORD) as connection:
        channel = connection.channel()
        cluster.purge("failed")
        channel.basic_publish("", "orders", b"poison")
        while True:
            method, _, body = channel.basic_get("orders")
            assert method is not None
            channel.basic_reject(method.delivery_tag, requeue=False)
            if body == b"poison":
                break
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            _, _, body = channel.basic_get("failed", auto_ack=True)
            if body == b"poison":
                return
            time.sleep(0.2)
    raise AssertionError("the message is in no queue")


def test_a_changed_limit_reaches_a_queue_that_exists(cluster: Cluster) -> None:
    listed = cluster.tool(0, "rabbitmqctl", "-q", "list_policies", "-p", "app", "--no-table-headers")
    assert '"delivery-limit":5' in listed
    file = cluster.folder / "config-0" / "definitions.json"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"delivery-limit": 5', '"delivery-limit": 7'), encoding="utf-8")
    cluster.setup(PASSWORD)
    assert '"delivery-limit":7' in cluster.tool(0, "rabbitmqctl", "-q", "list_policies", "-p", "app")


def test_the_setup_gives_a_queue_the_replica_that_it_lacks(cluster: Cluster) -> None:
    cluster.tool(0, "rabbitmq-queues", "-q", "delete_member", "-p", "app", "orders", cluster.names[2])
    members = ("rabbitmqctl", "-q", "list_queues", "-p", "app", "--no-table-headers", "name", "members")

    def row(queue: str) -> str:
        return next(line for line in cluster.tool(0, *members).splitlines() if line.startswith(queue))

    assert cluster.names[2] not in row("orders")
    cluster.setup(PASSWORD)
    assert cluster.names[2] in row("orders")


def test_a_rotation_gives_the_user_another_password(cluster: Cluster) -> None:
    cluster.setup("another-1")
    with cluster.connect(2, "another-1") as connection:
        assert connection.is_open
    cluster.setup(PASSWORD)


def test_confirmed_messages_survive_a_killed_node(cluster: Cluster) -> None:
    with cluster.connect(0, PASSWORD) as connection:
        channel = connection.channel()
        cluster.purge("orders")
        channel.confirm_delivery()
        for number in range(20):
            channel.basic_publish("", "orders", str(number).encode(), mandatory=True)
    cluster.servers[0].kill()
    sent = {str(number).encode() for number in range(20)}
    received: set[bytes] = set()

    def all_received() -> bool:
        with cluster.connect(1, PASSWORD) as connection:  # refused while the queue elects another leader
            channel = connection.channel()
            while received < sent:
                method, _, body = channel.basic_get("orders")
                if method is None:
                    return False
                received.add(body or b"")
                channel.basic_ack(method.delivery_tag)
        return True

    until(all_received, 60, cluster.log)
    assert received == sent
    cluster.servers[0].start()
    cluster.tool(1, "rabbitmqctl", "-q", "await_online_nodes", "3", "--timeout", "90")


def test_a_stop_waits_for_the_majority_and_moves_leaders(cluster: Cluster) -> None:
    cluster.tool(0, "rabbitmqctl", "-q", "await_startup", "--timeout", "60")
    script = str(cluster.folder / "config-0" / "rabbitmq.sh")
    cluster.tool(0, "/bin/sh", script, "stop")
    leaders = cluster.tool(1, "rabbitmqctl", "-q", "list_queues", "-p", "app", "--no-table-headers", "leader")
    assert cluster.names[0] not in leaders
    cluster.tool(0, "rabbitmq-upgrade", "-q", "revive")
