"""Volumes of classes that nobody here provides, against an API server that is a table."""

from __future__ import annotations

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


def done(server: Server) -> list[tuple[str, str]]:
    provide(server)  # type: ignore[arg-type]  # as much of a client as it uses
    return [(method, url) for method, url, _ in server.changes]


def test_a_volume_is_made_once_the_scheduler_has_chosen() -> None:
    assert done(Server([claim()])) == []
    server = Server([claim(chosen="yes")])
    assert done(server) == [("POST", "/api/v1/persistentvolumes")]
    body = server.changes[0][2]
    assert body["spec"]["claimRef"]["uid"] == "u"
    assert body["spec"]["capacity"] == {"storage": "1Gi"}
    assert body["metadata"]["annotations"]["pv.kubernetes.io/provisioned-by"] == "ebs.csi.aws.com"


def test_one_that_grows_grows() -> None:
    assert done(Server([claim("Bound", has="1Gi")])) == []
    server = Server([claim("Bound", size="2Gi", has="1Gi")])
    assert done(server) == [
        ("PATCH", "/api/v1/persistentvolumes/pvc-u"),
        ("PATCH", "/api/v1/namespaces/shop/persistentvolumeclaims/data/status"),
    ]


def test_one_whose_claim_is_gone_goes() -> None:
    def volume(policy: str) -> dict[str, Any]:
        spec = {"persistentVolumeReclaimPolicy": policy}
        return {"metadata": {"name": policy}, "status": {"phase": "Released"}, "spec": spec}

    assert done(Server([], volumes=[volume("Delete"), volume("Retain")])) == [
        ("DELETE", "/api/v1/persistentvolumes/Delete")
    ]


def test_what_the_controller_manager_provides_itself_is_left_to_it() -> None:
    own = {**CLASS, "provisioner": "kubernetes.io/host-path"}
    assert done(Server([claim(chosen="yes")], classes=[own])) == []
