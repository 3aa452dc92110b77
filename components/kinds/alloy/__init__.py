"""Alloy: reads the log of every container and sends it to Loki."""

from __future__ import annotations

from typing import Any

from components.core.backend import Backend, Pod
from components.core.object_factory import Depends
from components.core.pods import TEMPORARY
from config.kinds import Alloy as Declared
from config.kinds import Loki

from .configuration import configuration

UID = 473
"""The user ``alloy`` of the official image."""
CONFIG, DATA = "/etc/alloy", "/var/lib/alloy"


def rights() -> list[Any]:
    """Returns the rights to list the namespace's pods and to read their logs."""
    return [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
    ]


class Alloy(Backend):
    """One instance for the namespace; it reads logs through the API, because ``restricted`` refuses volumes of the node."""

    resource_type = "understudy:alloy:Alloy"
    component: Declared

    def before(self) -> Depends:
        return self.objects.rights(rights())

    def pod(self) -> Pod:
        ((used, loki),) = self.used(Loki).items()
        url = f"http://{loki.host(used, self.namespace)}:{loki.port()}"
        listens = self.component.ports()["http"]
        return Pod(
            uid=UID,
            ready={"httpGet": {"path": "/-/ready", "port": "http"}},
            args=[
                "run",
                f"{CONFIG}/config.alloy",
                f"--storage.path={DATA}",
                f"--server.http.listen-addr=0.0.0.0:{listens}",
                "--disable-reporting",
            ],
            files={"config.alloy": configuration(self.namespace, url)},
            config=CONFIG,
            writable=[DATA, TEMPORARY],
        )
