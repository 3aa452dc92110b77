"""Volumes of the local cluster, against an API server that is a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from local.volumes import provide

CLASS = {
    "metadata": {"name": "gp3"},
    "provisioner": "ebs.csi.aws.com",
    "volumeBindingMode": "WaitForFirstConsumer",
    "reclaimPolicy": "Delete",
}


def claim(phase: str = "Pending", size: str = "1Gi", has: str | None = None, **annotations: str) -> dict[str, Any]:
    status: dict[str, Any] = {"phase": phase, **({"capacity": {"storage": has}} if has else {})}
    chosen = {"volume.kubernetes.io/selected-node": "node-1"} if annotations.get("chosen") else {}
    spec: dict[str, Any] = {
        "storageClassName": "gp3",
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
    }
    if phase == "Bound":
        spec["volumeName"] = "pvc-u"
    metadata = {"name": "data", "namespace": "shop", "uid": "u", "annotations": chosen}
    return {"metadata": metadata, "spec": spec, "status": status}


class Server:
    """Answers lists, and writes down what is changed."""

    def __init__(self, claims: list[Any], classes: list[Any] | None = None, volumes: list[Any] | None = None) -> None:
        self.lists = {
            "/apis/storage.k8s.io/v1/storageclasses": [CLASS] if classes is None else classes,
            "/api/v1/persistentvolumeclaims": claims,
            "/api/v1/persistentvolumes": volumes or [],
        }
        self.changes: list[tuple[str, str, Any]] = []

    def request(self, method: str, url: str, **arguments: Any) -> Any:
        if method == "GET":
            return {"items": self.lists[url]}
        self.changes.append((method, url, arguments.get("json")))
        return {}


def done(server: Server, folder: Path) -> list[tuple[str, str]]:
    provide(server, folder)  # type: ignore[arg-type]  # as much of a client as it uses
    return [(method, url) for method, url, _ in server.changes]


def test_a_volume_is_made_once_the_scheduler_has_chosen(tmp_path: Path) -> None:
    assert done(Server([claim()]), tmp_path) == []
    server = Server([claim(chosen="yes")])
    assert done(server, tmp_path) == [("POST", "/api/v1/persistentvolumes")]
    body = server.changes[0][2]
    assert body["spec"]["claimRef"]["uid"] == "u"
    assert body["spec"]["capacity"] == {"storage": "1Gi"}
    assert body["spec"]["local"] == {"path": str(tmp_path / "pvc-u")}
    assert (tmp_path / "pvc-u").stat().st_mode & 0o777 == 0o777
    assert body["metadata"]["annotations"]["pv.kubernetes.io/provisioned-by"] == "ebs.csi.aws.com"


def test_one_that_grows_grows(tmp_path: Path) -> None:
    assert done(Server([claim("Bound", has="1Gi")]), tmp_path) == []
    server = Server([claim("Bound", size="2Gi", has="1Gi")])
    assert done(server, tmp_path) == [
        ("PATCH", "/api/v1/persistentvolumes/pvc-u"),
        ("PATCH", "/api/v1/namespaces/shop/persistentvolumeclaims/data/status"),
    ]


def test_one_whose_claim_is_gone_goes_with_what_it_holds(tmp_path: Path) -> None:
    def volume(policy: str) -> dict[str, Any]:
        spec = {"persistentVolumeReclaimPolicy": policy}
        return {"metadata": {"name": policy}, "status": {"phase": "Released"}, "spec": spec}

    for name in ("Delete", "Retain"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").touch()
    assert done(Server([], volumes=[volume("Delete"), volume("Retain")]), tmp_path) == [
        ("DELETE", "/api/v1/persistentvolumes/Delete")
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["Retain"]


def test_a_claim_of_no_class_is_left_alone(tmp_path: Path) -> None:
    assert done(Server([claim(chosen="yes")], classes=[]), tmp_path) == []
