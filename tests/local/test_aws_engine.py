"""The stand-in for pulumi-aws under the real engine: made, seen again, changed, replaced, found missing, gone."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.engine import Engine
from local.moto import Moto
from local.plugins.aws.provider import REPORT
from tests.local.aws_samples import SAMPLES

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("aws")]


class Runner:
    """One stack of the program, and the account it is in."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.folder, self.endpoint = folder, endpoint
        self.engine = Engine(home=folder, project=Path(__file__).parent / "aws_program")
        self.samples = copy.deepcopy(SAMPLES)
        (folder / "Pulumi.yaml").write_text("name: aws\nruntime: python\n")
        self.run("stack", "init", "aws", "--no-select", folder=folder)

    def run(self, *arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        file = self.folder / "program.json"
        file.write_text(json.dumps(self.samples))
        environment = self.engine.environment(self.folder / "kubeconfig")
        environment |= {
            "AWS_PROGRAM": str(file),
            "AWS_ENDPOINT_URL": self.endpoint,
            REPORT: str(self.folder / "report"),
        }
        return subprocess.run(
            [self.engine.program, *arguments],
            cwd=folder or self.engine.project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def do(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        scope = ("--stack", "aws", "--config-file", str(self.folder / "Pulumi.aws.yaml"))
        return self.run(*arguments, *scope)

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=self.endpoint,
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )

    def level(self, name: str) -> str:
        lines = [json.loads(line) for line in (self.folder / "report").read_text().splitlines()]
        return next(str(line["level"]) for line in lines if line["name"] == name)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    account = Moto("123456789012", tmp_path_factory.mktemp("moto"))
    account.up()
    yield Runner(tmp_path_factory.mktemp("aws"), account.endpoint)
    account.down()


def test_up_and_again(runner: Runner) -> None:
    result = runner.do("up", "--yes", "--skip-preview")
    assert result.returncode == 0, result.stdout[-3000:]
    assert f"{len(SAMPLES) + 2} created" in result.stdout
    assert runner.do("preview", "--expect-no-changes").returncode == 0
    refreshed = runner.do("refresh", "--yes", "--expect-no-changes")
    assert refreshed.returncode == 0, refreshed.stdout[-3000:]


def test_each_says_how_real_it_is(runner: Runner) -> None:
    assert runner.level("sql") == "real"
    assert runner.level("dns") == "validated"
    assert runner.level("validated") == "recorded"


def test_a_class_changes_in_place_and_an_engine_does_not(runner: Runner) -> None:
    runner.samples["writer"][1]["instanceClass"] = "db.r6g.xlarge"
    result = runner.do("up", "--yes", "--skip-preview")
    assert "1 updated" in result.stdout, result.stdout[-3000:]
    [writer] = runner.client("rds").describe_db_instances(DBInstanceIdentifier="quikapp-staging-1")["DBInstances"]
    assert writer["DBInstanceClass"] == "db.r6g.xlarge"
    runner.samples["sql"][1]["engine"] = "aurora-mysql"
    preview = runner.do("preview")
    assert "aws:rds:Cluster" in preview.stdout
    assert "replace" in preview.stdout
    runner.samples["sql"][1]["engine"] = "aurora-postgresql"


def test_what_somebody_deleted_is_made_again(runner: Runner) -> None:
    runner.client("secretsmanager").delete_secret(SecretId="quikapp/staging/app", ForceDeleteWithoutRecovery=True)
    assert runner.do("refresh", "--yes").returncode == 0
    result = runner.do("up", "--yes", "--skip-preview")
    assert result.returncode == 0, result.stdout[-3000:]
    assert (
        runner.client("secretsmanager").describe_secret(SecretId="quikapp/staging/app")["Name"] == "quikapp/staging/app"
    )


def test_an_unknown_type_is_said(runner: Runner) -> None:
    samples, runner.samples = runner.samples, {"x": ("lightsail/instance:Instance", {})}
    result = runner.do("preview")
    runner.samples = samples
    assert result.returncode != 0
    assert (
        "the stand-in for pulumi-aws has no aws:lightsail/instance:Instance; install the official plugin"
        in result.stdout
    )


def test_destroy_leaves_nothing(runner: Runner) -> None:
    result = runner.do("destroy", "--yes", "--skip-preview")
    assert result.returncode == 0, result.stdout[-3000:]
    assert not runner.client("rds").describe_db_clusters()["DBClusters"]
    assert not runner.client("eks").list_clusters()["clusters"]
    assert not runner.client("s3").list_buckets()["Buckets"]
    assert [vpc["IsDefault"] for vpc in runner.client("ec2").describe_vpcs()["Vpcs"]] == [True]
    assert not runner.client("iam").list_roles()["Roles"]
