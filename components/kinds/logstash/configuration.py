"""Logstash's settings and pipeline: https://www.elastic.co/guide/en/logstash/8.11/."""

from __future__ import annotations

from pydantic import Field

from components.core.blocks import Block, render
from components.core.rendered import Part
from components.kinds.elasticsearch.configuration import WRITER
from config.kinds import Elasticsearch, Logstash

_NAMES = {
    "level": ("severity", "levelname", "[log][level]"),
    "service": ("app", "application", "[service][name]"),
    "message": ("msg", "event", "[log][message]"),
}
"""Field names of other libraries for level, message and time."""


class Settings(Part):
    """``logstash.yml``."""

    api_host: str = Field(default="0.0.0.0", alias="api.http.host")  # noqa: S104 - the pod's own address, guarded by NetworkPolicies
    monitoring: bool = Field(default=False, alias="xpack.monitoring.enabled")
    ecs: str = Field(default="disabled", alias="pipeline.ecs_compatibility")


def pipeline(logstash: Logstash, host: str, store: Elasticsearch, authority: str) -> str:
    """Returns the pipeline from JSON lines to the logs' data stream.

    Its events have ``level`` (upper case), ``service`` and ``message``.
    """
    kind, _, dataset = store.stream.partition("-")
    blocks = (
        Block(
            "input",
            blocks=(Block("tcp", {"port": logstash.ports()["tcp"], "codec": "json_lines"}),),
        ),
        Block(
            "filter",
            blocks=(
                *(
                    Block(f"if ![{wanted}] and {_field(other)}", blocks=(_mutate("rename", {_field(other): wanted}),))
                    for wanted, others in _NAMES.items()
                    for other in others
                ),
                *(
                    Block(f"if ![{wanted}]", blocks=(_mutate("add_field", {wanted: default}),))
                    for wanted, default in (("level", "INFO"), ("service", "unknown"), ("message", "(none)"))
                ),
                Block("mutate", {"uppercase": ["level"]}),
            ),
        ),
        Block(
            "output",
            blocks=(
                Block(
                    "elasticsearch",
                    {
                        "hosts": [f"https://{host}:{store.port()}"],
                        "user": WRITER,
                        "password": "${WRITER_PASSWORD}",
                        "ssl_enabled": True,
                        "ssl_certificate_authorities": [authority],
                        "data_stream": True,
                        "data_stream_type": kind,
                        "data_stream_dataset": dataset,
                        "data_stream_namespace": "default",
                        "data_stream_auto_routing": False,
                    },
                ),
            ),
        ),
    )
    return render(blocks, "=>")


def _field(name: str) -> str:
    return name if name.startswith("[") else f"[{name}]"


def _mutate(action: str, fields: dict[str, str]) -> Block:
    return Block("mutate", {action: fields})
