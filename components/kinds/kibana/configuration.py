"""Kibana's own configuration: https://www.elastic.co/guide/en/kibana/8.11/settings.html."""

from __future__ import annotations

from pydantic import Field

from components.core.rendered import Part, as_json


class Configuration(Part):
    """``kibana.yml``; ``${…}`` is read from the environment."""

    host: str = Field(default="0.0.0.0", alias="server.host")  # noqa: S104 - the pod's own address, guarded by NetworkPolicies
    elasticsearch: tuple[str, ...] = Field(alias="elasticsearch.hosts")
    authorities: tuple[str, ...] = Field(alias="elasticsearch.ssl.certificateAuthorities")
    username: str = Field(default="kibana_system", alias="elasticsearch.username")
    password: str = Field(default="${KIBANA_PASSWORD}", alias="elasticsearch.password")
    saved_objects: str = Field(default="${ENCRYPTION_KEY}", alias="xpack.encryptedSavedObjects.encryptionKey")
    sessions: str = Field(default="${ENCRYPTION_KEY}", alias="xpack.security.encryptionKey")
    reports: str = Field(default="${ENCRYPTION_KEY}", alias="xpack.reporting.encryptionKey")
    telemetry: bool = Field(default=False, alias="telemetry.enabled")  # no usage data is sent
    newsfeed: bool = Field(default=False, alias="newsfeed.enabled")


def data_view(stream: str) -> str:
    """Returns the request that creates the index pattern ``<stream>-*``.

    https://www.elastic.co/guide/en/kibana/8.11/data-views-api-create.html
    """
    title = f"{stream}-*"
    view = {"id": stream, "title": title, "name": title, "timeFieldName": "@timestamp"}
    return as_json({"data_view": view, "override": True})
