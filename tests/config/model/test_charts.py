"""Where Helm charts come from."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from config.derivation.charts import charts_of
from config.derivation.derive import derive
from config.errors import ConfigError
from config.loader import load
from config.model.charts import Source, chart_name, source, verify
from config.stack import parse_stack

WANTED = {"base": "1.31.1", "gateway": "1.31.1"}


def package(folder: Path, file: str, name: str, said: str) -> None:
    content = said.encode()
    with tarfile.open(folder / file, "w:gz") as archive:
        member = tarfile.TarInfo(f"{name}/Chart.yaml")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize(
    ("charts", "asked"),
    [
        ("oci://r.example.com/charts", Source("oci://r.example.com/charts/base")),
        ("https://r.example.com/charts", Source("base", "https://r.example.com/charts")),
        ("http://127.0.0.1:8080", Source("base", "http://127.0.0.1:8080")),
        ("/srv/charts", Source("/srv/charts/base-1.31.1.tgz")),
        ("./charts", Source("./charts/base-1.31.1.tgz")),
    ],
)
def test_a_chart_is_found_in_a_registry_a_repository_and_a_folder(charts: str, asked: Source) -> None:
    assert source(charts, "base", "1.31.1") == asked
    assert chart_name(asked.chart) == "base"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("oci://r.example.com/charts/", "oci://r.example.com/charts"),
        ("http://10.0.0.1:8080/charts", "http://10.0.0.1:8080/charts"),
        ("../charts/", "../charts"),
        (None, None),
        ("", None),
    ],
)
def test_a_stack_names_a_mirror_or_none(written: str | None, read: str | None) -> None:
    assert parse_stack({"environment": "staging", "charts": written}, "qa").charts == read


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("r.example.com/charts", "is no place for charts"),
        ("charts", "is no place for charts"),
        ("ftp://r.example.com", "is no place for charts"),
        ("https://user:word@r.example.com", "holds credentials"),
        ("oci:///charts", "names no host"),
        ("https://r.example.com/charts?token=1", "names no host, or holds more"),
        ("https://[1/charts", "not a URL"),
        (["oci://r.example.com"], "valid string"),
    ],
)
def test_another_place_is_refused(written: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        parse_stack({"environment": "staging", "charts": written}, "qa")
    assert "Pulumi.qa.yaml: understudy:charts" in str(caught.value)
    assert "word" not in str(caught.value)


def test_a_folder_that_holds_every_chart_is_taken(tmp_path: Path) -> None:
    for name, version in WANTED.items():
        package(tmp_path, f"{name}-{version}.tgz", name, f"name: {name}\nversion: {version}\n")
    verify(str(tmp_path), WANTED, "qa")
    verify("oci://r.example.com/charts", WANTED, "qa")
    verify(None, WANTED, "qa")
    verify(str(tmp_path / "none"), {}, "qa")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("base", "name: base\nversion: 1.31.0\n", "base-1.31.1.tgz holds base 1.31.0"),
        ("base", "name: basis\nversion: 1.31.1\n", "base-1.31.1.tgz holds basis 1.31.1"),
        ("base", "[]", "base-1.31.1.tgz holds no chart"),
        ("base", "name: [", "base-1.31.1.tgz is no packaged chart base"),
        ("basis", "name: base\nversion: 1.31.1\n", "base-1.31.1.tgz is no packaged chart base"),
    ],
)
def test_a_folder_with_another_chart_is_refused(tmp_path: Path, name: str, content: str, said: str) -> None:
    package(tmp_path, "base-1.31.1.tgz", name, content)
    with pytest.raises(ConfigError) as caught:
        verify(str(tmp_path), WANTED, "qa")
    assert said in str(caught.value)
    assert f"{tmp_path}/gateway-1.31.1.tgz is not there" in str(caught.value)
    assert "fix: put there, by helm pull or helm package: gateway-1.31.1.tgz" in str(caught.value)


def test_a_file_that_is_no_archive_and_a_folder_that_is_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "base-1.31.1.tgz").write_text("<html>")
    with pytest.raises(ConfigError, match="is no packaged chart base"):
        verify(str(tmp_path), {"base": "1.31.1"}, "qa")
    with pytest.raises(ConfigError, match=r"Pulumi\.qa\.yaml: understudy:charts: there is no folder"):
        verify(str(tmp_path / "none"), WANTED, "qa")


def test_every_chart_of_an_environment_is_known_with_its_version() -> None:
    resolved, _ = derive(load("quikapp"), "staging")
    assert charts_of(resolved) == {
        "aws-load-balancer-controller": "1.13.4",
        "external-dns": "1.18.0",
        "external-secrets": "1.3.2",
        **dict.fromkeys(("base", "cni", "istiod", "gateway"), "1.31.1"),
    }
    assert charts_of(derive(load("spacetime"), "staging")[0]) == {}
