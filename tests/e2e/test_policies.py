"""The pack on the real engine: the first preview is clean, a bad program is rejected before anything is made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.commands import GATED
from local.control_plane import kubectl
from local.stack import LocalStack
from policies.rules import RULES
from review.alignment import aligned
from review.graph import graph
from review.parity import compare
from review.state import exported
from tests.e2e.stacks import running, small
from tests.policies.fixtures import findings

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("policies")]
BAD = (
    "configuration:\n  data",
    """\
  extra:
    kind: manifests
    objects:
      - apiVersion: v1
        kind: ConfigMap
        metadata: {name: extra}
        data: {url: "http://db.shop.svc.cluster.local", mode: insecure}
      - apiVersion: apps/v1
        kind: Deployment
        metadata: {name: extra}
        spec:
          replicas: 1
          selector: {matchLabels: {app: extra}}
          template:
            metadata: {labels: {app: extra}}
            spec:
              hostNetwork: true
              containers:
                - name: c
                  image: registry.example.com/c:latest
                  env: [{name: API_TOKEN, value: in-the-clear}]
                  resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}
configuration:
  data""",
)


def violations(stack: LocalStack, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, set[tuple[str, str]]]:
    """The exit code, and policy and URN of every violation."""
    monkeypatch.setenv("PULUMI_DEBUG_COMMANDS", "true")  # for --event-log
    log = stack.engine.home / "events.json"
    log.unlink(missing_ok=True)
    result = stack.pulumi(*arguments, *GATED, "--event-log", str(log), capture=True)
    events: list[dict[str, Any]] = [json.loads(line) for line in log.read_text().splitlines()]
    found = {(e["policyEvent"]["policyName"], e["policyEvent"]["resourceUrn"]) for e in events if "policyEvent" in e}
    assert all(e["policyEvent"]["enforcementLevel"] == "mandatory" for e in events if "policyEvent" in e)
    return result.returncode, found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("policies")
    with running("small", folder / "home", small(folder)) as stack:
        yield stack


def test_the_first_preview_of_staging_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running("staging", tmp_path / "home") as stack:
        assert violations(stack, monkeypatch, "preview") == (0, set())


def test_a_bad_program_is_rejected_before_anything_is_made(
    shop: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = small(tmp_path, BAD)
    bad = LocalStack(shop.name, shop.engine, file)
    bad._write_file()
    code, seen = violations(bad, monkeypatch, "up", "--yes")
    assert code != 0
    assert "shop-staging" not in kubectl("get", "namespaces", "-o", "name", plane=bad.plane)
    offline = {(finding.rule, finding.urn) for finding in findings(graph("small", file), RULES.values())}
    assert {urn.rpartition("::")[2] for _, urn in offline} == {"extra-configmap-extra", "extra-deployment-extra"}
    assert seen == offline
    assert {policy for policy, _ in seen} >= {
        "isolation-foreign-names",
        "isolation-credential-origin",
        "workloads-pod-security",
        "workloads-pinned-images",
    }


def test_a_pack_that_cannot_start_fails_the_gate(shop: LocalStack, tmp_path: Path) -> None:
    (tmp_path / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (tmp_path / "__main__.py").write_text("raise SystemExit('no ledger')\n")
    result = shop.pulumi("preview", "--policy-pack", str(tmp_path), capture=True)
    assert result.returncode != 0
    assert "failed to start" in result.stdout + result.stderr


def test_the_pack_stands_on_its_own(shop: LocalStack, tmp_path: Path) -> None:
    """From another folder, under another name, with nothing of the program beside it."""
    pack = shutil.copytree(GATED[1], tmp_path / "published")
    shop._write_file()
    result = shop.pulumi("preview", "--policy-pack", str(pack), capture=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "understudy@v1.0.0" in result.stdout


def test_the_small_system_passes(shop: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the bad one: its declaration is back."""
    shop._write_file()
    assert violations(shop, monkeypatch, "up", "--yes", "--skip-preview") == (0, set())
    assert violations(shop, monkeypatch, "preview") == (0, set())
    state = tmp_path / "small.json"
    state.write_text(json.dumps({"version": 3, "deployment": shop.export()}))
    deployed = exported(state)
    assert aligned(deployed).keys() == aligned(graph("small", shop.source)).keys()
    assert compare(deployed, deployed) == []
