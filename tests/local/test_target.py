"""A user's cluster in place of a local one: what is refused, what is remembered, and what is left alone."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from config.errors import ConfigError, ExternalError
from doctor.cluster import Object
from local import target
from local.target import UsersCluster, chosen, forget, holds, refuse_foreign_namespace
from tests.e2e.stacks import small

AUTHORITY, OTHER = "ab" * 32, "cd" * 32
PRODUCTION = (
    "    cluster:\n      apiServerCidrs: [10.0.0.1/32]",
    f"    cluster:\n      caSha256: {OTHER}\n      apiServerCidrs: [10.0.0.1/32]",
)
STAGING = (
    "    cluster:\n      apiServerCidrs: [10.1.0.1/32]",
    f"    cluster:\n      caSha256: {OTHER}\n      apiServerCidrs: [10.1.0.1/32]",
)


class Live:
    """Stands for the user's cluster."""

    ca: str | None = AUTHORITY
    uid = "11111111-2222-3333-4444-555555555555"
    namespaces: tuple[str, ...] = ("kube-system",)

    def __init__(self, context: str | None) -> None:
        self.context = context or "here"

    def authority(self) -> str | None:
        return self.ca

    def version(self) -> str:
        return "v1.36.3"

    def server(self) -> str:
        return "https://cluster.example.com"

    def one(self, path: str) -> Object | None:
        found: Mapping[str, Any] = {"metadata": {"uid": self.uid, "name": path}}
        return found if path in [f"/api/v1/namespaces/{name}" for name in self.namespaces] else None


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[Live]:
    class Mine(Live):
        pass

    monkeypatch.setattr(target, "LiveCluster", Mine)
    config = tmp_path / "kube"
    names = ("here", "there")
    content = {
        "current-context": "there",
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "x"}} for name in names],
        "clusters": [{"name": name, "cluster": {"server": name, "certificate-authority": "ca.crt"}} for name in names],
        "users": [{"name": name, "user": {"exec": {"command": "./sign-in"}}} for name in names],
    }
    config.write_text(json.dumps(content))
    monkeypatch.setenv("KUBECONFIG", str(config))
    return Mine


def stack_file(
    folder: Path, *replacements: tuple[str, str], environment: str = "staging", pin: str | None = None
) -> Path:
    file = small(folder, *replacements, pin=pin)
    content = json.loads(file.read_text())
    content["config"]["understudy:environment"] = environment
    file.write_text(json.dumps(content))
    return file


def test_each_cluster_has_a_state_of_its_own(live: type[Live], tmp_path: Path) -> None:
    source = stack_file(tmp_path)
    local = chosen("small", None, tmp_path / "home", source)
    here = chosen("small", "here", tmp_path / "home", source)
    live.uid = "99999999-2222-3333-4444-555555555555"
    there = chosen("small", "there", tmp_path / "home", source)
    homes = [stack.engine.home for stack in (local, here, there)]
    assert len(set(homes)) == 3
    assert homes[0] == tmp_path / "home"
    assert homes[1] == tmp_path / "home" / "contexts" / "1111111122223333"
    assert [stack.file.parent for stack in (local, here, there)] == [home / "stacks" for home in homes]


def test_a_namespace_that_is_there_already_is_not_taken_over(live: type[Live], tmp_path: Path) -> None:
    stack = chosen("small", "here", tmp_path / "home", stack_file(tmp_path))
    refuse_foreign_namespace(stack)
    live.namespaces = ("kube-system", "shop-staging")
    with pytest.raises(ConfigError, match="'shop-staging' is there already, and this stack did not make it"):
        refuse_foreign_namespace(stack)
    backend = stack.engine.home / "state" / ".pulumi" / "stacks" / "understudy"
    backend.mkdir(parents=True)
    state = {"checkpoint": {"latest": {"resources": [{"urn": "a"}]}}}
    (backend / "small.json").write_text(json.dumps(state))
    refuse_foreign_namespace(stack)


def test_the_copy_of_the_stacks_file_is_pinned_to_the_cluster(live: type[Live], tmp_path: Path) -> None:
    stack = chosen("small", "here", tmp_path / "home", stack_file(tmp_path))
    stack._write_file()
    config = YAML(typ="safe", pure=True).load(stack.file.read_text())["config"]
    assert config["understudy:clusterCaSha256"] == AUTHORITY
    assert config["understudy:context"] == "here"
    assert config["understudy:placeholders"] is True


def test_a_protected_environment_gets_no_placeholders(live: type[Live], tmp_path: Path) -> None:
    stack = chosen("small", "here", tmp_path / "home", stack_file(tmp_path, environment="production", pin=AUTHORITY))
    assert stack.plane.settings() == {"clusterCaSha256": AUTHORITY, "context": "here"}


def test_the_users_kubeconfig_is_only_read(live: type[Live], tmp_path: Path) -> None:
    file = tmp_path / "kube"
    before = file.read_bytes(), file.stat().st_mtime_ns
    copy = chosen("small", "here", tmp_path / "home", stack_file(tmp_path)).plane.kubeconfig
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    content = json.loads(copy.read_text())
    assert content["current-context"] == "here"
    assert [entry["name"] for entry in content["contexts"]] == ["here"]
    assert content["contexts"][0]["context"]["namespace"] == "x"
    assert content["clusters"][0]["cluster"] == {"server": "here", "certificate-authority": str(tmp_path / "ca.crt")}
    assert content["users"][0]["user"]["exec"]["command"] == str(tmp_path / "sign-in")


REFUSED = [
    ("protected, pinned elsewhere", "production", (PRODUCTION,), None, f"protected and belongs to {OTHER[:16]}… *; the context leads to {AUTHORITY[:16]}"),
    ("protected, pinned nowhere", "production", (), None, "protected and belongs to no cluster"),
    ("protected, pinned elsewhere by its stack", "production", (), OTHER, "protected and belongs to"),
]  # fmt: skip


@pytest.mark.parametrize(("environment", "pieces", "pin", "said"), [pytest.param(*c[1:], id=c[0]) for c in REFUSED])
def test_a_protected_environment_is_never_taken_elsewhere(
    environment: str,
    pieces: tuple[tuple[str, str], ...],
    pin: str | None,
    said: str,
    live: type[Live],
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigError, match=said.replace(" *", "")):
        chosen("small", "here", tmp_path / "home", stack_file(tmp_path, *pieces, environment=environment, pin=pin))
    assert not (tmp_path / "home").exists()


def test_a_protected_environment_comes_up_on_its_own_cluster(live: type[Live], tmp_path: Path) -> None:
    live.ca = OTHER
    source = stack_file(tmp_path, PRODUCTION, environment="production")
    assert isinstance(chosen("small", "here", tmp_path / "home", source).plane, UsersCluster)


def test_no_environment_runs_on_anothers_cluster(live: type[Live], tmp_path: Path) -> None:
    live.ca = OTHER
    with pytest.raises(ConfigError, match="leads to the cluster of production; staging does not belong there"):
        chosen("small", "here", tmp_path / "home", stack_file(tmp_path, PRODUCTION))


def test_a_declared_cluster_is_left_only_with_a_word(
    live: type[Live], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen("small", "here", tmp_path / "home", stack_file(tmp_path, STAGING))
    assert f"staging is declared to belong to the cluster {OTHER[:16]}" in capsys.readouterr().err


@pytest.mark.parametrize("stack", ["quikapp-staging", "quikapp-staging-platform"])
def test_a_context_does_not_stand_for_a_platform(stack: str, live: type[Live], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="AWS account"):
        chosen(stack, "here", tmp_path / "home")


def test_a_cluster_without_an_authority_is_pinned_by_its_uid(live: type[Live], tmp_path: Path) -> None:
    live.ca = None
    with pytest.raises(ConfigError, match=f"kubeSystemUid: {live.uid}"):
        chosen("small", "here", tmp_path / "home", stack_file(tmp_path))
    pinned = ("    cluster:\n      apiServerCidrs: [10.1.0.1/32]", f"    cluster:\n      kubeSystemUid: {live.uid}\n      apiServerCidrs: [10.1.0.1/32]")  # fmt: skip
    stack = chosen("small", "here", tmp_path / "home", stack_file(tmp_path, pinned))
    assert "clusterCaSha256" not in stack.plane.settings()


def held(home: Path, live: type[Live], resources: int = 1) -> Path:
    """A state of the stack on the cluster."""
    place = home / "contexts" / live.uid.replace("-", "")[:16]
    file = place / "state" / ".pulumi" / "stacks" / "understudy" / "small.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"checkpoint": {"latest": {"resources": [{}] * resources}}}))
    return place


def test_a_context_that_leads_elsewhere_is_refused_until_the_cluster_is_forgotten(
    live: type[Live], tmp_path: Path
) -> None:
    home, source = tmp_path / "home", stack_file(tmp_path)
    chosen("small", "here", home, source)
    place = held(home, live)
    live.uid = "99999999-2222-3333-4444-555555555555"
    with pytest.raises(ConfigError, match="where small is up; now it leads to 9999999922223333"):
        chosen("small", "here", home, source)
    assert forget("here", home) == "here: forgotten, with the state of small"
    assert not place.exists()
    assert chosen("small", "here", home, source).engine.home.name == "9999999922223333"
    with pytest.raises(ConfigError, match="nothing is known of 'nowhere'; known: here"):
        forget("nowhere", home)


def test_a_context_whose_cluster_held_nothing_may_lead_elsewhere(live: type[Live], tmp_path: Path) -> None:
    home, source = tmp_path / "home", stack_file(tmp_path)
    chosen("small", "here", home, source)
    place = held(home, live, resources=0)
    live.uid = "99999999-2222-3333-4444-555555555555"
    assert chosen("small", "here", home, source).engine.home != place
    assert holds(place) == []


def test_a_users_cluster_is_neither_stopped_nor_written_past_the_engine(live: type[Live], tmp_path: Path) -> None:
    plane = chosen("small", "here", tmp_path / "home", stack_file(tmp_path)).plane
    plane.down()
    plane.remove()
    with pytest.raises(ExternalError, match="is the user's"):
        plane.restart_api_server()
    with plane.client() as client:
        assert client.get("/api/v1/namespaces/kube-system").json()["metadata"]["uid"] == live.uid
        assert client.get("/api/v1/namespaces/x").status_code == 404
        with pytest.raises(ExternalError, match="only read"):
            client.delete("/api/v1/namespaces/kube-system")
    assert plane.status() == {"context": "here", "server": "https://cluster.example.com", "version": "v1.36.3"}
    assert "not run" not in plane.statement()
    assert plane.kubectl() == "kubectl --context here"
