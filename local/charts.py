"""The local run's mirror of Helm charts: packages of charts in Go modules, and of one chart of this project."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from config.errors import ExternalError

from .builds import Module, fetched, lock
from .console import phase
from .paths import TOOLS

MODULE = Module("charts", "istio.io/istio", {})
"""Requires the modules that contain charts; none of them is built."""
ORIGIN = "understudy.dev/origin"
"""The annotation in a packaged ``Chart.yaml`` with the chart's origin and changes."""
_OURS = Path(__file__).parent / "charts"
_FOLDERS_OUT = {"ci", "schema", "tests"}
_FILES_OUT = {"README.md", "README.md.gotmpl", "CHANGELOG.md", "Chart.lock", ".helmignore", ".schema.yaml"}
"""Files that are not packaged: those in the chart's ``.helmignore``, and documentation."""
_YAML = YAML()


@dataclass(frozen=True)
class Chart:
    """A chart, and its changes when it is packaged."""

    module: str | None
    """The Go module with the chart; ``None`` for the charts in ``local/charts``."""
    folder: str
    application: str | None = None
    """The version of its images; default: the chart's."""
    without: tuple[str, ...] = ()
    """Conditional dependencies of the chart that are not available as Go modules."""
    added: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """File in the package to the module's files (patterns) that it is composed of."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """File in the package to its content."""


_ISTIO, _SECRETS = "istio.io/istio", "github.com/external-secrets/external-secrets"
CHARTS: Mapping[str, Chart] = {
    "base": Chart(_ISTIO, "manifests/charts/base", "{version}"),
    "cni": Chart(_ISTIO, "manifests/charts/istio-cni", "{version}"),
    "istiod": Chart(_ISTIO, "manifests/charts/istio-control/istio-discovery", "{version}"),
    "gateway": Chart(_ISTIO, "manifests/charts/gateway", "{version}"),
    "external-dns": Chart("sigs.k8s.io/external-dns", "charts/external-dns"),
    "external-secrets": Chart(
        _SECRETS,
        "deploy/charts/external-secrets",
        "v{version}",
        ("bitwarden-sdk-server",),
        # the chart's release script makes a template of each definition, which the module lacks
        {
            "files/crds.yaml": (
                "config/crds/bases/*.external-secrets.io_*.yaml",
                "config/crds/bases/external-secrets.io_*.yaml",
            )
        },
        {"templates/crds.yaml": '{{- if .Values.installCRDs }}\n{{ .Files.Get "files/crds.yaml" }}\n{{- end }}\n'},
    ),
    "aws-load-balancer-controller": Chart(None, "aws-load-balancer-controller"),
}
"""Name to chart, for each chart of the local run."""


def mirror(wanted: Mapping[str, str]) -> Path:
    """Returns the directory with these charts, ``<chart>-<version>.tgz``; raises ``ExternalError``.

    A chart is packaged under the requested version, whatever version its source has; ``origins`` returns both.
    """
    if unknown := sorted(wanted.keys() - CHARTS.keys()):
        raise ExternalError(
            f"no Helm chart {', '.join(unknown)} is known here\n"
            f"    fix: add it to CHARTS in local/charts.py, which has {', '.join(sorted(CHARTS))}"
        )
    folder = TOOLS / f"charts-{_digest()}"
    files = {folder / f"{name}-{version}.tgz": (name, version) for name, version in wanted.items()}
    if all(file.exists() for file in files):
        return folder
    with lock(folder), phase(f"packing {len(files)} Helm charts"):
        for file, (name, version) in files.items():
            if not file.exists():
                partial = file.with_suffix(".partial")
                partial.write_bytes(_package(name, version))
                partial.replace(file)
    return folder


def origins(wanted: Mapping[str, str]) -> dict[str, list[str]]:
    """Returns origin, as packaged charts state it, to the charts of that origin; raises ``ExternalError``."""
    folder, systems = mirror(wanted), dict[str, list[str]]()
    for name, version in wanted.items():
        with tarfile.open(folder / f"{name}-{version}.tgz") as archive:
            member = archive.extractfile(f"{name}/Chart.yaml")
            assert member is not None, "packaged by mirror"
            systems.setdefault(_YAML.load(member)["annotations"][ORIGIN], []).append(f"{name} {version}")
    return systems


def _digest() -> str:
    """Returns a digest of the packages' sources and of the packaging."""
    files = [Path(__file__), *sorted(path for path in _OURS.rglob("*") if path.is_file())]
    content = b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)
    return hashlib.sha256(MODULE.folder.name.encode() + content).hexdigest()[:12]


def _package(name: str, version: str) -> bytes:
    """Returns the chart as an archive, with the same bytes each time except in gzip's header."""
    chart = CHARTS[name]
    root = fetched(MODULE, chart.module) if chart.module else _OURS
    contents = dict(_contents(root, chart))
    contents["Chart.yaml"] = _described(chart, root, contents["Chart.yaml"], version)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, content in sorted(contents.items(), key=lambda item: (item[0] != "Chart.yaml", item[0])):
            member = tarfile.TarInfo(f"{name}/{path}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _contents(root: Path, chart: Chart) -> Iterator[tuple[str, bytes]]:
    folder = root / chart.folder
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder)
        if file.is_file() and path.parts[0] not in _FOLDERS_OUT and path.name not in _FILES_OUT:
            yield path.as_posix(), file.read_bytes()
    for name, patterns in chart.added.items():
        files = sorted(file for pattern in patterns for file in root.glob(pattern))
        yield name, b"\n---\n".join(file.read_bytes() for file in files)
    for name, text in chart.templates.items():
        yield name, text.encode()


def _described(chart: Chart, root: Path, written: bytes, version: str) -> bytes:
    """Returns ``Chart.yaml`` with the requested version and its origin, and without unavailable dependencies."""
    content: dict[str, Any] = _YAML.load(written)
    place = "a small chart of ours in place of its own" if chart.module is None else root.name
    if chart.module:
        place = f"{chart.module} {root.name.rpartition('@')[2]}"
        if str(content["version"]) != version:
            place += f", where the chart is {content['version']}"
    kept = [entry for entry in content.pop("dependencies", []) if entry["name"] not in chart.without]
    application = {"appVersion": chart.application.format(version=version)} if chart.application else {}
    content |= {"version": version, **application, "annotations": {ORIGIN: place}}
    content |= {"dependencies": kept} if kept else {}
    buffer = io.BytesIO()
    _YAML.dump(content, buffer)
    return buffer.getvalue()
