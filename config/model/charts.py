"""Sources of Helm charts: an OCI registry, an HTTP repository, or a directory of packaged charts."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from config.errors import ConfigError, Problem

Charts = Annotated[str, StringConstraints(pattern=r"^(oci|https)://\S+[^/]$")]
"""A system's own repository of charts."""
ChartVersion = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
OCI = "oci://"
_SCHEMES = (OCI, "https://", "http://")
_FOLDERS = ("/", "./", "../")
_PACKAGED = re.compile(r"-\d+\.\d+\.\d+\.tgz$")


def _mirror(value: str) -> str:
    if value.startswith(_FOLDERS):
        return value.rstrip("/") or "/"
    if not value.startswith(_SCHEMES):
        raise ValueError(
            f"{value!r} is no place for charts: an OCI registry (oci://…), an HTTP repository (https://…), "
            "or a folder that begins with /, ./ or ../"
        )
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise ValueError(f"not a URL: {error}") from None
    if parts.username or parts.password:
        raise ValueError(
            "the URL holds credentials, and the stack's state would show them; for a registry, log in instead "
            "(helm registry login)"
        )
    if not parts.hostname or any(sign in value for sign in " ?#"):
        raise ValueError(f"{value!r} names no host, or holds more than host and path")
    return value.rstrip("/")


Mirror = Annotated[str, AfterValidator(_mirror)]
"""Source of all charts of a stack: ``oci://``, ``https://``, ``http://``, or a directory relative to the project's."""


class Source(NamedTuple):
    """The arguments with which Helm finds a chart."""

    chart: str
    """A reference in an OCI registry, a name in a repository, or a file."""
    repository: str | None = None
    """The URL of an HTTP repository."""


def is_folder(charts: str) -> bool:
    """Returns whether charts are files there, ``<chart>-<version>.tgz``, as ``helm pull`` and ``helm package`` write them."""
    return not charts.startswith(_SCHEMES)


def source(charts: str, chart: str, version: str) -> Source:
    """Returns the arguments with which Helm finds the chart in the source."""
    if charts.startswith(OCI):
        return Source(f"{charts}/{chart}")
    return Source(f"{charts}/{_file(chart, version)}") if is_folder(charts) else Source(chart, charts)


def chart_name(reference: str) -> str:
    """Returns the name of the chart for which ``source`` gave this reference, name or file."""
    return _PACKAGED.sub("", reference.rpartition("/")[2])


def verify(charts: str | None, wanted: Mapping[str, str], stack: str) -> None:
    """Raises ``ConfigError`` when the stack's charts are in a folder that lacks one, or contains another under its name.

    Helm itself reports charts that a registry or a repository lacks, in the preview.
    """
    if charts is None or not is_folder(charts):
        return
    at, path = f"Pulumi.{stack}.yaml", "understudy:charts"
    if wanted and not Path(charts).is_dir():
        raise ConfigError(Problem(at, None, path, f"there is no folder {charts}", _fix(wanted)))
    faults = ((chart, version, _fault(Path(charts), chart, version)) for chart, version in wanted.items())
    problems = [Problem(at, None, path, fault, _fix({chart: version})) for chart, version, fault in faults if fault]
    if problems:
        raise ConfigError(*problems)


def _file(chart: str, version: str) -> str:
    return f"{chart}-{version}.tgz"


def _fix(wanted: Mapping[str, str]) -> str:
    return f"put there, by helm pull or helm package: {', '.join(_file(*item) for item in sorted(wanted.items()))}"


def _fault(folder: Path, chart: str, version: str) -> str | None:
    """Returns the fault of the chart's file; empty when there is none."""
    file = folder / _file(chart, version)
    if not file.is_file():
        return f"{file} is not there"
    try:
        with tarfile.open(file) as archive:
            member = archive.extractfile(f"{chart}/Chart.yaml")
            content = YAML(typ="safe").load(member.read()) if member else None
    except (OSError, tarfile.TarError, KeyError, YAMLError, EOFError) as error:
        return (
            f"{file} is no packaged chart {chart}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        )
    name_and_version = (content.get("name"), str(content.get("version"))) if isinstance(content, dict) else None
    return (
        None
        if name_and_version == (chart, version)
        else f"{file} holds {' '.join(map(str, name_and_version or ('no chart',)))}"
    )
