"""A CockroachDB cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi

from components.core.certificates import Issued
from components.core.context import BuildContext
from components.core.labels import selector
from components.core.object_factory import ObjectFactory
from components.core.pods import field, mounts, pause, probe, security, variables
from components.core.sql import identifier
from config.kinds import CockroachDB as Declared
from config.system import Resolved

from .statements import as_file, schedules, statements

UID = 1000
"""The image has no user of its own; its documented manifests use this one."""
CERTS = "/cockroach/certs"
SETUP = (Path(__file__).parent / "setup.sh").read_text(encoding="utf-8")


class CockroachDB(pulumi.ComponentResource):
    """Nodes with a volume each in secure mode, Services, and a Job that sets up what the declaration says.

    The Job runs beside the nodes, not after them: they are not Ready before it has initialised the cluster.
    """

    def __init__(
        self,
        name: str,
        store: Declared,
        context: BuildContext,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("understudy:cockroachdb:CockroachDB", name, None, opts)
        resolved, certificates, secrets = context.resolved, context.certificates, context.secrets
        namespace = resolved.environment.namespace
        objects = ObjectFactory(self, resolved, name)
        node = certificates.issue(f"{name}-tls", "node", name, [f"{name}-public", f"*.{name}"])
        root = certificates.issue(f"{name}-root-tls", "root", name)
        account = objects.account(store.service_account_annotations)
        listens = store.ports()
        nodes = selector(name, "node")
        same = {port: (number, number) for port, number in listens.items()}
        headless = objects.service(name, same, nodes, headless=True)
        claims = objects.claims()
        members = objects.statefulset(
            name,
            name,
            _node(name, resolved, store, node, objects),
            [account, headless, objects.disruption(name), node.resource, *claims],
            {"understudy.dev/certificate": node.fingerprint},
        )
        data = {
            "setup.sh": SETUP,
            "statements.sql": as_file(statements(store)),
            "schedules.sql": as_file(schedules(store)),
        }
        files = objects.files(f"{name}-setup", data)
        setup = _setup(name, namespace, store, root, objects)
        content = [data, secrets.checksums(store.secrets_read())]
        objects.job(f"{name}-setup", setup, content, [account, headless, root.resource, node.resource, files])
        objects.service(store.service_name(name), same, nodes, [members])
        self.register_outputs({"host": store.host(name, namespace), "port": store.port()})


def _nodes(name: str, namespace: str, nodes: int) -> list[str]:
    return [f"{name}-{index}.{name}.{namespace}.svc.cluster.local" for index in range(nodes)]


def start(name: str, namespace: str, region: str, nodes: int) -> list[str]:
    """The node's command; flags as documented for v23.1 (https://www.cockroachlabs.com/docs/v23.1/cockroach-start)."""
    return [
        "cockroach",
        "start",
        f"--certs-dir={CERTS}",
        f"--advertise-addr=${{POD}}.{name}.{namespace}.svc.cluster.local",
        "--listen-addr=:26257",
        "--http-addr=:8080",
        f"--join={','.join(_nodes(name, namespace, nodes))}",
        # Kubernetes 1.35 and later label a pod with its node's zone; older versions have no label, and a tier needs a value
        f"--locality=region={region},zone=${{ZONE:-unknown}},node=${{NODE}}",
        "--store=path=/cockroach/cockroach-data",
        "--cache=.25",
        "--max-sql-memory=.25",
        "--logtostderr=INFO",
    ]


def _certificates(secret: str, files: dict[str, str]) -> Any:
    """Returns the certificates under the file names that CockroachDB expects."""
    items = [{"key": key, "path": path} for key, path in files.items()]
    return {"name": "secret", "secret": {"secretName": secret, "defaultMode": 0o440, "items": items}}


def _copied(objects: ObjectFactory, workload: str, image: str) -> Any:
    """Returns the container that copies keys, because CockroachDB refuses a key that its group can read."""
    command = f"cp /secret/* {CERTS}/ && chmod 0400 {CERTS}/*.key"
    paths = mounts({"secret": "/secret", "certs": CERTS}, ["secret"])
    run = ["/bin/sh", "-ec", command]
    return objects.container(workload, "certificates", image, command=run, volumeMounts=paths)


def _memory() -> Any:
    return {"emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}


def _node(name: str, resolved: Resolved, store: Declared, node: Issued, objects: ObjectFactory) -> Any:
    image = f"{store.image}:{store.version}"
    settings = resolved.environment
    command = " ".join(start(name, settings.namespace, settings.cluster.region, store.nodes))
    health = {"port": "http", "scheme": "HTTPS"}
    files = {"ca.crt": "ca.crt", "tls.crt": "node.crt", "tls.key": "node.key"}
    return {
        "securityContext": security(UID),
        "terminationGracePeriodSeconds": 300,
        "initContainers": [_copied(objects, name, image)],
        "containers": [
            objects.container(
                name,
                name,
                image,
                command=["/bin/sh", "-ec", f"exec {command}"],
                workingDir="/cockroach",
                env=[
                    field("POD", "metadata.name"),
                    field("NODE", "spec.nodeName"),
                    field("ZONE", "metadata.labels['topology.kubernetes.io/zone']"),
                    {"name": "COCKROACH_CHANNEL", "value": "kubernetes-secure"},
                ],
                volumeMounts=mounts(
                    {"data": "/cockroach/cockroach-data", "certs": CERTS, "temporary": "/tmp"},  # noqa: S108 - in the container
                    ["certs"],
                ),
                readinessProbe=probe(period=5, failures=2, httpGet={"path": "/health?ready=1", **health}),
                livenessProbe=probe(period=5, failures=6, httpGet={"path": "/health", **health}),
                startupProbe=probe(period=5, failures=60, httpGet={"path": "/health", **health}),
                # the node drains at the stop signal (https://www.cockroachlabs.com/docs/v23.1/node-shutdown)
                lifecycle=pause(),
            )
        ],
        "volumes": [
            _certificates(node.secret, files),
            {"name": "certs", **_memory()},
            {"name": "temporary", "emptyDir": {}},
        ],
    }


def _setup(name: str, namespace: str, store: Declared, root: Issued, objects: ObjectFactory) -> Any:
    image = f"{store.image}:{store.version}"
    assert store.user is not None
    plain = {
        "CERTS": CERTS,
        "STATEMENTS": "/setup",
        "NODES": " ".join(_nodes(name, namespace, store.nodes)),
        "USER_IDENTIFIER": identifier(store.user),
        "COCKROACH_CHANNEL": "kubernetes-secure",
    }
    files = {"ca.crt": "ca.crt", "tls.crt": "client.root.crt", "tls.key": "client.root.key"}
    paths = {"certs": CERTS, "setup": "/setup", "temporary": "/tmp"}  # noqa: S108 - in the container
    return {
        "securityContext": security(UID),
        "initContainers": [_copied(objects, f"{name}-setup", image)],
        "containers": [
            objects.container(
                f"{name}-setup",
                "setup",
                image,
                command=["/bin/sh", "/setup/setup.sh"],
                workingDir="/cockroach",
                env=variables(plain, {"PASSWORD": store.password, "LICENCE": store.licence}),
                volumeMounts=mounts(paths, ["certs", "setup"]),
            )
        ],
        "volumes": [
            _certificates(root.secret, files),
            {"name": "certs", **_memory()},
            {"name": "setup", "configMap": {"name": f"{name}-setup"}},
            {"name": "temporary", "emptyDir": {}},
        ],
    }
