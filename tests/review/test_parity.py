"""Parity: what is declared is explained, everything else is seen."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from config.errors import ConfigError
from review.allow import FILE, read, settle
from review.graph import ROOT, Node, graph
from review.parity import FAILING, Difference, compare
from review.parity_runner import judge, judge_live, stacks_of
from review.report import Parity, as_json, as_markdown
from tests.components.application import CANARY, CANARY_IMAGE, changed, shipped
from tests.components.aws.platform import changed as platform
from tests.components.graphs import recorded
from tests.declared import declared, unfaithful
from tests.declared import graph as graph_of
from tests.policies.fixtures import added, change, good, option, spoiled, without

TODAY = date(2026, 11, 20)


def failing(staging: list[Node], production: list[Node] | None = None) -> list[tuple[str, str, str]]:
    differences = compare(production or good("production"), staging)
    return [(d.kind, d.resource, d.path) for d in differences if d.kind in ("missing", "extra", "unexplained")]


def test_spacetimes_staging_is_its_production_but_for_what_was_declared() -> None:
    assert failing(good()) == []
    kinds = {(d.resource, d.path): d for d in compare(good("production"), good())}
    storage = kinds["PersistentVolumeClaim data-cockroachdb-0", "spec.resources.requests.storage"]
    assert (storage.kind, storage.production, storage.staging) == ("scaled", "100G", "50G")
    assert storage.because == "storage at 50% of production"
    settings = kinds["ConfigMap cockroachdb-setup", 'data["statements.sql"]']
    assert settings.kind == "changed"
    assert "find slow queries" in (settings.because or "")
    assert kinds["StatefulSet redis", "metadata.namespace"].kind == "identity"


def judged_staging(production_ref: str | None = None, project: Path = ROOT) -> Parity:
    return next(parity for parity in judge("spacetime", production_ref, project) if parity.stack == "staging")


def test_spacetimes_laptop_is_its_production_but_for_what_was_declared() -> None:
    assert failing(good("laptop")) == []


def test_quikapp_is_its_production_but_for_what_was_declared() -> None:
    found = {parity.stack: parity for parity in judge("quikapp")}
    assert found.keys() == {"quikapp-staging-platform", "quikapp-staging"}
    assert all(parity.faithful for parity in found.values())
    parity = found["quikapp-staging-platform"]
    classes = {d.resource: (d.production, d.staging) for d in parity.differences if d.path == "instanceClass"}
    assert classes["ClusterInstance postgres-1"] == ("db.r6g.2xlarge", "db.r6g.xlarge")


@pytest.mark.parametrize("mirror", ["/srv/charts", "https://charts.example.com"])
def test_a_mirror_of_charts_is_each_stacks_own_and_another_chart_is_not(mirror: str) -> None:
    production, staging = good("quikapp-production-platform"), platform(stack=json.dumps({"charts": mirror}))
    found = compare(production, list(staging))
    assert not [d for d in found if d.kind in FAILING]
    assert {d.because for d in found if d.path == "chart"} == {"each stack says where its charts come from"}
    other = copy.deepcopy(list(staging))
    change("Release", "mesh-istio-cni", "chart", f"{mirror}/x")(other)
    assert failing(other, production) == [("unexplained", "Release mesh-istio-cni", "chart")]


def test_a_canary_is_explained_and_its_share_too() -> None:
    production, staging = list(shipped("quikapp-production")), list(changed(CANARY, images=CANARY_IMAGE))
    found = compare(production, staging)
    assert not [d for d in found if d.kind in FAILING]
    explained = {d.resource for d in found if d.because == "the next release is tried on some requests"}
    assert {"Deployment backend-canary", "VirtualService backend", "VirtualService hosts-domain"} <= explained


def test_a_share_that_nobody_declared_is_seen() -> None:
    production, staging = list(shipped("quikapp-production")), [dict(n) for n in shipped()]
    route = next(n for n in staging if n["name"] == "hosts-domain" and n["type"].endswith(":VirtualService"))
    route["inputs"] = json.loads(json.dumps(route["inputs"]).replace('"weight": 100', '"weight": 90'))
    assert [d.path for d in compare(production, staging) if d.kind in FAILING] == ["spec.http.all.route[0].weight"]


def test_an_address_is_explained_at_the_same_place_of_a_network_only() -> None:
    production = good("quikapp-production-platform")
    for address, kind in (("10.50.0.2", "identity"), ("10.50.0.9", "unexplained"), ("10.60.0.2", "unexplained")):
        staging = spoiled(change("Endpoint", "vpn", "dnsServers", [address]), stack="quikapp-staging-platform")
        [found] = [d for d in compare(production, staging) if d.path == "dnsServers[0]"]
        assert (found.kind, found.production) == (kind, "10.40.0.2")


def test_zones_that_one_environment_alone_declares_are_explained() -> None:
    unzoned = [dict(node) for node in recorded(("100Gi, zones: 3", "100Gi"))]
    found = compare(list(recorded(environment="production")), unzoned)
    assert not [d for d in found if d.kind in FAILING and "topologySpread" in d.path]
    zoned = [d for d in found if "topology.kubernetes.io/zone" in d.path]
    assert {d.kind for d in zoned} == {"identity"}
    assert {d.resource for d in zoned} >= {"Deployment web", "Deployment worker"}


def test_a_constraint_that_is_missing_with_the_same_zones_is_seen() -> None:
    staging = spoiled(change("Deployment", "game-server", "spec.template.spec.topologySpreadConstraints.0"))
    paths = [d.path for d in compare(good("production"), staging) if d.kind in FAILING]
    assert paths
    assert all("topology.kubernetes.io/zone" in path for path in paths)


def test_an_environment_is_itself() -> None:
    assert compare(good("production"), good("production")) == []


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (
            change("Deployment", "game-server", "spec.template.spec.terminationGracePeriodSeconds", 5),
            ("unexplained", "Deployment game-server", "spec.template.spec.terminationGracePeriodSeconds"),
        ),
        (
            change("StatefulSet", "cockroachdb", "spec.template.spec.containers.0.resources.limits.cpu", "1500m"),
            (
                "unexplained",
                "StatefulSet cockroachdb",
                "spec.template.spec.containers.cockroachdb.resources.limits.cpu",
            ),
        ),
        (
            change("ConfigMap", "configuration", "data.NEW_KEY", "x"),
            ("unexplained", "ConfigMap configuration", "data.NEW_KEY"),
        ),
        (
            change("ConfigMap", "redis", "data.redis~conf", "protected-mode no\n"),
            ("unexplained", "ConfigMap redis", 'data["redis.conf"]'),
        ),
        (without("PodDisruptionBudget", "redis"), ("missing", "PodDisruptionBudget redis", "")),
        (
            added("kubernetes:core/v1:ConfigMap", "debug", {"data": {}}),
            ("extra", "ConfigMap debug", ""),
        ),
        (
            option("Service", "redis-master", "protect", value=True),
            ("unexplained", "Service redis-master", "(options).protect"),
        ),
    ],
)
def test_what_nobody_declared_is_seen(spoil: Any, expected: tuple[str, str, str]) -> None:
    found = failing(spoiled(spoil))
    assert found == [expected]


def test_order_of_named_items_is_no_difference() -> None:
    nodes = good()
    container = next(n for n in nodes if n["name"] == "game-server" and n["type"].endswith(":Deployment"))
    container["inputs"]["spec"]["template"]["spec"]["containers"][0]["env"].reverse()
    assert failing(nodes) == []


def test_rotations_are_each_environments_own(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.staging.yaml"
    text = (ROOT / "Pulumi.staging.yaml").read_text().replace("database-credentials: 1", "database-credentials: 3")
    file.write_text(text)
    assert failing(graph("staging", file)) == []


def test_staging_runs_the_next_image_before_production_does(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.staging.yaml"
    file.write_text((ROOT / "Pulumi.staging.yaml").read_text().replace("1.4.0", "1.5.0"))
    nodes = graph("staging", file)
    assert failing(nodes) == []
    [ahead] = [d for d in compare(good("production"), nodes) if d.kind == "pending promotion"]
    assert (ahead.resource, ahead.staging.rpartition(":")[2]) == ("Deployment game-server", "1.5.0")
    image = "spec.template.spec.containers.0.image"
    other = spoiled(change("Deployment", "game-server", image, "registry.spacetime.example.com/other:1.4.0"))
    assert failing(other) == [("unexplained", "Deployment game-server", image.replace(".0.", ".game-server."))]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, to change."""
    folder = tmp_path / "project"
    names = ("config", "components", "__main__.py", "Pulumi.yaml", "Pulumi.staging.yaml", "Pulumi.production.yaml")
    for name in names:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        folder.mkdir(exist_ok=True)
        copy(source, folder / name)
    return folder


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_component_that_asks_for_the_environment_is_seen(project: Path) -> None:
    edit(
        project / "components" / "kinds" / "service" / "__init__.py",
        '"revisionHistoryLimit": 5',
        '"revisionHistoryLimit": 1 if wiring.resolved.environment.name == "staging" else 5',
    )
    parity = judged_staging(project=project)
    assert not parity.faithful
    assert [(d.kind, d.resource, d.path) for d in parity.failing] == [
        ("unexplained", "Deployment game-server", "spec.revisionHistoryLimit")
    ]
    assert "is NOT production" in parity.verdict()


def test_what_is_computed_from_a_changed_amount_is_explained(project: Path) -> None:
    """Prometheus keeps nine tenths of a volume, Redis three quarters of its memory, an alert a duration in seconds."""
    edit(
        project / "config" / "systems" / "spacetime.yaml",
        "          redis.latencyMonitorThreshold: 50ms\n",
        "          redis.latencyMonitorThreshold: 50ms\n          prometheus.storage: 30GB\n"
        "          redis.resources.limits.memory: 3GB\n          redis.latencyObjective: 25ms\n",
    )
    parity = judged_staging(project=project)
    assert parity.faithful, parity.failing
    flags = {d.staging for d in parity.differences if d.resource == "Deployment prometheus"}
    assert "--storage.tsdb.retention.size=27000000000B" in flags


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_what_is_ahead_of_production_is_pending_promotion(project: Path) -> None:
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "promoted")
    git(project, "tag", "v1")
    edit(project / "config" / "systems" / "spacetime.yaml", "storage: 20GB", "storage: 40GB")
    parity = judged_staging("v1", project)
    assert parity.faithful
    ahead = {(d.resource, d.path, d.production, d.staging) for d in parity.pending}
    assert ("PersistentVolumeClaim data-redis-0", "spec.resources.requests.storage", "20G", "40G") in ahead
    assert {d.kind for d in parity.pending} == {"pending promotion"}
    assert "pending promotion" in parity.verdict()
    with pytest.raises(ConfigError, match="git has no commit 'v2'"):
        judge("spacetime", "v2", project)


def state(nodes: list[Node], file: Path) -> Path:
    """As the engine would export it."""
    keys = {"depends_on": "dependencies", "retain_on_delete": "retainOnDelete"}
    resources = [{keys.get(key, key): value for key, value in node.items()} for node in nodes]
    secret = json.dumps(resources).replace('{"[secret]":', '{"4dabf18193072939515e22adb298388d": "x", "ciphertext":')
    file.write_text(json.dumps({"version": 3, "deployment": {"resources": json.loads(secret)}}))
    return file


def test_deployed_stacks_are_compared_by_their_states(tmp_path: Path) -> None:
    production = state(good("production"), tmp_path / "production.json")
    assert judge_live("spacetime", production, state(good(), tmp_path / "staging.json")).faithful
    edited = spoiled(change("ConfigMap", "configuration", "data.LOG_LEVEL", "trace"))
    [difference] = judge_live("spacetime", production, state(edited, tmp_path / "edited.json")).failing
    assert (difference.kind, difference.staging) == ("unexplained", "trace")


@pytest.mark.parametrize("text", ["{", "[]", '{"deployment": {}}', '{"deployment": {"resources": [{}]}}'])
def test_a_file_that_is_no_state_is_told(text: str, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match="not an exported stack"):
        judge_live("spacetime", file, file)


def test_a_system_without_stacks_is_told() -> None:
    assert set(stacks_of("spacetime")) == {"laptop", "production", "staging"}
    with pytest.raises(ConfigError, match="systems with stacks: quikapp, spacetime"):
        stacks_of("carla")


ENTRY = """\
- system: spacetime
  resource: ConfigMap debug
  path: ''
  owner: platform
  because: a debugging aid for one week
  expires: 2026-11-27
"""
EXTRA = Difference("extra", "ConfigMap debug", "", "(absent)", "there")


def allow(text: str, folder: Path) -> Path:
    file = folder / "allow.yaml"
    file.write_text(text)
    return file


def test_what_is_allowed_is_shown_and_ends(tmp_path: Path) -> None:
    entries = read("spacetime", allow(ENTRY, tmp_path))
    failing_, excused, faults = settle([EXTRA], entries, TODAY)
    assert (failing_, [d for d, _ in excused], faults) == ([], [EXTRA], [])
    failing_, excused, faults = settle([EXTRA], entries, date(2026, 12, 1))
    assert (failing_, excused) == ([EXTRA], [])
    assert faults == ["allowed until 2026-11-27, by platform: ConfigMap debug"]
    assert settle([], entries, TODAY)[2] == ["allowed by platform and not there: ConfigMap debug"]
    assert read("quikapp", allow(ENTRY, tmp_path)) == ()
    assert read("spacetime", FILE) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b", "expected a list"),
        ("[", "allow.yaml"),
        ("- system: x", "each entry has system"),
        (ENTRY.replace("2026-11-27", "soon"), "expires"),
        (ENTRY.replace("a debugging aid for one week", "hm"), "because"),
        (ENTRY + "  more: 1\n", "more"),
    ],
)
def test_a_list_that_cannot_be_read(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read("spacetime", allow(text, tmp_path))
    assert said in str(caught.value)


def test_reports_say_the_verdict() -> None:
    parity = judged_staging()
    content = json.loads(as_json(parity))
    assert content["faithful"] is True
    assert content["counts"]["unexplained"] == 0
    assert len(content["differences"]) + len(content["pending"]) == sum(content["counts"].values())
    text = as_markdown(parity)
    assert text.startswith("**staging equals production but for declared differences")
    assert "Capacity and latency under load are not production's" in text


@pytest.mark.parametrize(
    "scale", ["cpu: 7%, memory: 3%, storage: 11%, replicas: 20%", "cpu: 99%, memory: 33%, storage: 1%, replicas: 1%"]
)
def test_what_the_program_computes_is_explained_at_any_ratio(scale: str) -> None:
    assert unfaithful(declared(("cpu: 50%, memory: 50%, storage: 50%", scale))) == []


@pytest.mark.parametrize(
    ("production", "staging"), [("production", "parcels"), ("parcels-prod", "parcels-staging"), ("p", "p-production")]
)
def test_namespaces_that_hold_each_others_words_are_explained(production: str, staging: str) -> None:
    names = ("namespace: parcels-prod\n", f"namespace: {production}\n")
    assert unfaithful(declared(names, ("namespace: parcels-staging\n", f"namespace: {staging}\n"))) == []


def test_what_the_program_makes_of_the_environment_itself_is_not_explained() -> None:
    """The same mutation of staging is seen, with and without its graph that has neither scale nor changes."""
    text = declared()
    spoiled_graph = graph_of(text)
    web = next(n for n in spoiled_graph if n["name"] == "web" and n["type"].endswith(":Deployment"))
    web["inputs"]["spec"]["minReadySeconds"] = 99
    production = graph_of(text, "production")
    for plain in (None, spoiled_graph):
        found = [d.path for d in compare(production, spoiled_graph, plain) if d.kind in FAILING]
        assert "spec.minReadySeconds" in found
