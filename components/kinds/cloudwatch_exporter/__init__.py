"""YACE: CloudWatch's metrics of managed stores, for Prometheus."""

from __future__ import annotations

from components.core.backend import Backend, Pod
from components.core.pods import TEMPORARY
from components.core.rendered import as_yaml
from config.kinds import CloudWatchExporter as Declared

from .configuration import configuration

UID = 65534
"""User ID of ``nobody`` in the official image."""
CONFIG = "/etc/yace"


class CloudWatchExporter(Backend):
    """Reads CloudWatch with the role of its service account (Pod Identity)."""

    resource_type = "understudy:cloudwatchexporter:CloudWatchExporter"
    component: Declared

    def pod(self) -> Pod:
        account = self.resolved.environment.account
        assert account is not None, "config.checks.references asks for one"
        port = self.component.ports()["metrics"]
        return Pod(
            uid=UID,
            ready={"httpGet": {"path": "/healthz", "port": "metrics"}},
            args=[
                f"--config.file={CONFIG}/config.yml",
                f"--listen-address=:{port}",
                f"--scraping-interval={self.component.period.seconds}",
            ],
            env={"AWS_REGION": account.region},
            files={"config.yml": as_yaml(configuration(self.component, self.resolved, account.region))},
            config=CONFIG,
            writable=[TEMPORARY],
        )
