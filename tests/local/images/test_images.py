"""Images as they are really made: every program says its version inside its image."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.images import PAUSE, STANDS_IN, Images, build
from local.images.layers import layer, text
from local.images.maker import CACHE
from local.images.table import table, tagged
from tests.local.images.unpacked import Unpacked, document

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("images")]
OWN = "registry.test/shop:1"
WANTED = {name: f"{recipe.repositories[0]}:1" for name, recipe in table().images.items()}


@pytest.fixture(scope="module")
def images() -> Images:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        reason = "images are tried out by root on Debian"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return build({*WANTED.values(), OWN, "grafana/grafana:1"})


@pytest.fixture(scope="module")
def unpacked(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Unpacked]:
    folder = tmp_path_factory.mktemp("images")
    yield Unpacked(images.archive, folder)
    shutil.rmtree(folder)


def test_what_was_wanted_is_there_or_missing(images: Images) -> None:
    assert images.available.keys() == {*WANTED.values(), OWN}
    assert images.available[OWN] == STANDS_IN
    assert images.missing.keys() == {"grafana/grafana:1"}
    assert "{" not in "".join(images.available.values())


@pytest.mark.parametrize("name", WANTED)
def test_a_program_says_the_version_that_was_promised(images: Images, unpacked: Unpacked, name: str) -> None:
    recipe, reference = table().images[name], WANTED[name]
    said = unpacked.run(tagged(reference), *recipe.prints)
    promised = next(
        word for word in images.available[reference].split() if word[0].isdigit() or word[:2] in ("v0", "v1", "v2")
    )
    assert promised.removeprefix("v") in said


@pytest.mark.parametrize("name", WANTED)
def test_the_users_of_the_official_image_are_there(unpacked: Unpacked, name: str) -> None:
    users = {**table().base.users, **table().images[name].users}
    for user, uid in users.items():
        said = unpacked.run(tagged(WANTED[name]), "sh", "-c", "id -u; id -un; id -g", user=f"{uid}:{uid}")
        assert said.split() == [str(uid), user, str(uid)]


def test_what_the_components_scripts_call_is_there(unpacked: Unpacked) -> None:
    common = "sh cat cmp cp cut date getent grep gzip head mkdir mv printf rm sed sha256sum sleep sort sync tail timeout uniq"
    for name, more in {
        "redis": "redis-cli redis-server",
        "postgresql": "initdb pg_basebackup pg_ctl pg_isready psql",
    }.items():
        for program in f"{common} {more}".split():
            unpacked.run(tagged(WANTED[name]), "sh", "-c", f"command -v {program}", user="999:999")


def test_the_archive_is_small_and_has_the_pause_image(images: Images, unpacked: Unpacked) -> None:
    assert images.archive.stat().st_size < 500e6
    assert f"docker.io/{PAUSE}" in unpacked.configs
    assert unpacked.run(f"docker.io/{PAUSE}", "sleep", "0") == ""


def test_the_layers_are_shared(images: Images) -> None:
    with tarfile.open(images.archive) as tar:
        files = [name for name in tar.getnames() if name.endswith("/layer.tar")]
        manifest = document(tar, "manifest.json")
    assert len(files) == len(set(files))
    assert sum(each["Layers"][0] == manifest[0]["Layers"][0] for each in manifest) > len(WANTED)


def test_the_placeholder_knows_its_image(unpacked: Unpacked) -> None:
    config = json.loads((unpacked.root(tagged(OWN)) / "etc/placeholder/config.json").read_text())
    assert config["image"] == OWN
    assert unpacked.configs[tagged(OWN)]["config"]["Entrypoint"] == ["/placeholder"]


def test_the_same_again_makes_nothing(images: Images) -> None:
    before = {file: file.stat().st_mtime_ns for file in (CACHE / "layers").iterdir()}
    assert build({*WANTED.values(), OWN, "grafana/grafana:1"}) == images
    assert {file: file.stat().st_mtime_ns for file in (CACHE / "layers").iterdir()} == before


def test_a_layer_that_was_killed_half_way_is_made_anew(tmp_path: Path) -> None:
    def interrupted(archive: tarfile.TarFile) -> dict[str, str]:
        text(archive, "/a", "half")
        raise KeyboardInterrupt

    def whole(archive: tarfile.TarFile) -> dict[str, str]:
        text(archive, "/a", "whole")
        return {"package": "1"}

    with pytest.raises(KeyboardInterrupt):
        layer(tmp_path, "one", interrupted)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "one.tar").write_bytes(b"of a run that was killed between its two files")
    made = layer(tmp_path, "one", whole)
    assert made == layer(tmp_path, "one", interrupted)
    with tarfile.open(made.file) as tar:
        assert tar.extractfile("a").read() == b"whole"
    assert made.versions == {"package": "1"}
