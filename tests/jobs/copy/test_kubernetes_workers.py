"""The Indexed Job on a real API server; what its pods do is in test_accidents.py."""

from __future__ import annotations

import json

import pytest
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from config.errors import ExternalError
from jobs.sanitize.copy.kubernetes_workers import KubernetesWorkers, Place
from local.control_plane import ControlPlane
from tests.servers import until

pytestmark = pytest.mark.engine
PLACE = Place("fleet", "sanitize-workers", "registry.example.com/jobs@sha256:" + "0" * 64, "default", "connections")


@pytest.fixture
def api(plane: ControlPlane) -> client.ApiClient:
    found = config.new_client_from_config(str(plane.kubeconfig))
    body = {"metadata": {"name": "fleet", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    names = {item.metadata.name for item in client.CoreV1Api(found).list_namespace().items}
    if "fleet" not in names:
        client.CoreV1Api(found).create_namespace(body)
    return found


def test_the_job_and_its_keys_come_and_go(api: client.ApiClient) -> None:
    core, batch = client.CoreV1Api(api), client.BatchV1Api(api)
    with KubernetesWorkers(PLACE, 4, {"understudy.proof": "ab"}, api) as fleet:
        made = batch.read_namespaced_job("sanitize-workers", "fleet")
        assert (made.spec.completion_mode, made.spec.parallelism) == ("Indexed", 4)
        until(lambda: len(core.list_namespaced_pod("fleet").items) == 4, 30)
        keys = core.read_namespaced_secret("sanitize-workers", "fleet")
        assert keys.metadata.owner_references[0].uid == made.metadata.uid
        assert keys.immutable
        fleet.look()
    for read in (batch.read_namespaced_job, core.read_namespaced_secret):
        with pytest.raises(ApiException) as error:
            read("sanitize-workers", "fleet")
        assert error.value.status == 404
    until(lambda: core.list_namespaced_pod("fleet").items == [], 30)


def test_what_a_killed_refresh_left_is_replaced(api: client.ApiClient) -> None:
    KubernetesWorkers(PLACE, 1, {"a": "1"}, api).__enter__()
    with KubernetesWorkers(PLACE, 1, {"a": "2"}, api):
        import base64

        keys = client.CoreV1Api(api).read_namespaced_secret("sanitize-workers", "fleet")
        assert json.loads(base64.b64decode(keys.data["settings"])) == {"a": "2"}


def test_a_failed_job_is_said(api: client.ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with KubernetesWorkers(PLACE, 1, {}, api) as fleet:
        condition = type("C", (), {"type": "Failed", "status": "True", "message": "Job has failed indexes"})()
        answer = type("J", (), {"status": type("S", (), {"conditions": [condition]})()})()
        monkeypatch.setattr(fleet.batch, "read_namespaced_job_status", lambda *_: answer)
        with pytest.raises(ExternalError, match="the Job sanitize-workers failed: Job has failed indexes"):
            fleet.look()
