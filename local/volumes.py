"""Volumes of the local cluster, for all storage classes: ``python -m local.volumes <kubeconfig> <folder>``.

The process does the work of the CSI sidecars external-provisioner and external-resizer: it waits until the scheduler
has chosen a node (where the class requires that), creates the volume, expands it, and deletes it with its claim. A
volume is a directory below the given one; pods on the real node write to it, and simulated pods do not.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from .api import ApiError, Client

_SELECTED = "volume.kubernetes.io/selected-node"
_PROVISIONED = "pv.kubernetes.io/provisioned-by"
_MINE = "understudy.dev/volumes"
_SECONDS = 0.3


def provide(client: Client, folder: Path) -> int:
    """Runs one round; returns the number of changes."""
    classes = client.request("GET", "/apis/storage.k8s.io/v1/storageclasses")["items"]
    storage_classes = {item["metadata"]["name"]: item for item in classes}
    claims = client.request("GET", "/api/v1/persistentvolumeclaims")["items"]
    return sum(1 for claim in claims for _ in _claim(client, claim, storage_classes, folder)) + _released(
        client, folder
    )


def _claim(client: Client, claim: dict[str, Any], known: dict[str, dict[str, Any]], folder: Path) -> Iterator[str]:
    metadata, spec, phase = claim["metadata"], claim["spec"], claim["status"].get("phase")
    storage_class = known.get(spec.get("storageClassName", ""))
    if storage_class is None or "deletionTimestamp" in metadata:
        return
    requested = spec["resources"]["requests"]["storage"]
    waits = storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"
    chosen = _SELECTED in metadata.get("annotations", {}) or not waits
    if phase == "Pending" and chosen and not spec.get("volumeName"):
        path = folder / f"pvc-{metadata['uid']}"
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o777)  # any user of a container may write to it
        client.request("POST", "/api/v1/persistentvolumes", json=_volume(claim, storage_class, requested, path))
        yield "made"
    elif phase == "Bound" and claim["status"].get("capacity", {}).get("storage") != requested:
        size = {"capacity": {"storage": requested}}
        headers = {"Content-Type": "application/merge-patch+json"}
        volume = f"/api/v1/persistentvolumes/{spec['volumeName']}"
        own = f"/api/v1/namespaces/{metadata['namespace']}/persistentvolumeclaims/{metadata['name']}/status"
        client.request("PATCH", volume, json={"spec": size}, headers=headers)
        client.request("PATCH", own, json={"status": size}, headers=headers)
        yield "grown"


def _volume(claim: dict[str, Any], storage_class: dict[str, Any], size: str, path: Path) -> dict[str, Any]:
    metadata = claim["metadata"]
    anywhere = {"key": "kubernetes.io/os", "operator": "Exists"}  # a local volume has to name its nodes
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": path.name,
            "labels": {_MINE: "true"},
            "annotations": {_PROVISIONED: storage_class["provisioner"]},
        },
        "spec": {
            "capacity": {"storage": size},
            "accessModes": claim["spec"]["accessModes"],
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": storage_class["metadata"]["name"],
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
            "local": {"path": str(path)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [anywhere]}]}},
        },
    }


def _released(client: Client, folder: Path) -> int:
    """Deletes volumes without a claim, with their data."""
    volumes = client.request("GET", "/api/v1/persistentvolumes", params={"labelSelector": f"{_MINE}=true"})["items"]
    released = [
        v["metadata"]["name"]
        for v in volumes
        if v["status"].get("phase") == "Released" and v["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    ]
    for name in released:
        shutil.rmtree(folder / name, ignore_errors=True)
        client.request("DELETE", f"/api/v1/persistentvolumes/{name}")
    return len(released)


def main() -> None:
    """Repeats until it is stopped; failures are retried in the next round."""
    client, folder = Client(Path(sys.argv[1])), Path(sys.argv[2])
    while True:
        try:
            provide(client, folder)
        except (httpx.HTTPError, ApiError) as error:
            print(error, file=sys.stderr, flush=True)
        time.sleep(_SECONDS)


if __name__ == "__main__":
    main()
