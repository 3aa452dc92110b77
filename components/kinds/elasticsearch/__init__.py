"""Elasticsearch: a single node that stores logs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from components.core.backend import Backend, Pod
from components.core.object_factory import Depends
from components.core.pods import TEMPORARY, TRUST, mounts
from components.core.rendered import as_yaml
from config.kinds import Elasticsearch as Declared

from .configuration import READINESS, Configuration, requests

UID = 1000
"""The user ``elasticsearch`` of the official image."""
HOME = "/usr/share/elasticsearch"
SETUP = (Path(__file__).parent / "setup.sh").read_text(encoding="utf-8")


class Elasticsearch(Backend):
    """The node, and a Job that sets passwords of its users and the lifecycle of logs.

    The configuration folder has to be writable, because the keystore is created in it, and the container's file system is
    not: the folder is copied into a volume.
    """

    resource_type = "understudy:elasticsearch:Elasticsearch"
    component: Declared

    def before(self) -> Depends:
        self.certificate = self.context.certificates.issue(f"{self.name}-tls", self.name, self.name, [self.name])
        return [self.certificate.resource]

    def pod(self) -> Pod:
        store, config = self.component, f"{HOME}/config"
        image = f"{store.image}:{store.version}"
        copied = self.objects.container(
            self.name,
            "configuration",
            image,
            command=["/bin/sh", "-ec", f"cp -r {config}/. /config/"],
            volumeMounts=mounts({"config": "/config"}),
        )
        certificate = {"secretName": f"{self.name}-tls", "defaultMode": 0o440}
        return Pod(
            uid=UID,
            ready={"tcpSocket": {"port": READINESS}},
            secret_env={"ELASTIC_PASSWORD": store.password},
            files={"elasticsearch.yml": as_yaml(Configuration(cluster=self.name))},
            config=config,
            single_files=True,
            data=f"{HOME}/data",
            writable=[f"{HOME}/logs", TEMPORARY],
            volumes=[{"name": "config", "emptyDir": {}}, {"name": "certs", "secret": certificate}],
            mounts=[*mounts({"config": config}), *mounts({"certs": f"{config}/certs"}, ["certs"])],
            init=[copied],
            slow=True,
            grace=120,  # time to flush shards
        )

    def annotations(self) -> dict[str, Any]:
        return {"understudy.dev/certificate": self.certificate.fingerprint}

    def after(self) -> None:
        store, name = self.component, self.name
        env = {
            "URL": f"https://{store.host(name, self.namespace)}:{store.port()}",
            "CA": f"{TRUST}/ca-{name}/ca.crt",
            "STREAM": store.stream,
        }
        passwords = {
            "PASSWORD": store.password,
            "KIBANA_PASSWORD": store.kibana_password,
            "WRITER_PASSWORD": store.writer_password,
            "READER_PASSWORD": store.reader_password,
        }
        trust = {name: self.certificate.secret}
        self.setup(SETUP, requests(store), env, passwords, [self.certificate.resource], trust)
