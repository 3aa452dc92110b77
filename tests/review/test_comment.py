"""The reviewer's comment: verdict first, dangers next, always short enough, and nothing of a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from config.errors import ConfigError
from policies.rules import RULES
from policies.verdict import judge
from review.changes import StackChange, between, folded, planned
from review.comment import LIMIT, MARKER, Review, render
from review.compose import compose
from review.graph import Node
from review.parity_runner import judged
from tests.policies.fixtures import LEDGER, Spoil, added, change, good, spoiled, without
from tests.review.test_parity import edit, git, project

__all__ = ["project"]


def reviewed(*spoils: Spoil, nodes: list[Node] | None = None) -> Review:
    head = nodes or spoiled(*spoils)
    stacks = [between("production", good("production"), good("production")), between("staging", good(), head)]
    verdicts = {"staging": judge(head, RULES.values(), LEDGER, "staging")}
    return Review("base", "head", stacks, verdicts, [judged("spacetime", "staging", good("production"), head, [])])


def text(*spoils: Spoil) -> str:
    return render(reviewed(*spoils))[0]


def test_nothing_deployable_changed_is_one_line() -> None:
    lines = text().splitlines()
    assert lines[0] == MARKER
    assert lines[1].startswith("✅ Nothing deployable changed")
    assert len(lines) == 2


def test_what_cannot_be_undone_stands_on_top() -> None:
    said = text(
        change("StatefulSet", "redis", "spec.serviceName", "other"),
        without("PersistentVolumeClaim", "data-cockroachdb-2"),
        change("ConfigMap", "configuration", "data.LOG_LEVEL", "info"),
    )
    assert said.index("These cannot be undone") < said.index("<details>")
    assert "> - **replaced**: StatefulSet `redis`, because of `spec.serviceName`" in said
    assert "> - **deleted**: PersistentVolumeClaim `data-cockroachdb-2`" in said
    assert "2 destructive changes" in said.splitlines()[1]
    assert "- data.LOG_LEVEL: debug\n+ data.LOG_LEVEL: info" in said


PLATFORM = "quikapp-staging-platform"


def on_aws(*spoils: Spoil) -> str:
    head = spoiled(*spoils, stack=PLATFORM)
    verdicts = {PLATFORM: judge(head, RULES.values(), LEDGER, PLATFORM)}
    parity = judged("quikapp", PLATFORM, good("quikapp-production-platform"), head, [])
    return render(Review("base", "head", [between(PLATFORM, good(PLATFORM), head)], verdicts, [parity]))[0]


def test_another_major_version_of_an_engine_is_flagged() -> None:
    said = on_aws(
        change("Environment", "quikapp", "resolved.components.postgres.version", "17.4"),
        change("Environment", "quikapp", "resolved.components.redis.version", "7.2"),
        change("Cluster", "postgres", "engineVersion", "17.4"),
    )
    assert "1 engine major version" in said.splitlines()[1]
    assert "> - **engine major version**: `postgres.version`: `16.6` → `17.4`" in said
    assert "**engine major version**: `redis.version`" not in said


def test_what_stands_on_a_subnet_goes_with_it() -> None:
    said = on_aws(change("Subnet", "network-data-1", "cidrBlock", "10.50.28.0/22"))
    assert "> - **replaced**: Cluster `kafka`, because of `brokerNodeGroupInfo.clientSubnets[0]`" in said
    assert "**replaced**: Cluster `postgres`" not in said


def test_an_instance_class_is_an_update() -> None:
    said = on_aws(change("ClusterInstance", "postgres-1", "instanceClass", "db.r6g.2xlarge"))
    assert "`quikapp-staging-platform`: 1 updated" in said
    assert "These cannot be undone" not in said


def test_growing_a_volume_is_no_danger() -> None:
    said = text(change("PersistentVolumeClaim", "data-redis-0", "spec.resources.requests.storage", "12G"))
    assert "These cannot be undone" not in said


def test_violations_and_unexplained_differences_close_the_gate() -> None:
    image = "spec.template.spec.containers.0.image"
    review = reviewed(change("Deployment", "game-server", image, "r.example.com/a:latest"))
    assert review.blocked
    said = render(review)[0]
    assert said.splitlines()[1].startswith(
        "## 🛑 1 policy violation; staging would differ from production without a declaration"
    )
    assert "`workloads-pinned-images` `game-server`" in said
    assert "**unexplained**: `Deployment game-server`" in said


def test_a_declared_value_is_shown_with_its_reason(project: Path) -> None:
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "base")
    edit(project / "config" / "systems" / "spacetime.yaml", "storage: 20GB", "storage: 24GB")
    git(project, "commit", "-qam", "head")
    review = compose("HEAD~1", "HEAD", {}, project)
    assert not review.blocked
    said = render(review)[0]
    assert "`redis.storage`: `10G` → `12G` because storage at 50% of production" in said
    assert "`redis.storage`: `20G` → `24G`" in said
    assert "<b>redis</b>: 3 resource(s)" in said
    with pytest.raises(ConfigError, match="git has no commit 'gone'"):
        compose("gone", "HEAD", {}, project)
    with pytest.raises(ConfigError, match="there is no stack 'qa'"):
        compose("HEAD~1", "HEAD", {"qa": Path("x")}, project)


def test_secrets_are_masked_and_checksums_folded() -> None:
    said = text(
        change("Secret", "database-credentials", "stringData.redis-password", {"[secret]": True}),
        change("StatefulSet", "redis", "spec.template.metadata.annotations.understudy~dev/secrets", "0" * 16),
    )
    assert "0000000000000000" not in said
    assert "(1 checksum)" in said
    change_ = between("staging", good(), spoiled(change("Job", "cockroachdb-setup", "metadata.name", "x-0a1b2c3d")))
    assert all(folded(leaf) for leaf in change_.steps[0].leaves)


@pytest.mark.parametrize("count", [200, 3000])
def test_it_is_always_short_enough(count: int) -> None:
    nodes = good()
    added("kubernetes:core/v1:ConfigMap", "extra", {"data": {"k": "v" * 50}})(nodes)
    nodes += [{**nodes[-1], "urn": f"{nodes[-1]['urn']}{n}", "name": f"extra-{n}-{'x' * 40}"} for n in range(count)]
    review = reviewed(nodes=nodes)
    comment, whole = render(review)
    assert len(comment) <= LIMIT
    assert comment.startswith(MARKER)
    assert comment.count("```") % 2 == 0
    assert "staging" in comment
    assert whole is None or len(whole) > LIMIT
    if count == 3000:
        assert whole is not None
        assert "in the artifact of this run" in comment


def test_code_in_a_value_does_not_end_the_block() -> None:
    said = text(change("ConfigMap", "configuration", "data.X", "```\n@everyone\n"))
    assert "````diff" in said


def preview(steps: list[dict[str, Any]], folder: Path) -> Path:
    file = folder / "preview.json"
    file.write_text(json.dumps({"steps": steps}))
    return file


def test_the_engines_plan_takes_the_place_of_the_graphs(tmp_path: Path) -> None:
    urn = "urn:pulumi:staging::understudy::a$kubernetes:apps/v1:StatefulSet::redis"
    state = {"type": "kubernetes:apps/v1:StatefulSet", "inputs": {"spec": {"serviceName": "a"}}}
    steps: list[dict[str, Any]] = [
        {
            "op": "replace",
            "urn": urn,
            "replaceReasons": ["spec.serviceName"],
            "oldState": state,
            "newState": {**state, "inputs": {"spec": {"serviceName": "b"}}},
        },
        {"op": "create-replacement", "urn": urn},
        {"op": "same", "urn": "urn:pulumi:staging::understudy::pulumi:pulumi:Stack::s"},
    ]
    found = planned("staging", preview(steps, tmp_path), between("staging", good(), good()))
    assert found.source == "engine"
    [step] = found.steps
    assert (step.operation, step.name, step.destructive) == ("replace", "redis", True)
    assert (step.leaves[0].before, step.leaves[0].after) == ("a", "b")


@pytest.mark.parametrize("content", ["{", "[]", '{"steps": [{"op": "update"}]}'])
def test_a_preview_that_cannot_be_read_is_told(content: str, tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_text(content)
    with pytest.raises(ConfigError, match="not a preview"):
        planned("staging", file, StackChange("staging", ()))
