"""An offline account: its own number, started once, empty when it was stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.moto import Moto
from local.stack import _without


def client(account: Moto, service: str) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=account.endpoint,
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )


def test_two_accounts_do_not_meet_and_one_that_stopped_is_empty(tmp_path: Path) -> None:
    accounts = [Moto(number, tmp_path) for number in ("111122223333", "444455556666")]
    try:
        assert [account.up() for account in accounts] == [True, True]
        for account in accounts:
            assert client(account, "sts").get_caller_identity()["Account"] == account.account
        client(accounts[0], "s3").create_bucket(Bucket="one")
        assert not client(accounts[1], "s3").list_buckets()["Buckets"]
        assert accounts[0].up() is False
        assert [bucket["Name"] for bucket in client(accounts[0], "s3").list_buckets()["Buckets"]] == ["one"]
        accounts[0].down()
        assert not accounts[0].running()
        assert accounts[0].up() is True
        assert not client(accounts[0], "s3").list_buckets()["Buckets"]
    finally:
        for account in accounts:
            account.down()


def test_what_is_forgotten_is_depended_on_by_nobody() -> None:
    resource = {"urn": "c", "dependencies": ["a", "b"], "propertyDependencies": {"x": ["a"], "y": ["b"], "z": None}}
    assert _without(resource, {"a"}) == {
        "urn": "c",
        "dependencies": ["b"],
        "propertyDependencies": {"x": [], "y": ["b"], "z": []},
    }


def test_the_local_aws_answers_one_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from local import aws

    user = {"client-certificate-data": "Y2VydA==", "client-key-data": "a2V5"}
    (tmp_path / "kubeconfig").write_text(json.dumps({"users": [{"user": user}]}))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setattr("sys.argv", ["aws", "eks", "get-token", "--cluster-name", "x"])
    assert aws.main() == 0
    status = json.loads(capsys.readouterr().out)["status"]
    assert status == {"clientCertificateData": "cert", "clientKeyData": "key"}
    monkeypatch.setattr("sys.argv", ["aws", "s3", "ls"])
    assert aws.main() == 2
    assert "eks get-token" in capsys.readouterr().err
