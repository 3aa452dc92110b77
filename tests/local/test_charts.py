"""The mirror of Helm charts, and what its charts make of the values that the program gives."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from config.derivation.charts import charts_of
from config.derivation.derive import derive
from config.errors import ExternalError
from config.loader import load
from config.model.charts import source, verify
from local.builds import fetched
from local.charts import CHARTS, MODULE, mirror, origins
from local.control_plane import ControlPlane, kubectl
from tests.components.aws.platform import shipped
from tests.local.helm import Release, file_of, helm, releases, rendered, template, values_file

WANTED = charts_of(derive(load("quikapp"), "staging")[0])
NAMES = (
    "aws-load-balancer-controller",
    "external-dns",
    "external-secrets",
    "istio-base",
    "istio-cni",
    "istio-egress",
    "istio-ingress",
    "istiod",
)
FREE = {
    ("istiod", "env"): "variables of istiod's container, which no file of the chart lists",
    (
        "istiod",
        "meshConfig",
    ): "a message of Istio's API; its fields are looked for in the message's own definition, below",
    **dict.fromkeys(
        (
            ("cni", "resources"),
            ("istiod", "resources"),
            ("istiod", "seccompProfile"),
            ("istiod", "global.proxy.resources"),
            ("istiod", "global.proxy.seccompProfile"),
            ("gateway", "resources"),
            ("gateway", "securityContext"),
            ("gateway", "podDisruptionBudget"),
            ("gateway", "labels"),
        ),
        "a part of a Pod or of another object, which the API server judges, below",
    ),
}
"""Chart and path of each value that is free in form, with the reason why names below it are not looked for in the chart."""
_DEFAULTS = "_internal_defaults_do_not_set"
"""Where Istio's charts keep their values, which are given without it."""


def unknown(release: Release, values: Mapping[str, Any]) -> Iterator[str]:
    """Paths of values that neither the chart's ``values.yaml`` nor its schema has."""
    known = file_of(release, "values.yaml")
    schema = file_of(release, "values.schema.json") or {}
    schema = schema.get("$defs", {}).get("values", schema)
    yield from _unknown(release.chart, values, known.get(_DEFAULTS, known), schema, "")


def _unknown(chart: str, values: Mapping[str, Any], known: Any, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    declared = schema.get("properties", {})
    for key, value in values.items():
        here = f"{path}{key}"
        if not (isinstance(known, dict) and key in known) and key not in declared:
            yield here
        elif isinstance(value, dict) and (chart, here) not in FREE:
            below = known.get(key) if isinstance(known, dict) else None
            yield from _unknown(chart, value, below, declared.get(key, {}), f"{here}.")


def test_every_chart_that_is_asked_for_is_packaged_under_its_name_and_version() -> None:
    verify(str(mirror(WANTED)), WANTED, "qa")


def test_every_chart_of_the_mirror_is_used_and_every_release_is_one_of_them() -> None:
    assert CHARTS.keys() == WANTED.keys() == {release.chart for release in releases().values()}
    assert releases().keys() == set(NAMES)
    assert {release.chart: release.version for release in releases().values()} == WANTED


def test_a_package_tells_where_its_chart_is_from() -> None:
    found = origins(WANTED)
    assert [origin for origin, packaged in found.items() if "aws-load-balancer-controller 1.13.4" in packaged] == [
        "a small chart of ours in place of its own"
    ]
    assert found["sigs.k8s.io/external-dns v0.19.0"] == ["external-dns 1.18.0"]
    assert found["github.com/external-secrets/external-secrets v1.3.2, where the chart is 1.3.1"] == [
        "external-secrets 1.3.2"
    ]
    [istio] = [packaged for origin, packaged in found.items() if origin.startswith("istio.io/istio v0.0.0-")]
    assert istio == ["base 1.31.1", "cni 1.31.1", "istiod 1.31.1", "gateway 1.31.1"]


def test_another_version_is_packaged_as_what_it_is() -> None:
    assert origins({"external-dns": "1.19.0"}) == {
        "sigs.k8s.io/external-dns v0.19.0, where the chart is 1.18.0": ["external-dns 1.19.0"]
    }


def test_a_chart_that_nobody_knows_is_named() -> None:
    with pytest.raises(ExternalError, match="no Helm chart grafana is known here"):
        mirror({"grafana": "1.0.0"})


@pytest.mark.parametrize("name", NAMES)
def test_the_chart_knows_every_value_that_is_given(name: str) -> None:
    assert list(unknown(releases()[name], releases()[name].values)) == []


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("istiod", {"autoscaleMinimum": 2}),
        ("istiod", {"global": {"proxy": {"resource": {}}}}),
        ("istio-ingress", {"serviceAccount": {"named": "a"}}),
        ("external-dns", {"provider": {"nam": "aws"}}),
        ("external-secrets", {"podDisruptionBudget": {"minAvailible": 1}}),
        ("istio-cni", {"excludeNamespace": []}),
    ],
)
def test_a_value_that_it_does_not_know_is_found(name: str, given: dict[str, Any]) -> None:
    assert len(list(unknown(releases()[name], given))) == 1


def test_nothing_is_free_in_form_that_is_not_given() -> None:
    def given(values: Any, path: str) -> bool:
        for key in path.split("."):
            values = values.get(key) if isinstance(values, dict) else None
        return bool(values)

    for chart, path in FREE:
        assert any(given(r.values, path) for r in releases().values() if r.chart == chart), (chart, path)


def test_istios_mesh_configuration_has_every_field_that_is_given() -> None:
    folder = fetched(MODULE, "istio.io/api") / "mesh" / "v1alpha1"
    text = "".join((folder / file).read_text(encoding="utf-8") for file in ("config.proto", "proxy.proto"))
    fields = {re.sub(r"_([a-z])", lambda m: m[1].upper(), name) for name in re.findall(r"(\w+) = \d+", text)}

    def names(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            yield from value
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from names(item)

    assert set(names(releases()["istiod"].values["meshConfig"])) - fields == set()


@pytest.mark.engine
@pytest.mark.parametrize("name", NAMES)
def test_helm_finds_no_fault_with_the_chart_and_our_values(name: str, tmp_path: Path) -> None:
    release = releases()[name]
    said = helm("lint", str(release.file), f"--values={values_file(release, tmp_path)}", folder=tmp_path)
    assert "0 chart(s) failed" in said
    assert "[ERROR]" not in said


@pytest.mark.engine
@pytest.mark.parametrize("name", sorted({release.chart: name for name, release in releases().items()}.values()))
def test_a_value_that_is_given_has_an_effect(name: str, tmp_path: Path) -> None:
    """Each is changed: the chart then makes another thing, or refuses the value."""
    release = releases()[name]
    whole = template(release, tmp_path)

    def idle(values: dict[str, Any]) -> bool:
        try:
            return template(release._replace(values=values), tmp_path) == whole
        except AssertionError:
            return False

    changed = dict(_changed(release.chart, release.values, ""))
    assert [path for path, values in changed.items() if idle(values)] == []


def _changed(chart: str, values: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Path of each value, and all values with that one changed; a free form and a list are one value."""
    for key, value in values.items():
        here = f"{path}{key}"
        if isinstance(value, dict) and (chart, here) not in FREE:
            yield from ((below, {**values, key: other}) for below, other in _changed(chart, value, f"{here}."))
        else:
            yield here, {**values, key: _another(value)}


def _another(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case dict():
            return {key: _another(item) for key, item in value.items()}
        case list():
            return [_another(item) for item in value]
    return f"{value}x"


def _made(plane: ControlPlane, folder: Path, objects: list[dict[str, Any]], *options: str) -> None:
    """The API server takes every object, and knows each of their fields."""
    if objects:
        file = folder / "objects.json"
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}), encoding="utf-8")
        kubectl("apply", "--server-side", "--validate=strict", f"--filename={file}", *options, plane=plane)


@pytest.fixture(scope="module")
def rooms(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> ControlPlane:
    """A cluster with the platform's namespaces, and their levels of Pod Security."""
    spaces = [node["inputs"] for node in shipped() if node["type"] == "kubernetes:core/v1:Namespace"]
    _made(plane, tmp_path_factory.mktemp("rooms"), spaces)
    return plane


@pytest.mark.engine
@pytest.mark.parametrize("name", NAMES)
def test_the_api_server_takes_what_the_chart_makes_and_pod_security_its_pods(
    name: str, rooms: ControlPlane, tmp_path: Path
) -> None:
    release = releases()[name]
    objects = rendered(release, tmp_path)
    first = ("CustomResourceDefinition", "ServiceAccount")
    early = [body for body in objects if body["kind"] in first]
    _made(rooms, tmp_path, early)
    if any(body["kind"] == first[0] for body in early):
        kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all", plane=rooms)
    _made(rooms, tmp_path, [body for body in objects if body["kind"] not in first], "--dry-run=server")
    pods = [_pod(release, body) for body in objects if body["kind"] in ("Deployment", "DaemonSet")]
    _made(rooms, tmp_path, pods, "--dry-run=server")
    assert bool(pods) is (name != "istio-base")


@pytest.mark.engine
def test_pod_security_judges_a_pod_that_is_only_tried(rooms: ControlPlane, tmp_path: Path) -> None:
    """Else the test above would prove nothing of it."""
    istiod = releases()["istiod"]
    objects = rendered(istiod, tmp_path)
    _made(rooms, tmp_path, [body for body in objects if body["kind"] == "ServiceAccount"])
    [workload] = [body for body in objects if body["kind"] == "Deployment"]
    pod = _pod(istiod, workload)
    pod["spec"]["hostNetwork"] = True
    with pytest.raises(ExternalError, match="violates PodSecurity"):
        _made(rooms, tmp_path, [pod], "--dry-run=server")


def _pod(release: Release, workload: Mapping[str, Any]) -> dict[str, Any]:
    template = workload["spec"]["template"]
    metadata = {
        **template["metadata"],
        "name": workload["metadata"]["name"],
        "namespace": workload["metadata"].get("namespace", release.namespace),
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


@pytest.mark.engine
def test_helm_finds_a_chart_in_a_folder_and_in_a_repository(tmp_path: Path) -> None:
    """What the program asks for, of both kinds of place; the repository is the same folder with an index, over HTTP."""
    folder = tmp_path / "repository"
    shutil.copytree(mirror(WANTED), folder)
    helm("repo", "index", str(folder), folder=tmp_path)
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            for place in (str(folder), f"http://127.0.0.1:{server.server_port}"):
                found = source(place, "gateway", "1.31.1")
                repository = [f"--repo={found.repository}"] if found.repository else []
                said = helm("show", "chart", found.chart, "--version=1.31.1", *repository, folder=tmp_path)
                assert "name: gateway\n" in said
                assert "version: 1.31.1\n" in said
        finally:
            server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    """Says nothing of each request."""

    def log_message(self, *_: Any) -> None: ...
