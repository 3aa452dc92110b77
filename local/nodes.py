"""The nodes of a local cluster, and its storage class."""

from __future__ import annotations

from typing import Any

import httpx
import tenacity

from config.errors import ExternalError
from config.system import NodePool

from .node.placement import LABEL, SIMULATED

_CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
PODS_PER_NODE = 110
"""The kubelet's default."""


def make(client: httpx.Client, pool: NodePool) -> None:
    """Creates nodes of the declared size over the declared zones, and the default storage class; existing ones stay."""
    objects = [_node(index, pool) for index in range(pool.count)]
    present = {item["metadata"]["name"]: item for item in _simulated(client)}
    for node in objects:
        name = node["metadata"]["name"]
        if name in present and _same(present[name], node):
            continue
        if name in present:
            client.delete(f"/api/v1/nodes/{name}")
        _created(client.post("/api/v1/nodes", json=node))
    for name in sorted(present.keys() - {node["metadata"]["name"] for node in objects}):
        client.delete(f"/api/v1/nodes/{name}")
    storage = client.post(_CLASSES, json=STORAGE_CLASS)
    if storage.status_code == httpx.codes.CONFLICT:
        url = f"{_CLASSES}/{STORAGE_CLASS['metadata']['name']}"
        if client.get(url).json()["provisioner"] != STORAGE_CLASS["provisioner"]:  # its parameters are immutable
            client.delete(url)
            _created(client.post(_CLASSES, json=STORAGE_CLASS))
    else:
        _created(storage)
    _wait(client, pool.count)


def _simulated(client: httpx.Client) -> list[dict[str, Any]]:
    """Returns the existing simulated nodes."""
    nodes: list[dict[str, Any]] = client.get("/api/v1/nodes", params={"labelSelector": "type=kwok"}).json()["items"]
    return nodes


def _same(present: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Returns whether a node has the declared size, zone and simulation mark."""
    names = (LABEL, "topology.kubernetes.io/zone")
    labels = [[node["metadata"]["labels"].get(name) for name in names] for node in (present, wanted)]
    return bool(present["status"]["capacity"] == wanted["status"]["capacity"] and labels[0] == labels[1])


@tenacity.retry(
    stop=tenacity.stop_after_delay(60),
    wait=tenacity.wait_fixed(0.3),
    retry=tenacity.retry_if_exception_type(ExternalError),
    reraise=True,
)
def _wait(client: httpx.Client, count: int) -> None:
    """Waits until every node is Ready, and namespaces have their service account."""
    nodes = _simulated(client)
    ready = [node for node in nodes if _condition(node).get("status") == "True"]
    accounts = client.get("/api/v1/namespaces/default/serviceaccounts/default")
    if len(ready) != count or accounts.status_code != httpx.codes.OK:
        raise ExternalError(f"{len(ready)} of {count} nodes are ready")


def _condition(node: dict[str, Any]) -> dict[str, str]:
    return next((c for c in node["status"].get("conditions") or [] if c["type"] == "Ready"), {})


def _created(response: httpx.Response) -> None:
    if response.status_code not in (httpx.codes.CREATED, httpx.codes.OK):
        raise ExternalError(f"the API server refused an object: {response.json().get('message', response.text)}")


def _node(index: int, pool: NodePool) -> dict[str, Any]:
    name = f"node-{index}"
    amounts = {
        "cpu": str(pool.cpu),
        "memory": str(pool.memory),
        "ephemeral-storage": str(pool.storage),
        "pods": str(PODS_PER_NODE),
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "topology.kubernetes.io/region": "local",
                **_zone(index, pool),
                "type": "kwok",
                LABEL: SIMULATED,
            },
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "status": {"capacity": amounts, "allocatable": amounts},
    }


def _zone(index: int, pool: NodePool) -> dict[str, str]:
    """Returns the label of a node's zone; empty where no zones are declared, as for the nodes of kind or kubeadm."""
    if pool.zones == 1:
        return {}
    return {"topology.kubernetes.io/zone": f"local-{'abcdefghi'[index % pool.zones]}"}


STORAGE_CLASS: dict[str, Any] = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "understudy.dev/local",  # local/volumes.py
    "reclaimPolicy": "Delete",
    "volumeBindingMode": "Immediate",
    "allowVolumeExpansion": True,  # the API server requires it; a volume has the disk's space at any size
}
