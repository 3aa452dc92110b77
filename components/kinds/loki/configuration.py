"""Loki's own configuration: https://grafana.com/docs/loki/v3.2.x/configure/."""

from __future__ import annotations

from pydantic import Field

from components.core.rendered import Part
from config.kinds import Loki


class Server(Part):
    """The listening port."""

    http_listen_port: int
    grpc_listen_port: int = 9095
    log_level: str = "info"


class Kvstore(Part):
    """The key-value store of the members of a ring."""

    store: str = "inmemory"


class Ring(Part):
    """The hash ring; this instance is its only member."""

    kvstore: Kvstore = Kvstore()


class Filesystem(Part):
    """Folders."""

    chunks_directory: str
    rules_directory: str


class Storage(Part):
    """The storage of chunks."""

    filesystem: Filesystem


class Common(Part):
    """Settings that all of Loki's parts share."""

    path_prefix: str
    replication_factor: int = 1
    instance_addr: str = "127.0.0.1"
    ring: Ring = Ring()
    storage: Storage


class Index(Part):
    """Names of the index's tables."""

    prefix: str = "index_"
    period: str = "24h"


class Period(Part):
    """The schema of logs from a date on."""

    from_: str = Field(alias="from")
    store: str = "tsdb"
    object_store: str = "filesystem"
    schema_: str = Field(default="v13", alias="schema")
    index: Index = Index()


class SchemaConfig(Part):
    """Periods."""

    configs: tuple[Period, ...]


class Limits(Part):
    """Limits of a tenant, and the retention of its logs."""

    retention_period: str
    reject_old_samples_max_age: str = "168h"
    volume_enabled: bool = True


class Compactor(Part):
    """The compactor, which deletes logs after their retention."""

    working_directory: str
    retention_enabled: bool = True
    delete_request_store: str = "filesystem"


class Analytics(Part):
    """Usage reports to Grafana Labs."""

    reporting_enabled: bool = False


class Configuration(Part):
    """``loki.yml``."""

    auth_enabled: bool = False
    server: Server
    common: Common
    schema_config: SchemaConfig
    limits_config: Limits
    compactor: Compactor
    analytics: Analytics = Analytics()


def configuration(loki: Loki, data: str) -> Configuration:
    """Returns the configuration of a single binary with chunks and index below ``data``."""
    folders = Filesystem(chunks_directory=f"{data}/chunks", rules_directory=f"{data}/rules")
    return Configuration(
        server=Server(http_listen_port=loki.ports()["http"]),
        common=Common(path_prefix=data, storage=Storage(filesystem=folders)),
        # schema v13 is Loki 3's; no older data exist
        schema_config=SchemaConfig(configs=(Period(from_="2024-01-01"),)),
        limits_config=Limits(retention_period=str(loki.retention)),
        compactor=Compactor(working_directory=f"{data}/compactor"),
    )
