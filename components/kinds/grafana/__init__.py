"""Grafana: shows metrics, logs and traces."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from components.core.backend import Backend, Pod
from components.core.configuration import checksum
from components.core.object_factory import Depends
from components.core.pods import TEMPORARY, TRUST
from components.core.rendered import as_yaml
from components.monitoring.contribution import dashboards
from config.kinds import Elasticsearch, Prometheus
from config.kinds import Grafana as Declared

from .configuration import DASHBOARDS, PASSWORD, data_sources, providers

UID = 472
"""The user ``grafana`` of the official image."""
CONFIG, DATA = "/etc/grafana/understudy", "/var/lib/grafana"
START = (Path(__file__).parent / "start.sh").read_text(encoding="utf-8")


class Grafana(Backend):
    """Grafana with provisioned data sources and dashboards: manual changes are lost at the next start."""

    resource_type = "understudy:grafana:Grafana"
    component: Declared

    def before(self) -> Depends:
        return [self.objects.files(f"{self.name}-dashboards-{key}", pages) for key, pages in self._dashboards.items()]

    @cached_property
    def _dashboards(self) -> dict[str, dict[str, str]]:
        """Returns component to its dashboard files; empty without a data source for metrics."""
        sources = self.used(Prometheus)
        if not sources:
            return {}
        from .pages import rendered

        source = next(iter(sources))
        return {
            key: {f"{page.uid}.json": rendered(page, source) for page in pages}
            for key, pages in dashboards(self.context.monitoring).items()
        }

    def pod(self) -> Pod:
        stores = self.used(Elasticsearch)
        files = {
            "datasources.yaml": as_yaml(data_sources(self.component, self.resolved, TRUST)),
            "providers.yaml": as_yaml(providers()),
            "start.sh": START,
        }
        pages = self._dashboards
        sources = [{"configMap": {"name": f"{self.name}-dashboards-{key}"}} for key in pages]
        store = next(iter(stores.values()), None)
        readers = {PASSWORD: store.reader_password} if store else {}
        return Pod(
            uid=UID,
            ready={"httpGet": {"path": "/api/health", "port": "http"}},
            command=["/bin/sh", f"{CONFIG}/start.sh"],
            env={
                "GF_PATHS_PROVISIONING": f"{CONFIG}/provisioning",
                "GF_LOG_MODE": "console",
                "GF_ANALYTICS_REPORTING_ENABLED": "false",  # no usage data is sent
                "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
                "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
                "GF_USERS_ALLOW_SIGN_UP": "false",
                "GF_SECURITY_DISABLE_GRAVATAR": "true",
            },
            secret_env={"GF_SECURITY_ADMIN_PASSWORD": self.component.admin, **readers},
            files=files,
            config=CONFIG,
            paths={
                "datasources.yaml": "provisioning/datasources/datasources.yaml",
                "providers.yaml": "provisioning/dashboards/providers.yaml",
            },
            data=DATA,
            writable=[TEMPORARY],
            trust=list(stores),
            volumes=[{"name": "dashboards", "projected": {"sources": sources}}] if sources else [],
            mounts=[{"name": "dashboards", "mountPath": DASHBOARDS, "readOnly": True}] if sources else [],
            digested=checksum(pages),
            secrets=sorted({key.secret for key in (self.component.admin, *readers.values())}),
        )
