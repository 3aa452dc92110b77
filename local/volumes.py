"""Volumes of storage classes whose provisioner is not here, such as a cloud's: ``python -m local.volumes <kubeconfig>``.

It does what the Kubernetes CSI sidecars external-provisioner and -resizer would: it waits until the scheduler has chosen a node
(where the class asks for that), makes the volume, lets it grow, and removes it with its claim. Nothing is ever written to it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from .api import ApiError, Client

OTHERS = "kubernetes.io/host-path"
"""The controller manager provides these itself."""
_SELECTED = "volume.kubernetes.io/selected-node"
_PROVISIONED = "pv.kubernetes.io/provisioned-by"
_MINE = "understudy.dev/volumes"
_SECONDS = 0.3


def classes(client: Client) -> dict[str, dict[str, Any]]:
    """Name to class, of those that are provided here."""
    found = client.request("GET", "/apis/storage.k8s.io/v1/storageclasses")["items"]
    return {item["metadata"]["name"]: item for item in found if item["provisioner"] != OTHERS}


def provide(client: Client) -> int:
    """One round; how many things were done."""
    known = classes(client)
    if not known:
        return 0
    claims = client.request("GET", "/api/v1/persistentvolumeclaims")["items"]
    return sum(1 for claim in claims for _ in _claim(client, claim, known)) + _released(client)


def _claim(client: Client, claim: dict[str, Any], known: dict[str, dict[str, Any]]) -> Iterator[str]:
    metadata, spec, phase = claim["metadata"], claim["spec"], claim["status"].get("phase")
    storage_class = known.get(spec.get("storageClassName", ""))
    if storage_class is None or "deletionTimestamp" in metadata:
        return
    wanted = spec["resources"]["requests"]["storage"]
    waits = storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"
    chosen = _SELECTED in metadata.get("annotations", {}) or not waits
    if phase == "Pending" and chosen and not spec.get("volumeName"):
        client.request("POST", "/api/v1/persistentvolumes", json=_volume(claim, storage_class, wanted))
        yield "made"
    elif phase == "Bound" and claim["status"].get("capacity", {}).get("storage") != wanted:
        size = {"capacity": {"storage": wanted}}
        headers = {"Content-Type": "application/merge-patch+json"}
        volume = f"/api/v1/persistentvolumes/{spec['volumeName']}"
        own = f"/api/v1/namespaces/{metadata['namespace']}/persistentvolumeclaims/{metadata['name']}/status"
        client.request("PATCH", volume, json={"spec": size}, headers=headers)
        client.request("PATCH", own, json={"status": size}, headers=headers)
        yield "grown"


def _volume(claim: dict[str, Any], storage_class: dict[str, Any], size: str) -> dict[str, Any]:
    metadata = claim["metadata"]
    name = f"pvc-{metadata['uid']}"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": name,
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
            "csi": {"driver": storage_class["provisioner"], "volumeHandle": name},
        },
    }


def _released(client: Client) -> int:
    """Volumes whose claim is gone."""
    volumes = client.request("GET", "/api/v1/persistentvolumes", params={"labelSelector": f"{_MINE}=true"})["items"]
    gone = [
        v["metadata"]["name"]
        for v in volumes
        if v["status"].get("phase") == "Released" and v["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    ]
    for name in gone:
        client.request("DELETE", f"/api/v1/persistentvolumes/{name}")
    return len(gone)


def main() -> None:
    """Round after round, until somebody stops it; what fails is tried again in the next."""
    client = Client(Path(sys.argv[1]))
    while True:
        try:
            provide(client)
        except (httpx.HTTPError, ApiError) as error:
            print(error, file=sys.stderr, flush=True)
        time.sleep(_SECONDS)


if __name__ == "__main__":
    main()
