"""What an earlier version left, and this version's program: nothing that holds data is replaced or deleted."""

from __future__ import annotations

import gzip
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from config.reading.kubeconfig import fingerprint
from local.control_plane import kubectl
from local.stack import LocalStack
from review.changes import STATEFUL
from tests.e2e.record_release import FOLDER, engine

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("upgrade")]
STATES = sorted(FOLDER.glob("*/*.json.gz"))
"""``<release>/<stack>.json.gz``."""
LOST = ("replace", "create-replacement", "delete-replaced", "delete")


def test_there_are_states_of_both_kinds() -> None:
    assert {file.name.partition(".")[0] for file in STATES} == {"staging", "quikapp-staging-platform"}


def here(deployment: dict[str, Any], stack: LocalStack) -> dict[str, Any]:
    """The state as if its cluster had been this one: another cluster would be another provider, rightly."""
    written = json.dumps(deployment)
    for resource in deployment["resources"]:
        pinned = resource.get("inputs", {}).get("clusterIdentifier", "")
        if re.fullmatch(r"[0-9a-f]{64}", pinned):
            written = written.replace(pinned, fingerprint(stack.plane.authority()))
        if resource["type"] == "aws:eks/cluster:Cluster":
            cluster = json.loads(stack.plane.kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]
            was = resource["outputs"]
            written = written.replace(was["endpoint"], cluster["server"])
            written = written.replace(was["certificateAuthority"]["data"], cluster["certificate-authority-data"])
    changed: dict[str, Any] = json.loads(written)
    return changed


def make(deployment: dict[str, Any], stack: LocalStack) -> None:
    """The state's objects in the cluster, with other values for its secrets: a preview asks the API server about each."""
    resources = [
        r for r in deployment["resources"] if r["type"].startswith("kubernetes:") and "helm.sh" not in r["type"]
    ]
    file = stack.plane.folder / "object.json"
    for resource in sorted(resources, key=lambda r: r["inputs"]["kind"] != "Namespace"):
        body = visible(resource["inputs"])
        if body.get("data") == "c2VjcmV0":
            body["data"] = dict.fromkeys(("tls.crt", "tls.key"), "c2VjcmV0")
        file.write_text(json.dumps(body), encoding="utf-8")
        manager = f"--field-manager={resource['outputs'].get('__fieldManager', 'kubectl')}"
        kubectl("apply", "--server-side", "--force-conflicts", manager, "-f", str(file), plane=stack.plane)


def visible(value: Any) -> Any:
    """A copy with ``c2VjcmV0`` (base64) for everything that is encrypted."""
    if isinstance(value, dict):
        if "4dabf18193072939515e22adb298388d" in value:
            return "c2VjcmV0"
        return {key: visible(item) for key, item in value.items() if key != "__defaults"}
    return [visible(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("file", STATES, ids=lambda file: f"{file.parent.name}-{file.name.partition('.')[0]}")
def test_nothing_stateful_is_lost(file: Path, tmp_path: Path) -> None:
    stack = LocalStack(file.name.partition(".")[0], engine(tmp_path / "home"))
    try:
        stack.start()
        deployment = here(json.loads(gzip.decompress(file.read_bytes())), stack)
        stack._import(deployment)
        make(deployment, stack)
        result = stack.pulumi("preview", "--json", capture=True)
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
        preview = json.loads(result.stdout)
    finally:
        stack.plane.remove()
        if stack.account:
            stack.account.down()
    summary = preview["changeSummary"]
    assert summary.get("same", 0) + summary.get("update", 0) > 100  # it is the same stack: names have not moved
    lost = {step["urn"]: step["op"] for step in preview["steps"] if step["op"] in LOST}
    types = {urn: urn.split("::")[2].rpartition("$")[2] for urn in lost}
    assert not {urn for urn in lost if any(fnmatchcase(types[urn], pattern) for pattern in STATEFUL)}
