"""Loki: stores logs."""

from __future__ import annotations

from components.core.backend import Backend, Pod
from components.core.pods import TEMPORARY
from components.core.rendered import as_yaml
from config.kinds import Loki as Declared

from .configuration import configuration

UID = 10001
"""The user ``loki`` of the official image."""
CONFIG, DATA = "/etc/loki", "/loki"


class Loki(Backend):
    """A single binary with its data on a volume."""

    resource_type = "understudy:loki:Loki"
    component: Declared

    def pod(self) -> Pod:
        return Pod(
            uid=UID,
            ready={"httpGet": {"path": "/ready", "port": "http"}},
            args=[f"-config.file={CONFIG}/loki.yml", "-target=all"],
            files={"loki.yml": as_yaml(configuration(self.component, DATA))},
            config=CONFIG,
            data=DATA,
            writable=[TEMPORARY],
            slow=True,
            grace=120,  # time to write chunks from memory
        )
