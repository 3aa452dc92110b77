"""Elasticsearch's configuration file, and the requests that set up a running node.

https://www.elastic.co/guide/en/elasticsearch/reference/8.11/settings.html, …/ilm-put-lifecycle.html,
…/indices-put-template.html, …/security-api-put-role.html
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from components.core.rendered import Part, as_json
from config.kinds import Elasticsearch

WRITER, READER = "logs_writer", "logs_reader"
"""Users, and the roles of the same name."""

READINESS = 9399
"""Port that is open only while the node accepts requests; it needs no password
(https://www.elastic.co/guide/en/elasticsearch/reference/8.11/advanced-configuration.html#readiness-tcp-port)."""


class Configuration(Part):
    """``elasticsearch.yml``."""

    cluster: str = Field(alias="cluster.name")
    http_host: str = Field(default="0.0.0.0", alias="http.host")  # noqa: S104 - the pod's own address, guarded by NetworkPolicies
    transport_host: str = Field(default="127.0.0.1", alias="transport.host")  # a single node
    discovery: str = Field(default="single-node", alias="discovery.type")
    readiness: int = Field(default=READINESS, alias="readiness.port")
    # a pod under "restricted" cannot set the node's vm.max_map_count
    allow_mmap: bool = Field(default=False, alias="node.store.allow_mmap")
    security: bool = Field(default=True, alias="xpack.security.enabled")
    enrollment: bool = Field(default=False, alias="xpack.security.enrollment.enabled")
    autoconfiguration: bool = Field(default=False, alias="xpack.security.autoconfiguration.enabled")
    tls: bool = Field(default=True, alias="xpack.security.http.ssl.enabled")
    tls_key: str = Field(default="certs/tls.key", alias="xpack.security.http.ssl.key")
    tls_certificate: str = Field(default="certs/tls.crt", alias="xpack.security.http.ssl.certificate")
    ml: bool = Field(default=False, alias="xpack.ml.enabled")
    geoip: bool = Field(default=False, alias="ingest.geoip.downloader.enabled")  # no usage data is sent


def requests(store: Elasticsearch) -> dict[str, str]:
    """Returns the JSON bodies of the setup Job's requests, by file name; they contain no passwords."""
    stream = store.stream
    pattern = f"{stream}-*"
    lifecycle = {
        "policy": {
            "phases": {
                "hot": {"actions": {"rollover": {"max_age": "1d", "max_primary_shard_size": "10gb"}}},
                "delete": {"min_age": str(store.retention), "actions": {"delete": {}}},
            }
        }
    }
    keyword = {"type": "keyword", "ignore_above": 256}
    template = {
        "index_patterns": [pattern],
        "data_stream": {},
        # Elasticsearch's own template for logs-*-* has 100
        "priority": 500,
        "template": {
            "settings": {"index.lifecycle.name": stream, "index.number_of_replicas": 0},
            "mappings": {
                "properties": {
                    "@timestamp": {"type": "date"},
                    "level": keyword,
                    "service": keyword,
                    "message": {"type": "text"},
                }
            },
        },
    }
    writer = {"cluster": ["monitor"], "indices": [_on(pattern, "auto_configure", "create_doc")]}
    reader = {
        "indices": [_on(pattern, "read", "view_index_metadata")],
        "applications": [{"application": "kibana-.kibana", "privileges": ["read"], "resources": ["*"]}],
    }
    bodies = {"lifecycle": lifecycle, "template": template, "writer": writer, "reader": reader}
    return {f"{name}.json": as_json(body) for name, body in bodies.items()}


def _on(pattern: str, *privileges: str) -> dict[str, Any]:
    return {"names": [pattern], "privileges": list(privileges)}
