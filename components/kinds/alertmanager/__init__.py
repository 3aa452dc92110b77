"""Alertmanager: sends notifications."""

from __future__ import annotations

import pulumi

from components.core.backend import Backend, Pod
from components.core.rendered import as_yaml
from config.kinds import Alertmanager as Declared

from .configuration import SECRETS, configuration

UID = 65534
"""User ID of ``nobody`` in the official image."""
CONFIG, DATA = "/etc/alertmanager/config", "/alertmanager"


class Alertmanager(Backend):
    """A receiver without its secret is left out, with a warning."""

    resource_type = "understudy:alertmanager:Alertmanager"
    component: Declared

    def pod(self) -> Pod:
        receivers = self.component.receivers()
        available = {receiver: key for receiver, key in receivers.items() if self.context.secrets.has(key)}
        for receiver in sorted(receivers.keys() - available.keys()):
            key = receivers[receiver]
            pulumi.warn(
                f"{self.name}: {receiver} is told of nothing, because the stack gives no value for {key.key!r} of secret "
                f"{key.secret!r}; pulumi config set --secret --path 'understudy:given.{key.secret}.{key.key}'",
                self,
            )
        file = configuration(self.component, available)
        sources = [
            {"secret": {"name": key.secret, "items": [{"key": key.key, "path": key.key}]}} for key in available.values()
        ]
        return Pod(
            uid=UID,
            ready={"httpGet": {"path": "/-/ready", "port": "http"}},
            alive={"httpGet": {"path": "/-/healthy", "port": "http"}},
            args=[
                f"--config.file={CONFIG}/alertmanager.yml",
                f"--storage.path={DATA}",
                "--cluster.listen-address=",  # a single instance needs no gossip
            ],
            files={"alertmanager.yml": as_yaml(file)},
            config=CONFIG,
            data=DATA,
            volumes=[{"name": "secrets", "projected": {"sources": sources, "defaultMode": 0o440}}] if sources else [],
            mounts=[{"name": "secrets", "mountPath": SECRETS, "readOnly": True}] if sources else [],
            secrets=sorted({key.secret for key in available.values()}),
        )
