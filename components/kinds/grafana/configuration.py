"""Grafana's provisioning files: https://grafana.com/docs/grafana/v10.4/administration/provisioning/."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from components.core.rendered import Part
from components.kinds.elasticsearch.configuration import READER
from config.kinds import Elasticsearch, Grafana, Jaeger, Loki, Prometheus
from config.system import Resolved

PASSWORD = "ELASTICSEARCH_PASSWORD"  # noqa: S105 - the name of a variable
DASHBOARDS = "/etc/grafana/dashboards"


class DataSource(Part):
    """A data source of the dashboards."""

    name: str
    uid: str
    type_: str = Field(alias="type")
    access: str = "proxy"
    url: str
    is_default: bool | None = Field(default=None, alias="isDefault")
    editable: bool = False
    basic_auth: bool | None = Field(default=None, alias="basicAuth")
    basic_auth_user: str | None = Field(default=None, alias="basicAuthUser")
    json_data: dict[str, Any] | None = Field(default=None, alias="jsonData")
    secure_json_data: dict[str, str] | None = Field(default=None, alias="secureJsonData")


class DataSources(Part):
    """``datasources.yaml``."""

    version: int = Field(default=1, alias="apiVersion")
    prune: bool = True
    datasources: tuple[DataSource, ...]


class Folder(Part):
    """The directory of a dashboard provider."""

    path: str


class Provider(Part):
    """A folder of dashboards."""

    name: str
    type_: str = Field(default="file", alias="type")
    allow_ui_updates: bool = Field(default=False, alias="allowUiUpdates")
    options: Folder


class Providers(Part):
    """``providers.yaml``."""

    version: int = Field(default=1, alias="apiVersion")
    providers: tuple[Provider, ...]


def data_sources(grafana: Grafana, resolved: Resolved, trust: str) -> DataSources:
    """Returns a data source for each used backend, with the component's name as uid.

    ``trust`` is the folder of authorities.
    """
    sources: list[DataSource] = []
    namespace = resolved.environment.namespace
    for used in grafana.uses:
        component = resolved.components[used]
        scheme = "https" if component.trusted(used) else "http"
        url = f"{scheme}://{component.host(used, namespace)}:{component.port()}"
        common: dict[str, Any] = {"name": component.title or used, "uid": used, "url": url}
        match component:
            case Prometheus():
                interval = {"timeInterval": str(component.scrape_interval), "httpMethod": "POST"}
                sources.append(DataSource(type_="prometheus", is_default=True, json_data=interval, **common))
            case Jaeger():
                sources.append(DataSource(type_="jaeger", **common))
            case Loki():
                sources.append(DataSource(type_="loki", **common))
            case Elasticsearch():
                sources.append(_elasticsearch(component, used, trust, common))
    return DataSources(datasources=tuple(sources))


def _elasticsearch(store: Elasticsearch, name: str, trust: str, common: dict[str, Any]) -> DataSource:
    fields = {
        "index": f"{store.stream}-*",
        "timeField": "@timestamp",
        "logMessageField": "message",
        "logLevelField": "level",
        "tlsAuthWithCACert": True,
    }
    # Grafana replaces these placeholders by the content of files and variables
    secret = {"basicAuthPassword": f"${PASSWORD}", "tlsCACert": f"$__file{{{trust}/ca-{name}/ca.crt}}"}
    return DataSource(
        type_="elasticsearch",
        basic_auth=True,
        basic_auth_user=READER,
        json_data=fields,
        secure_json_data=secret,
        **common,
    )


def providers() -> Providers:
    """Returns the provider of the dashboards' folder."""
    return Providers(providers=(Provider(name="understudy", options=Folder(path=DASHBOARDS)),))
