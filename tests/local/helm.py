"""Charts of the local mirror, rendered with the values that the program gives, as Helm renders them."""

from __future__ import annotations

import json
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from config.derivation.charts import charts_of
from config.derivation.derive import derive
from config.loader import load
from config.model.charts import chart_name
from local.builds import ensure
from local.charts import mirror
from local.tools import HELM, KUBERNETES
from review.graph import RELEASE
from tests.components.aws.platform import shipped

KUBERNETES_VERSION = KUBERNETES.version
_YAML = YAML(typ="safe")


class Release(NamedTuple):
    """A Helm release on the graph of the shipped platform."""

    name: str
    namespace: str
    chart: str
    version: str
    values: dict[str, Any]

    @property
    def file(self) -> Path:
        """The chart in the mirror."""
        return charts() / f"{self.chart}-{self.version}.tgz"


@cache
def charts() -> Path:
    """The mirror, with what the shipped system asks for."""
    return mirror(charts_of(derive(load("quikapp"), "staging")[0]))


@cache
def releases() -> dict[str, Release]:
    """By name."""
    found = (node["inputs"] for node in shipped() if node["type"] == RELEASE)
    return {
        inputs["name"]: Release(
            inputs["name"], inputs["namespace"], chart_name(inputs["chart"]), inputs["version"], inputs["values"]
        )
        for inputs in found
    }


def file_of(release: Release, path: str) -> Any:
    """A YAML or JSON file of the chart; ``None`` where it has none."""
    with tarfile.open(release.file) as archive:
        try:
            member = archive.extractfile(f"{release.chart}/{path}")
        except KeyError:
            return None
        assert member is not None
        return _YAML.load(member.read())


def helm(*arguments: str, folder: Path, kubeconfig: Path | None = None) -> str:
    """Runs Helm with a home of its own in the folder; its output."""
    ensure(HELM)
    places = {f"HELM_{name}_HOME": str(folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
    environment = {**places, "HOME": str(folder), "KUBECONFIG": str(kubeconfig or folder / "none")}
    command = [str(HELM.program("helm")), *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-3000:] + result.stdout[-3000:]
    return result.stdout


def values_file(release: Release, folder: Path) -> Path:
    file = folder / f"{release.name}.json"
    file.write_text(json.dumps(release.values), encoding="utf-8")
    return file


def template(release: Release, folder: Path) -> str:
    """What the release makes, as text."""
    return helm(
        "template",
        release.name,
        str(release.file),
        f"--namespace={release.namespace}",
        f"--values={values_file(release, folder)}",
        f"--kube-version={KUBERNETES_VERSION}",
        "--include-crds",
        folder=folder,
    )


def rendered(release: Release, folder: Path) -> list[dict[str, Any]]:
    """The objects that the release makes, custom resource definitions first."""
    objects = [body for body in _YAML.load_all(template(release, folder)) if body]
    return sorted(objects, key=lambda body: body["kind"] != "CustomResourceDefinition")
