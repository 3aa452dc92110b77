"""Kibana: log search."""

from __future__ import annotations

from pathlib import Path

from components.core.backend import Backend, Pod
from components.core.pods import TEMPORARY, TRUST
from components.core.rendered import as_yaml
from config.kinds import Elasticsearch
from config.kinds import Kibana as Declared

from .configuration import Configuration, data_view

UID = 1000
"""The user ``kibana`` of the official image."""
HOME = "/usr/share/kibana"
SETUP = (Path(__file__).parent / "setup.sh").read_text(encoding="utf-8")


class Kibana(Backend):
    """Kibana, and a Job that creates the data view of the logs."""

    resource_type = "understudy:kibana:Kibana"
    component: Declared

    def pod(self) -> Pod:
        ((used, store),) = self.used(Elasticsearch).items()
        file = Configuration(
            elasticsearch=(f"https://{store.host(used, self.namespace)}:{store.port()}",),
            authorities=(f"{TRUST}/ca-{used}/ca.crt",),
        )
        key = self.component.encryption_key
        return Pod(
            uid=UID,
            ready={"httpGet": {"path": "/login", "port": "http"}},
            secret_env={"KIBANA_PASSWORD": store.kibana_password, "ENCRYPTION_KEY": key},
            files={"kibana.yml": as_yaml(file)},
            config=f"{HOME}/config",
            writable=[f"{HOME}/data", TEMPORARY],
            trust=[used],
            secrets=sorted({store.kibana_password.secret, key.secret}),
            slow=True,
        )

    def after(self) -> None:
        ((_, store),) = self.used(Elasticsearch).items()
        env = {"URL": f"http://{self.component.host(self.name, self.namespace)}:{self.component.port()}"}
        self.setup(SETUP, {"view.json": data_view(store.stream)}, env, {"PASSWORD": store.password})
