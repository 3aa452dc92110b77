"""A RabbitMQ cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi

from components.core.certificates import Issued
from components.core.configuration import checksum
from components.core.context import BuildContext
from components.core.labels import selector
from components.core.object_factory import ObjectFactory
from components.core.pods import before_stop, field, mounts, probe, security, variables
from config.kinds import RabbitMQ as Declared

from .configuration import ENABLED_PLUGINS, definitions, rabbitmq_conf

UID = 999
"""The user ``rabbitmq`` of the official image."""
CONFIG, CERTS, RUN, DATA = "/etc/rabbitmq-cluster", "/etc/rabbitmq-tls", "/run/rabbitmq", "/var/lib/rabbitmq"
SETTLED = 15
"""Seconds that a replaced node is Ready before the next one is stopped: its queues catch up."""
SCRIPT = (Path(__file__).parent / "rabbitmq.sh").read_text(encoding="utf-8")


def members(name: str, namespace: str, nodes: int) -> list[str]:
    """Returns the Erlang names of the nodes: ``rabbit@`` and the pod's host name."""
    return [f"rabbit@{name}-{index}.{name}-nodes.{namespace}.svc.cluster.local" for index in range(nodes)]


def environment(config: str, data: str) -> dict[str, str]:
    """Returns the variables of a node's scripts and tools, without its own name and the cookie."""
    return {"CONFIG": config, "DATA": data, "HOME": data, "RABBITMQ_USE_LONGNAME": "true"}


class RabbitMQ(pulumi.ComponentResource):
    """Nodes with a volume each, Services, and a Job that creates users and queues when all nodes are members."""

    def __init__(
        self,
        name: str,
        store: Declared,
        context: BuildContext,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("understudy:rabbitmq:RabbitMQ", name, None, opts)
        self._name, self._store, self._namespace = name, store, context.resolved.environment.namespace
        self._objects = objects = ObjectFactory(self, context.resolved, name)
        nodes_by_name = members(name, self._namespace, store.nodes)
        certificate = context.certificates.issue(f"{name}-tls", name, name, [name, f"*.{name}-nodes"])
        node_files = {
            "rabbitmq.conf": rabbitmq_conf(store, nodes_by_name, CERTS),
            "enabled_plugins": ENABLED_PLUGINS,
            "rabbitmq.sh": SCRIPT,
        }
        setup_files = {"definitions.json": definitions(store), "rabbitmq.sh": SCRIPT}
        listens = {port: (number, number) for port, number in store.ports().items()}
        nodes = selector(name, "node")
        account = objects.account(store.service_account_annotations)
        ready = [account, certificate.resource, objects.files(name, node_files), *objects.claims()]
        headless = objects.service(f"{name}-nodes", listens, nodes, headless=True)
        cookies = context.secrets.checksums([store.cookie.secret]) if store.cookie else {}
        annotations = {
            "understudy.dev/configuration": checksum(node_files),
            "understudy.dev/certificate": certificate.fingerprint,
            "understudy.dev/secrets": checksum(cookies),
        }
        statefulset = objects.statefulset(
            name,
            f"{name}-nodes",
            self._node(certificate),
            [*ready, headless, objects.disruption(name)],
            annotations,
            min_ready_seconds=SETTLED,
        )
        content = [setup_files, context.secrets.checksums(store.secrets_read())]
        files = objects.files(f"{name}-setup", setup_files)
        objects.job(f"{name}-setup", self._setup(nodes_by_name), content, [account, headless, files, statefulset])
        objects.service(name, {"amqps": listens["amqps"]}, nodes, [statefulset])
        self.register_outputs({"host": store.host(name, self._namespace), "port": store.port()})

    def _node(self, certificate: Issued) -> Any:
        store, name = self._store, self._name
        suffix = f"{name}-nodes.{self._namespace}.svc.cluster.local"
        places = {"files": CONFIG, "certs": CERTS, "data": DATA, "temporary": "/tmp"}  # noqa: S108 - in the container
        return {
            "securityContext": security(UID),
            "terminationGracePeriodSeconds": 180,  # of which the quorum of the queues may take a minute
            "containers": [
                self._objects.container(
                    name,
                    name,
                    f"{store.image}:{store.version}",
                    command=["/bin/sh", f"{CONFIG}/rabbitmq.sh", "start"],
                    env=[
                        field("POD", "metadata.name"),
                        # also set for tools that a person runs in the pod
                        {"name": "RABBITMQ_NODENAME", "value": f"rabbit@$(POD).{suffix}"},
                        *variables(environment(CONFIG, DATA), {"COOKIE": store.cookie}),
                    ],
                    volumeMounts=mounts(places, ["files", "certs"]),
                    # the port opens when the node has joined the cluster, and closes while it sees no majority
                    startupProbe=probe(period=5, failures=120, tcpSocket={"port": "amqps"}),
                    readinessProbe=probe(period=5, failures=2, tcpSocket={"port": "amqps"}),
                    # a node without a majority waits for it; a restart would not help
                    livenessProbe=probe(period=20, failures=6, tcpSocket={"port": "clustering"}),
                    lifecycle=before_stop(f"{CONFIG}/rabbitmq.sh", "stop"),
                )
            ],
            "volumes": [
                {"name": "files", "configMap": {"name": name}},
                {"name": "certs", "secret": {"secretName": certificate.secret, "defaultMode": 0o440}},
                {"name": "temporary", "emptyDir": {}},
            ],
        }

    def _setup(self, nodes: list[str]) -> Any:
        store, name = self._store, f"{self._name}-setup"
        plain = {
            "CONFIG": CONFIG,
            "RUN": RUN,
            "NODES": " ".join(nodes),
            "CLIENT": store.user,
            "RABBITMQ_USE_LONGNAME": "true",
        }
        secret = {"COOKIE": store.cookie, "PASSWORD": store.password}
        places = {"files": CONFIG, "run": RUN, "temporary": "/tmp"}  # noqa: S108 - in the container
        return {
            "securityContext": security(UID),
            "containers": [
                self._objects.container(
                    name,
                    "setup",
                    f"{store.image}:{store.version}",
                    command=["/bin/sh", f"{CONFIG}/rabbitmq.sh", "setup"],
                    env=variables(plain, secret),
                    volumeMounts=mounts(places, ["files"]),
                )
            ],
            "volumes": [
                {"name": "files", "configMap": {"name": name}},
                {"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
                {"name": "temporary", "emptyDir": {}},
            ],
        }
