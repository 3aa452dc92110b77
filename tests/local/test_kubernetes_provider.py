"""What users meet of the official Kubernetes provider, on the real engine and a real API server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.control_plane import ControlPlane, kubectl
from tests.local.harness import Runner

pytestmark = [pytest.mark.engine]

Play = Callable[..., dict[str, Any]]
MUTABLE = {"enable_config_map_mutable": True, "enable_secret_mutable": True}
LABELS = {"app": "web"}


@pytest.fixture
def play(plane: ControlPlane, tmp_path: Any) -> Iterator[Play]:
    """Runs the resources through preview and up; every call is the next commit of one program."""
    runner = Runner(plane, tmp_path)
    calls: list[int] = []

    def run(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
        calls.append(1)
        return runner.play(len(calls), {"program": {"resources": list(resources), **more}})

    try:
        yield run
    finally:
        runner.destroy()
        kubectl("delete", "configmap", "cfg", "cfg2", "--ignore-not-found", "-n", "default", plane=plane)


def config_map(value: str, name: str = "cfg", **annotations: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", **({"annotations": annotations} if annotations else {})}
    return {
        "class": "pulumi_kubernetes.core.v1.ConfigMap",
        "name": "cm",
        "args": {"data": {"a": value}, "metadata": metadata},
    }


def deployment(cpu: str = "100m", namespace: str = "default", **annotations: str) -> dict[str, Any]:
    container = {"name": "web", "image": "nginx:1.27", "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}}}
    return {
        "class": "pulumi_kubernetes.apps.v1.Deployment",
        "name": "web",
        "args": {
            "metadata": {"name": "web", "namespace": namespace, "annotations": annotations},
            "spec": {
                "replicas": 2,
                "selector": {"match_labels": LABELS},
                "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [container]}},
            },
        },
    }


def operations(seen: dict[str, Any]) -> list[str]:
    return [step["op"] for step in seen["preview"] if not step["urn"].startswith("pulumi:providers:")]


def data(plane: ControlPlane, name: str = "cfg") -> str:
    return kubectl("get", "configmap", name, "-n", "default", "-o", "jsonpath={.data.a}", plane=plane)


def edit(plane: ControlPlane, value: str, manager: str) -> None:
    """Server-side apply by another manager."""
    patch = f'{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"cfg"}},"data":{{"a":"{value}"}}}}'
    file = plane.folder / "edit.json"
    file.write_text(patch, encoding="utf-8")
    arguments = ("--server-side", "--force-conflicts", f"--field-manager={manager}", "-n", "default")
    kubectl("apply", *arguments, "-f", str(file), plane=plane)


def test_a_field_that_another_manager_applies_is_a_conflict_until_it_is_forced(play: Play, plane: ControlPlane) -> None:
    assert play(config_map("1"), provider=MUTABLE)["up_exit"] == 0
    edit(plane, "other", "other")
    refused = play(config_map("2"), provider=MUTABLE)
    assert refused["up_exit"] == 1
    assert 'conflict with "other": .data.a' in "\n".join(refused["up_errors"])
    assert data(plane) == "other"
    forced = play(config_map("2", **{"pulumi.com/patchForce": "true"}), provider=MUTABLE)
    assert forced["up_exit"] == 0
    assert data(plane) == "2"


def test_an_object_that_is_there_already_is_not_taken_over(play: Play, plane: ControlPlane) -> None:
    kubectl("create", "configmap", "cfg", "--from-literal=a=somebody", "-n", "default", plane=plane)
    seen = play(config_map("1"))
    assert seen["up_exit"] == 1
    assert 'conflict with "kubectl-create" using v1: .data.a' in "\n".join(seen["up_errors"])
    assert data(plane) == "somebody"


def test_an_object_can_be_imported(play: Play, plane: ControlPlane) -> None:
    kubectl("create", "configmap", "cfg", "--from-literal=a=1", "-n", "default", plane=plane)
    seen = play({**config_map("1"), "opts": {"import_": "default/cfg"}}, provider={})
    assert (operations(seen), seen["up_exit"]) == (["import"], 0)
    again = play(config_map("1"), provider={})
    assert (operations(again), again["up_exit"]) == ([], 0)


def test_configuration_is_replaced_by_default_and_updated_when_it_is_declared_mutable(play: Play) -> None:
    play(config_map("1"))
    assert operations(play(config_map("2"))) == ["replace"]
    play(config_map("2"), provider=MUTABLE)
    assert operations(play(config_map("3"), provider=MUTABLE)) == ["update"]


def test_a_generated_name_lets_the_new_object_come_before_the_old_one_goes(play: Play, plane: ControlPlane) -> None:
    unnamed = {"class": "pulumi_kubernetes.core.v1.ConfigMap", "name": "auto", "args": {"data": {"a": "1"}}}
    first = play(unnamed)["state"]
    second = play({**unnamed, "args": {"data": {"a": "2"}}})
    assert operations(second) == ["replace"]
    names = [state["outputs"]["metadata"]["name"] for state in (first[-1], second["state"][-1])]
    assert len(set(names)) == 2
    assert all(name.startswith("auto-") for name in names)
    assert data(plane, names[1]) == "2"


def test_a_renamed_object_is_replaced(play: Play, plane: ControlPlane) -> None:
    play(config_map("1"), provider=MUTABLE)
    assert operations(play(config_map("1", "cfg2"), provider=MUTABLE)) == ["replace"]
    assert data(plane, "cfg2") == "1"


def test_a_manual_edit_is_found_by_a_refresh_and_repaired(play: Play, plane: ControlPlane) -> None:
    play(config_map("1"), provider=MUTABLE)
    kubectl("patch", "configmap", "cfg", "-n", "default", "-p", '{"data":{"a":"drift"}}', plane=plane)
    assert play(config_map("1"), provider=MUTABLE, refresh=True)["up_exit"] == 0
    assert data(plane) == "1"
    kubectl("delete", "configmap", "cfg", "-n", "default", plane=plane)
    assert play(config_map("1"), provider=MUTABLE, refresh=True)["up_exit"] == 0
    assert data(plane) == "1"


def test_an_immutable_field_replaces_and_deletes_first(play: Play) -> None:
    play(deployment())
    changed = deployment()
    spec = changed["args"]["spec"]
    labels = {"app": "other"}
    spec |= {"selector": {"match_labels": labels}, "template": {**spec["template"], "metadata": {"labels": labels}}}
    seen = play(changed)
    assert (operations(seen), seen["up_exit"]) == (["replace"], 0)
    assert any("selector" in key for step in seen["preview"] for key in step["detailedDiff"])


def test_what_never_becomes_ready_fails_and_is_kept_in_the_state(play: Play) -> None:
    seen = play(deployment("900", **{"pulumi.com/timeoutSeconds": "8"}))
    assert seen["up_exit"] == 1
    errors = "\n".join(seen["up_errors"])
    assert "was successfully created, but" in errors
    assert "timed out waiting to be Ready" in errors
    assert [state["id"] for state in seen["state"] if state["type"].endswith("Deployment")] == ["default/web"]
    assert play(deployment())["up_exit"] == 0


def test_a_quota_refuses_an_object_in_words(play: Play) -> None:
    namespace = {
        "class": "pulumi_kubernetes.core.v1.Namespace",
        "name": "ns",
        "args": {"metadata": {"name": "quota-test"}},
    }
    quota = {
        "class": "pulumi_kubernetes.core.v1.ResourceQuota",
        "name": "quota",
        "args": {
            "metadata": {"name": "quota", "namespace": "quota-test"},
            "spec": {"hard": {"pods": "1", "count/secrets": "0"}},
        },
        "opts": {"depends_on": ["ns"]},
    }
    secret = {
        "class": "pulumi_kubernetes.core.v1.Secret",
        "name": "secret",
        "args": {"metadata": {"name": "secret", "namespace": "quota-test"}, "string_data": {"a": "1"}},
        "opts": {"depends_on": ["quota"]},
    }
    web = {**deployment("100m", "quota-test", **{"pulumi.com/timeoutSeconds": "8"}), "opts": {"depends_on": ["quota"]}}
    assert play(namespace, quota)["up_exit"] == 0
    seen = play(namespace, quota, secret, web)
    assert seen["up_exit"] == 1
    errors = "\n".join(seen["up_errors"])
    assert (
        "exceeded quota: quota, requested: count/secrets=1, used: count/secrets=0, limited: count/secrets=0" in errors
    )


def test_what_the_api_server_refuses_is_said_in_its_own_words(play: Play) -> None:
    invalid = deployment()
    invalid["args"]["spec"]["replicas"] = -1
    seen = play(invalid)
    assert seen["up_exit"] == 1
    assert "spec.replicas: Invalid value: -1: must be greater than or equal to 0" in "\n".join(seen["up_errors"])
