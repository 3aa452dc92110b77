"""YACE's own configuration: https://github.com/prometheus-community/yet-another-cloudwatch-exporter/blob/master/docs/configuration.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from components.core.rendered import Part
from config.kinds import CloudWatchExporter
from config.kinds.aws import Managed
from config.system import Resolved

from .metrics import READ, Reading


class _Camel(Part):
    model_config = ConfigDict(alias_generator=to_camel)


class Metric(_Camel):
    """A metric of a service."""

    name: str
    statistics: tuple[Literal["Average", "Maximum", "Minimum", "Sum"], ...]
    nil_to_zero: bool | None = None


class Tag(_Camel):
    """A tag that selects resources."""

    key: str
    value: str


class Job(_Camel):
    """The metrics of a store."""

    type: str
    regions: tuple[str, ...]
    period: int
    length: int
    search_tags: tuple[Tag, ...]
    custom_tags: tuple[Tag, ...]
    metrics: tuple[Metric, ...]


class Discovery(_Camel):
    """The discovery of stores by their tags."""

    jobs: tuple[Job, ...]


class Configuration(_Camel):
    """``config.yml``."""

    api_version: Literal["v1alpha1"] = "v1alpha1"
    sts_region: str = Field(alias="sts-region")
    discovery: Discovery


def stores(exporter: CloudWatchExporter, resolved: Resolved) -> Mapping[str, Managed]:
    """Returns the watched stores."""
    components = {name: resolved.components[name] for name in exporter.stores}
    return {name: c for name, c in components.items() if isinstance(c, Managed) and not c.existing}


def configuration(exporter: CloudWatchExporter, resolved: Resolved, region: str) -> Configuration:
    """Returns a job for each store, which selects resources by the tags that the platform sets."""

    def job(store: str, reading: Reading) -> Job:
        tags = {"understudy:environment": resolved.environment.name, "understudy:component": store}
        return Job(
            type=reading.namespace,
            regions=(region,),
            period=int(exporter.period.seconds),
            length=int(exporter.period.seconds) * 5,
            search_tags=tuple(Tag(key=key, value=f"^{value}$") for key, value in tags.items()),
            custom_tags=(Tag(key="store", value=store),),
            metrics=tuple(
                Metric(name=metric, statistics=(statistic,)) for metric, statistic in reading.metrics.items()
            ),
        )

    return Configuration(
        sts_region=region,
        discovery=Discovery(jobs=tuple(job(s, READ[c.kind]) for s, c in stores(exporter, resolved).items())),
    )
