"""The stand-in for pulumi-aws: its table against the SDK and botocore, its resources on moto's server."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from pulumi.runtime.rpc import UNKNOWN

from local.moto import Moto
from local.plugins.aws.account import Account
from local.plugins.aws.page import FILE, level, page
from local.plugins.aws.provider import Aws
from local.plugins.aws.request import Mistake
from local.plugins.aws.table import Call, Row, table
from tests.local.aws_samples import SAMPLES

TYPES = sorted(table())


def calls(row: Row) -> list[Call]:
    several = (*row.instead, *row.once, *row.then, *row.update, *row.first, *row.last)
    return [call for call in (row.create, row.read, row.delete, *several) if call is not None]


def mentioned(template: Any) -> Iterator[str]:
    """Inputs in a template."""
    if isinstance(template, dict):
        for item in template.values():
            yield from mentioned(item)
    elif isinstance(template, list):
        for item in template:
            yield from mentioned(item)
    elif isinstance(template, str) and template.startswith("$"):
        yield template[1:].partition(".")[0]
    elif isinstance(template, str):
        yield from (name for name in re.findall(r"\{(\w+)\}", template) if name not in OWN)


OWN = {"id", "resource", "region", "account", "hex", "eksEndpoint", "eksAuthority"}


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


@pytest.mark.parametrize("kind", TYPES)
def test_the_table_speaks_of_what_the_sdk_has(kind: str) -> None:
    module, name = kind.removeprefix("aws:").split("/")[0], kind.rpartition(":")[2]
    sdk = getattr(importlib.import_module(f"pulumi_aws.{module}"), name)
    inputs = {camel(p) for p in inspect.signature(sdk._internal_init).parameters} - {"self", "resourceName", "opts"}
    outputs = {camel(name) for name, _ in inspect.getmembers(sdk, lambda member: isinstance(member, property))}
    row = table()[kind]
    words = {*row.words, *(word for call in calls(row) for word in call.keeps)}
    assert set(row.words) == words
    assert {place.partition(".")[0] for place in row.replaces} <= inputs
    assert set(row.elsewhere) <= inputs
    assert set(row.outputs) <= outputs
    for call in calls(row):
        assert set(call.picks) <= outputs
        assert {*mentioned(call.request), *mentioned(call.fixed)} - words - outputs <= inputs
        assert set(call.keyed) <= inputs
        assert call.when is None or call.when in inputs
    assert {*mentioned(row.id), *mentioned(row.arn), *mentioned(dict(row.outputs))} - words <= inputs


@pytest.mark.parametrize("kind", [kind for kind in TYPES if table()[kind].service])
def test_every_operation_is_botocores(kind: str) -> None:
    row = table()[kind]
    account = Account("us-east-1", [])
    for call in calls(row):
        assert row.service is not None
        operation = account.operation(call.service or row.service, call.operation)
        shape = operation.input_shape
        members = set(shape.members[call.within].members if call.within else shape.members) if shape else set()
        assert set(call.request or {}) | set(call.fixed) <= members


def test_the_page_lists_every_type_as_it_is() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert page(text) == text
    assert {level(row) for row in table().values()} == {"real", "validated", "recorded"}


def test_every_type_has_a_sample() -> None:
    assert {f"aws:{kind}" for kind, _ in SAMPLES.values()} == set(TYPES)


def filled(value: Any, made: dict[str, tuple[str, Any]]) -> Any:
    if isinstance(value, dict):
        return {key: filled(item, made) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, made) for item in value]
    if isinstance(value, str) and value.startswith("@"):
        name, _, output = value[1:].partition(".")
        return made[name][1][output] if output else made[name][0]
    return value


def make(provider: Aws) -> dict[str, tuple[str, Any]]:
    made: dict[str, tuple[str, Any]] = {}
    for name, (kind, inputs) in SAMPLES.items():
        token = f"aws:{kind}"
        made[name] = provider._create(token, table()[token], name, filled(inputs, made))
    return made


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    account = Moto("123456789012", tmp_path_factory.mktemp("moto"))
    account.up()
    yield account.endpoint
    account.down()


def provider(endpoint: str | None, *allowed: str) -> Aws:
    found = Aws()
    found._account = Account("us-east-1", list(allowed), endpoint)
    return found


def test_every_sample_is_valid_without_an_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    made = make(provider(None, "111122223333"))
    assert made["key"][1]["arn"].startswith("arn:aws:kms:us-east-1:111122223333:key/")
    assert made["sql"][0] == "quikapp-staging"
    assert UNKNOWN not in str(made)


@pytest.fixture(scope="module")
def made(endpoint: str) -> dict[str, tuple[str, Any]]:
    return make(provider(endpoint))


def client(service: str, endpoint: str) -> Any:
    return boto3.client(
        service, region_name="us-east-1", endpoint_url=endpoint, aws_access_key_id="x", aws_secret_access_key="x"
    )


def test_aws_sees_what_was_declared(endpoint: str, made: dict[str, tuple[str, Any]]) -> None:
    ec2, rds = client("ec2", endpoint), client("rds", endpoint)
    [vpc] = ec2.describe_vpcs(VpcIds=[made["vpc"][0]])["Vpcs"]
    assert (vpc["CidrBlock"], vpc["Tags"]) == ("10.8.0.0/16", [{"Key": "understudy:environment", "Value": "staging"}])
    [rule] = [
        permission
        for group in ec2.describe_security_groups(GroupIds=[made["databases"][0]])["SecurityGroups"]
        for permission in group["IpPermissions"]
    ]
    assert (rule["FromPort"], rule["IpRanges"][0]["CidrIp"]) == (5432, "10.8.0.0/16")
    [cluster] = rds.describe_db_clusters(DBClusterIdentifier="quikapp-staging")["DBClusters"]
    assert cluster["StorageEncrypted"] is True
    assert cluster["KmsKeyId"] == made["key"][1]["arn"]
    assert client("kms", endpoint).get_key_rotation_status(KeyId=made["key"][0])["KeyRotationEnabled"] is True
    eks = client("eks", endpoint).describe_cluster(name="staging")["cluster"]
    assert eks["resourcesVpcConfig"]["endpointPrivateAccess"] is True
    assert eks["encryptionConfig"][0]["resources"] == ["secrets"]
    [cache] = client("elasticache", endpoint).describe_replication_groups(ReplicationGroupId="cache")[
        "ReplicationGroups"
    ]
    assert (cache["MultiAZ"], cache["TransitEncryptionEnabled"]) == ("enabled", True)
    s3 = client("s3", endpoint)
    assert s3.get_bucket_versioning(Bucket="quikapp-staging-uploads")["Status"] == "Enabled"
    assert all(s3.get_public_access_block(Bucket="quikapp-staging-uploads")["PublicAccessBlockConfiguration"].values())


def test_a_parameter_of_the_wrong_kind_is_refused() -> None:
    row = table()["aws:ec2/vpc:Vpc"]
    with pytest.raises(Mistake, match="CreateVpc: Invalid type for parameter CidrBlock"):
        provider(None)._create("aws:ec2/vpc:Vpc", row, "x", {"cidrBlock": ["10.0.0.0/16"]})


def test_an_input_that_the_table_does_not_place_is_refused() -> None:
    row = table()["aws:ec2/vpc:Vpc"]
    with pytest.raises(Mistake, match="CreateVpc has no parameter 'colour': the table has to say where it goes"):
        provider(None)._create("aws:ec2/vpc:Vpc", row, "x", {"cidrBlock": "10.0.0.0/16", "colour": "blue"})


def test_the_wrong_account_is_refused(endpoint: str) -> None:
    assert Account("us-east-1", ["111122223333"], endpoint).refused() == (
        "the credentials are of account 123456789012; the provider allows 111122223333"
    )
    assert Account("us-east-1", ["123456789012"], endpoint).refused() is None
