"""Logstash: receives logs and normalises their fields."""

from __future__ import annotations

from components.core.backend import Backend, Pod
from components.core.pods import TEMPORARY, TRUST
from components.core.rendered import as_yaml
from config.kinds import Elasticsearch
from config.kinds import Logstash as Declared

from .configuration import Settings, pipeline

UID = 1000
"""The user ``logstash`` of the official image."""
HOME = "/usr/share/logstash"


class Logstash(Backend):
    """One pipeline, into the Elasticsearch that it uses."""

    resource_type = "understudy:logstash:Logstash"
    component: Declared

    def pod(self) -> Pod:
        ((used, store),) = self.used(Elasticsearch).items()
        host = store.host(used, self.namespace)
        return Pod(
            uid=UID,
            # known when the pipeline runs; the API itself responds earlier
            # (https://www.elastic.co/guide/en/logstash/8.11/node-info-api.html)
            ready={"httpGet": {"path": "/_node/pipelines/main", "port": "api"}},
            alive={"httpGet": {"path": "/", "port": "api"}},
            secret_env={"WRITER_PASSWORD": store.writer_password},
            files={
                "logstash.yml": as_yaml(Settings()),
                "logstash.conf": pipeline(self.component, host, store, f"{TRUST}/ca-{used}/ca.crt"),
            },
            config=HOME,
            paths={"logstash.yml": "config/logstash.yml", "logstash.conf": "pipeline/logstash.conf"},
            single_files=True,
            writable=[f"{HOME}/data", f"{HOME}/logs", TEMPORARY],
            trust=[used],
            secrets=[store.writer_password.secret],
            slow=True,
            grace=120,  # the input closes, and queued events are sent to Elasticsearch
        )
