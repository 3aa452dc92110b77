"""Files that are checked."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from config.errors import ConfigError
from review.check import check, shipped
from review.graph import ROOT
from tests.declared import declared, problems
from tests.systems import write


@pytest.mark.parametrize("file", shipped(ROOT), ids=lambda file: file.name)
def test_all_shipped_files_are_right(file: Path) -> None:
    assert check(file)


@pytest.mark.parametrize(
    ("value", "identity"),
    [
        ("a.kafka.example.com:9096,b.kafka.example.com:9096", "a.kafka.example.com"),
        ("mongodb+srv://cluster0.ab1cd.mongodb.net/orders", "cluster0.ab1cd.mongodb.net"),
        ("https://sqs.eu-central-1.amazonaws.com/111122223333/orders", "111122223333"),
        ("smtp.mail.example.org", "smtp.mail.example.org"),
    ],
)
def test_an_address_of_any_scheme_that_two_environments_share_is_named_at_its_line(value: str, identity: str) -> None:
    found = problems(declared(("LOG_LEVEL: info", f"LOG_LEVEL: info, WHERE: '{value}'")))
    assert found[0].message == f"{identity} is the same in production and staging"
    assert (found[0].path, found[0].line) == ("configuration.data.WHERE", 21)


def test_a_network_of_nodes_inside_anothers_is_a_mistake() -> None:
    [found] = problems(declared(("10.30.16.0/20", "10.20.16.0/24")))
    assert found.message == "10.20.16.0/24 overlaps production's nodes 10.20.16.0/20"


def test_requests_that_do_not_fit_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"shop.yaml:\d+: environments.staging.cluster.nodes: .* find no room"):
        check(write(tmp_path, ("count: 3, cpu: 4", "count: 1, cpu: 1")))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('config: {"understudy:environment": staging, "understudy:images": {web: x}}', "'web' is not declared"),
        ('config: {"understudy:environment": staging, "understudy:rotation": {web: 1}}', "'web' is not declared"),
        ('config: {"understudy:environment": qa}', "'qa' is not declared"),
        ('config: {"understudy:environmnt": staging}', "understudy:environmnt"),
        ("config: [", "Pulumi.x.yaml"),
    ],
)
def test_mistakes_in_a_stack(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        check(file)
    assert said in str(caught.value)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_a_volume_that_would_shrink_is_refused(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    file = write(tmp_path)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    write(tmp_path, ("storage: 20Gi", "storage: 40Gi"))
    assert check(file)
    git(tmp_path, "commit", "-qam", "grown")
    write(tmp_path)
    with pytest.raises(ConfigError) as caught:
        check(file)
    said = str(caught.value)
    assert "volume data-db-0 would shrink from 40Gi to 20Gi in production" in said
    assert "volume data-db-0 would shrink from 10Gi to 5Gi in staging" in said
    assert re.match(r"shop.yaml:\d+: |.*/shop.yaml:\d+: ", said)
    assert "a volume only grows" in said
    assert check(file, since="HEAD~1")


def test_a_file_that_was_not_valid_is_nothing_to_compare_with(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    file = write(tmp_path, ("configuration.data.LOG_LEVEL: debug", "db.gone: 1"))
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    write(tmp_path)
    assert check(file)


def test_a_commit_that_git_does_not_know_is_told(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    file = write(tmp_path)
    assert check(file)
    with pytest.raises(ConfigError, match="git knows no 'v9'"):
        check(file, since="v9")


def test_a_secret_in_the_clear_is_refused_and_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(
        'config: {"understudy:environment": staging, "understudy:given": {cockroachdb-licence: {licence: crl-0-abc}}}'
    )
    with pytest.raises(ConfigError) as caught:
        check(file)
    assert "a secret stands in the clear" in str(caught.value)
    assert "crl-0-abc" not in str(caught.value)


@pytest.mark.parametrize(("secret", "ok"), [("cockroachdb-licence", True), ("database-credentials", False)])
def test_only_what_is_marked_as_given_is_given(secret: str, ok: bool, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    given = f"{{{secret}: {{licence: {{secure: 'v1:x'}}}}}}"
    file.write_text(f'config: {{"understudy:environment": staging, "understudy:given": {given}}}')
    if ok:
        assert check(file)
    else:
        with pytest.raises(ConfigError, match=r"known: .*cockroachdb-licence\.licence"):
            check(file)
