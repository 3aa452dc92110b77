"""PostgreSQL: one node, or a primary and a standby."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi

from components.core.certificates import Issued
from components.core.configuration import checksum
from components.core.context import BuildContext
from components.core.labels import selector
from components.core.object_factory import POD, ObjectFactory
from components.core.pods import before_stop, field, mounts, probe, security, variables
from config.kinds import PostgreSQL as Declared

from .configuration import PG_HBA, PG_IDENT, postgresql_conf, setup_sql

UID = 999
"""The user ``postgres`` of the official image."""
CONFIG, CERTS, RUN, DATA, ARCHIVE = (
    "/etc/postgresql",
    "/etc/postgresql-tls",
    "/run/postgresql",
    "/var/lib/postgresql/data",
    "/var/lib/postgresql/archive",
)
PATIENCE = 15
"""Seconds between two searches of a rotation Job for a primary; on a first start the nodes wait for the Job."""
_HERE = Path(__file__).parent


def files(store: Declared, config: str = CONFIG, certs: str = CERTS, run: str = RUN) -> dict[str, str]:
    """Returns the files of the pods: configuration, SQL and scripts."""
    names = [
        "start.sh",
        "ready.sh",
        "stop.sh",
        "connect.sh",
        "setup.sh",
        *(["archive.sh", "backup.sh"] if store.backup else []),
    ]
    return {
        "postgresql.conf": postgresql_conf(store, config, certs, run),
        "pg_hba.conf": PG_HBA,
        "pg_ident.conf": PG_IDENT,
        **setup_sql(store),
        **{name: (_HERE / name).read_text(encoding="utf-8") for name in names},
    }


class PostgreSQL(pulumi.ComponentResource):
    """PostgreSQL nodes with a volume each, Services, a setup Job, and a CronJob for base backups.

    The setup Job runs beside the nodes: a standby needs the role and the slot that the Job creates. Another Job
    rotates passwords on the primary before the nodes roll.
    """

    def __init__(
        self,
        name: str,
        store: Declared,
        context: BuildContext,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("understudy:postgresql:PostgreSQL", name, None, opts)
        resolved, secrets = context.resolved, context.secrets
        self._name, self._store, self._namespace = name, store, resolved.environment.namespace
        self._objects = objects = ObjectFactory(self, resolved, name)
        listens = store.ports()
        sql = {"sql": (listens["sql"],) * 2}
        certificate = context.certificates.issue(
            f"{name}-tls", name, name, [name, f"{name}-0", f"{name}-standby", f"*.{name}-nodes"]
        )
        data = files(store)
        account = objects.account(store.service_account_annotations)
        nodes = selector(name, "node")
        every = {**sql, "metrics": (listens["metrics"],) * 2}
        headless = objects.service(f"{name}-nodes", every, nodes, headless=True)
        [address] = objects.addresses(name, sql, nodes, 1)
        ready = [account, headless, address, objects.files(name, data), certificate.resource]
        ready += objects.claims()
        annotations = {
            "understudy.dev/configuration": checksum(data),
            "understudy.dev/certificate": certificate.fingerprint,
        }
        passwords = secrets.checksums(store.secrets_read())
        if store.nodes > 1:  # a standby authenticates with the password of its start whenever it reconnects
            annotations["understudy.dev/secrets"] = checksum(passwords)
        content, before = [data, passwords], list(ready)
        if store.nodes > 1:
            before.append(objects.disruption(name))
            if any(secrets.rotation(secret) > 1 for secret in store.secrets_read()):
                rotation = self._helper("rotation", "setup", certificate, {"PATIENCE": str(PATIENCE)})
                before.append(objects.job(f"{name}-rotation", rotation, content, ready))
        members = objects.statefulset(name, f"{name}-nodes", self._node(certificate), before, annotations)
        objects.job(f"{name}-setup", self._helper("setup", "setup", certificate), content, ready)
        objects.service(name, sql, {**nodes, POD: f"{name}-0"}, [members])
        if store.nodes > 1:
            objects.service(f"{name}-standby", sql, {**nodes, POD: f"{name}-1"}, [members])
        if store.backup:
            objects.cronjob(
                f"{name}-backup", store.backup.schedule, self._helper("backup", "backup", certificate), [members]
            )
        self.register_outputs({"host": store.host(name, self._namespace), "port": store.port()})

    def _environment(self, more: Mapping[str, str] | None = None) -> list[Any]:
        store = self._store
        backup = {"ARCHIVE": ARCHIVE, "KEEP": str(store.backup.keep)} if store.backup else {}
        plain = {
            "CONFIG": CONFIG,
            "CERTS": CERTS,
            "RUN": RUN,
            "PGDATA": f"{DATA}/pgdata",
            "PRIMARY": f"{self._name}-0.{self._namespace}.svc.cluster.local",
            "DATABASE": store.database,
            **backup,
            **(more or {}),
        }
        return variables(plain, {"PASSWORD": store.password, "INTERNAL_PASSWORD": store.internal_password})

    def _volumes(self, certificate: Issued) -> list[Any]:
        return [
            {"name": "files", "configMap": {"name": self._name}},
            {"name": "certs", "secret": {"secretName": certificate.secret, "defaultMode": 0o440}},
            {"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
            {"name": "temporary", "emptyDir": {}},
        ]

    def _mounts(self, *more: str) -> list[Any]:
        places = {"files": CONFIG, "certs": CERTS, "run": RUN, "temporary": "/tmp", "data": DATA, "archive": ARCHIVE}  # noqa: S108 - in the container
        names = ["files", "certs", "run", "temporary", *more]
        return mounts({name: places[name] for name in names}, ["files", "certs"])

    def _node(self, certificate: Issued) -> Any:
        store = self._store
        exporter = {"DATA_SOURCE_NAME": f"postgresql:///postgres?host={RUN}&user=metrics&sslmode=disable"}
        shared = {"name": "shared", "emptyDir": {"medium": "Memory", "sizeLimit": "256Mi"}}
        return {
            "securityContext": security(UID),
            "terminationGracePeriodSeconds": 180,  # of which the checkpoint before the stop may take a minute
            "containers": [
                self._objects.container(
                    self._name,
                    self._name,
                    f"{store.image}:{store.version}",
                    command=["/bin/sh", f"{CONFIG}/start.sh"],
                    env=[
                        field("POD", "metadata.name"),
                        {"name": "SELF", "value": f"$(POD).{self._namespace}.svc.cluster.local"},
                        *self._environment(),
                    ],
                    volumeMounts=[
                        *self._mounts("data", *(["archive"] if store.backup else [])),
                        *mounts({"shared": "/dev/shm"}),  # noqa: S108 - in the container
                    ],
                    startupProbe=probe(period=5, failures=240, tcpSocket={"port": "sql"}),
                    readinessProbe=probe(period=5, failures=2, exec={"command": ["/bin/sh", f"{CONFIG}/ready.sh"]}),
                    livenessProbe=probe(period=10, failures=6, tcpSocket={"port": "sql"}),
                    lifecycle=before_stop(f"{CONFIG}/stop.sh"),
                ),
                self._objects.container(
                    self._name,
                    "exporter",
                    f"prometheuscommunity/postgres-exporter:{store.exporter}",
                    env=variables(exporter),
                    volumeMounts=mounts({"run": RUN}, ["run"]),
                    readinessProbe=probe(period=10, failures=3, httpGet={"path": "/", "port": "metrics"}),
                ),
            ],
            "volumes": [*self._volumes(certificate), shared],
        }

    def _helper(self, job: str, task: str, certificate: Issued, more: Mapping[str, str] | None = None) -> Any:
        """Returns a pod that runs one of the scripts; a backup runs where the primary's archive is mounted."""
        backup = task == "backup"
        archive = {"name": "archive", "persistentVolumeClaim": {"claimName": f"archive-{self._name}-0"}}
        primary = {**selector(self._name, "node"), POD: f"{self._name}-0"}
        term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": primary}}
        affinity = {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}
        return {
            "securityContext": security(UID),
            **(affinity if backup else {}),
            "containers": [
                self._objects.container(
                    f"{self._name}-{job}",
                    task,
                    f"{self._store.image}:{self._store.version}",
                    command=["/bin/sh", f"{CONFIG}/{task}.sh"],
                    env=self._environment(more),
                    volumeMounts=self._mounts(*(["archive"] if backup else [])),
                )
            ],
            "volumes": [*self._volumes(certificate), *([archive] if backup else [])],
        }
