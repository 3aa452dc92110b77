"""The command as a person runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from config.schema import FILE
from policies.rules import RULES
from review.graph import ROOT
from tests.systems import WATCHED, minimal


def understudy(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "200"}
    environment.pop("STACK", None)
    return subprocess.run(
        [str(ROOT / "understudy"), *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_help_names_every_command() -> None:
    result = understudy("--help")
    for command in (
        "explain",
        "check",
        "policy",
        "parity",
        "schema",
        "graph",
        "manifests",
        "cluster",
        "doctor",
        "local",
    ):
        assert command in result.stdout
    for command in ("up", "preview", "refresh", "destroy", "status", "down", "forget"):
        assert command in understudy("local", "--help").stdout


def test_explain_json() -> None:
    result = understudy("explain", "--stack", "staging", "--format", "json", "--only", "differences")
    records = {record["path"]: record for record in json.loads(result.stdout)}
    assert records["cockroachdb.storage"]["staging"] == "50G"
    assert records["cockroachdb.storage"]["source"].startswith("config/systems/spacetime.yaml:")


def test_explain_table_shows_the_mark_of_assumed_values() -> None:
    result = understudy("explain")
    assert "CockroachDB Storage" in result.stdout
    assert "100GB/node" in result.stdout
    assert "assumed, because it was not stated" in result.stdout


def test_works_from_another_folder(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(minimal())
    result = understudy("check", "mine.yaml", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "3 components" in result.stdout


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_check_answers_programs_with_one_document(tmp_path: Path, form: str) -> None:
    (tmp_path / "mine.yaml").write_text(minimal(("kind: service", "kind: serivce")))
    result = understudy("check", "mine.yaml", "--format", form, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (2, "")
    assert "serivce" in json.dumps(json.loads(result.stdout))
    assert understudy("check", "--format", form).returncode == 0


def test_check_warns_of_what_is_probably_not_meant(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(minimal(*WATCHED, ("storage: 100Gi", "storage: 40Gi")))
    result = understudy("check", "mine.yaml", cwd=tmp_path)
    assert result.returncode == 0
    line = next(index for index, text in enumerate(file.read_text().splitlines(), 1) if text == "  watch:")
    assert f"warning: mine.yaml:{line}: components.watch: in staging: 100000 series every 15s" in result.stderr


def test_schema_is_the_published_one() -> None:
    assert understudy("schema").stdout == FILE.read_text(encoding="utf-8")


def test_manifests_are_files_kubectl_reads(tmp_path: Path) -> None:
    result = understudy("manifests", "--stack", "staging", "--out", str(tmp_path / "out"))
    files = sorted((tmp_path / "out").glob("*.yaml"))
    assert result.stdout.startswith(f"{len(files)} files")
    bodies = [YAML(typ="safe").load(file.read_text()) for file in files]
    assert {"Namespace", "Deployment", "Service", "NetworkPolicy", "Secret"} <= {body["kind"] for body in bodies}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ("explain", "--stack", "qa"),
            2,
            "there is no stack 'qa'; known: laptop, production, quikapp-production",
        ),
        (("graph", "--stack", "qa"), 2, "there is no stack 'qa'"),
        (("check", "nowhere.yaml"), 2, "no such file"),
        (("explain", "--format", "xml"), 2, "Invalid value"),
        (("local", "status", "--stack", "nowhere"), 2, "there is no stack 'nowhere'"),
        (("local", "up", "--stack", "nowhere"), 2, "there is no stack 'nowhere'"),
    ],
)
def test_mistakes_are_answered_without_a_traceback(arguments: tuple[str, ...], code: int, said: str) -> None:
    result = understudy(*arguments)
    assert result.returncode == code
    assert said in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_completion_is_offered_under_the_commands_name() -> None:
    assert "--install-completion" in understudy("--help").stdout
    environment = {
        **os.environ,
        "_UNDERSTUDY_COMPLETE": "complete_bash",
        "COMP_WORDS": "understudy exp",
        "COMP_CWORD": "1",
    }
    command = [str(ROOT / "understudy")]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.stdout.split() == ["explain"]


def test_policy_says_that_every_rule_holds() -> None:
    result = understudy("policy", "--stack", "staging")
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"staging: every rule holds ({len(RULES)} rules, 0 exempted)" in result.stdout
    answer = json.loads(understudy("policy", "--stack", "production", "--format", "json").stdout)
    assert answer["findings"] == []
    assert json.loads(understudy("policy", "--format", "sarif").stdout)["version"] == "2.1.0"


def test_policy_of_an_unknown_stack_is_a_mistake() -> None:
    result = understudy("policy", "--stack", "qa")
    assert result.returncode == 2
    assert "there is no stack 'qa'" in result.stderr


def test_parity_says_the_verdict_last() -> None:
    result = understudy("parity", "--system", "spacetime")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "staging equals production but for declared differences" in result.stdout.splitlines()[-1]
    found, reports = understudy("parity", "--format", "json").stdout.strip(), []
    while found:  # a document for each stack
        report, end = json.JSONDecoder().raw_decode(found)
        reports.append(report)
        found = found[end:].lstrip()
    assert [report["stack"] for report in reports] == ["laptop", "staging"]
    assert all(report["counts"]["unexplained"] == 0 for report in reports)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("parity", "--system", "qa"), "'qa' has no stack of its production"),
        (("parity", "--production-ref", "no-such-tag"), "git has no commit 'no-such-tag'"),
        (("parity", "--live", "a.json", "b.json"), "not an exported stack"),
        (("review", "--base", "no-such-branch"), "git has no commit 'no-such-branch'"),
        (("review", "--base", "HEAD", "--preview-json", "x"), "write STACK=FILE"),
    ],
)
def test_mistakes_of_the_gate_are_told(arguments: tuple[str, ...], said: str) -> None:
    result = understudy(*arguments)
    assert result.returncode == 2, result.stdout
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_post_wants_a_comment_that_is_one(tmp_path: Path) -> None:
    file = tmp_path / "comment.md"
    file.write_text("buy now")
    result = understudy("post", str(file), "--pull-request", "1", "--head", "abc")
    assert result.returncode == 2
    assert "this is no review" in result.stderr


def test_policy_fails_where_a_rule_is_broken(tmp_path: Path) -> None:
    """Of a copy of the project, whose image is another one tomorrow."""
    for name in (
        "cli",
        "components",
        "config",
        "doctor",
        "jobs",
        "local",
        "policies",
        "review",
        "__main__.py",
        "understudy",
    ):
        source, target = ROOT / name, tmp_path / name
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    for file in ROOT.glob("Pulumi*.yaml"):
        (tmp_path / file.name).write_text(file.read_text().replace("game-server: 1.4.0", "game-server: latest"))
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    wide = {**os.environ, "COLUMNS": "200"}
    result = subprocess.run(
        [str(tmp_path / "understudy"), "policy"], env=wide, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1, result.stderr
    assert "workloads-pinned-images" in result.stdout
    assert "is not immutable: the tag may get another image" in result.stdout
    up = subprocess.run(
        [str(tmp_path / "understudy"), "local", "up"],
        env={**wide, "UNDERSTUDY_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert up.returncode == 1, up.stderr
    assert "workloads-pinned-images" in up.stdout
    assert not (tmp_path / "home").exists(), "no cluster was started"
    (tmp_path / "policies" / "exemptions.yaml").write_text("- rule: x\n")
    result = subprocess.run(
        [str(tmp_path / "understudy"), "policy"], env=wide, capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert "exemptions.yaml: entry 1" in result.stderr
    assert "Traceback" not in result.stderr
