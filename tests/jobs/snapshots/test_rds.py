"""Production's half on moto's RDS, the masked copy between real servers.

Simulated: moto refuses to restore by another account's ARN, so production's snapshot stands in the same account here (``manual``
for ``shared``); its clusters hold nothing, so the copy is between two PostgreSQL servers of the test's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from config.errors import ExternalError
from jobs.sanitize.refresh import refresh
from jobs.sanitize.snapshots.rds import Endpoint, Settings, beside, newest, reader, restore, sanitise
from tests.jobs.postgres import Pair


@pytest.fixture
def rds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        ec2 = boto3.client("ec2", "us-east-1")
        network = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=network, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=f"us-east-1{z}")["Subnet"][
                "SubnetId"
            ]
            for n, z in enumerate("ab")
        ]
        client = boto3.client("rds", "us-east-1")
        client.create_db_subnet_group(DBSubnetGroupName="sanitise", DBSubnetGroupDescription="x", SubnetIds=subnets)
        client.create_db_cluster(
            DBClusterIdentifier="production", Engine="aurora-postgresql", EngineVersion="15.4", MasterUsername="app",
            MasterUserPassword="production-secret", DatabaseName="shop",
        )  # fmt: skip
        client.create_db_cluster_snapshot(DBClusterSnapshotIdentifier="production-1", DBClusterIdentifier="production")
        yield client


@pytest.fixture
def ours(rds: Any) -> Settings:
    key = boto3.client("kms", "us-east-1").create_key()["KeyMetadata"]["Arn"]
    return Settings(
        "production-", "aurora-postgresql", "db.r6g.large", "sanitise", (), key, ("444455556666",), wait=0.01
    )


def left(rds: Any) -> list[str]:
    names = [cluster["DBClusterIdentifier"] for cluster in rds.describe_db_clusters()["DBClusters"]]
    names += [
        snapshot["DBClusterSnapshotIdentifier"]
        for snapshot in rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]
    ]
    names += [instance["DBInstanceIdentifier"] for instance in rds.describe_db_instances()["DBInstances"]]
    return sorted(name for name in names if name.startswith(("sanitize", "quikapp-staging-sync")))


def test_masked_in_a_fresh_cluster_snapshotted_and_shared(rds: Any, ours: Settings) -> None:
    seen: list[tuple[Endpoint, Endpoint, datetime]] = []
    name = sanitise(rds, ours, lambda *given: seen.append(given), "manual")
    (source, target, at) = seen[0]
    assert source.identifier.startswith("sanitize-source-")
    assert target.identifier.startswith("sanitize-target-")
    assert source.password not in ("production-secret", target.password)
    assert "production-secret" not in target.password
    assert at == newest(rds, "production-", "manual")["SnapshotCreateTime"]
    attributes = rds.describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier=name)
    shared = attributes["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
    assert shared == [{"AttributeName": "restore", "AttributeValues": ["444455556666"]}]
    assert left(rds) == []


@pytest.mark.servers
def test_the_copy_itself(rds: Any, ours: Settings, shop: Pair) -> None:
    def masked(source: Endpoint, target: Endpoint, at: datetime) -> None:
        assert refresh(shop.request(as_of=at))["snapshot"]["at"] == at.isoformat()

    sanitise(rds, ours, masked, "manual")
    assert shop.target("SELECT count(*) FROM customers WHERE email LIKE '%@staging.invalid'") == [(300,)]


@pytest.mark.parametrize(
    "step", ["copy_db_cluster_snapshot", "restore_db_cluster_from_snapshot", "create_db_cluster", "create_db_instance", "modify_db_cluster",
             "masked", "create_db_cluster_snapshot", "modify_db_cluster_snapshot_attribute", "delete_db_cluster"],
)  # fmt: skip
def test_it_goes_on_where_it_was(rds: Any, ours: Settings, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    calls: list[str] = []

    def masked(*_: object) -> None:
        calls.append("masked")
        if step == "masked" and calls.count("masked") == 1:
            raise KeyboardInterrupt

    if step != "masked":
        real = getattr(rds, step)

        def killed(**given: Any) -> Any:
            calls.append(step)
            if calls.count(step) == 1:
                raise KeyboardInterrupt
            return real(**given)

        monkeypatch.setattr(rds, step, killed)
    with pytest.raises(KeyboardInterrupt):
        sanitise(rds, ours, masked, "manual")
    name = sanitise(rds, ours, masked, "manual")
    assert name.startswith("prod-sanitized-")
    assert left(rds) == []
    if step in ("modify_db_cluster_snapshot_attribute", "delete_db_cluster"):
        assert calls.count("masked") == 1, "a snapshot that is there is not made again"


def test_old_ones_are_pruned(rds: Any, ours: Settings) -> None:
    for number in range(6):
        rds.create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier=f"prod-sanitized-20200{number}010000", DBClusterIdentifier="production"
        )
    name = sanitise(rds, ours, lambda *_: None, "manual")
    names = {
        snapshot["DBClusterSnapshotIdentifier"]
        for snapshot in rds.describe_db_cluster_snapshots()["DBClusterSnapshots"]
    }
    kept = sorted(found for found in names if found.startswith("prod-sanitized-"))
    assert len(kept) == 4
    assert kept[-1] == name
    assert "production-1" in names


def test_stagings_half(rds: Any, ours: Settings) -> None:
    name = sanitise(rds, ours, lambda *_: None, "manual")
    rds.create_db_instance(
        DBInstanceIdentifier="production-1",
        DBClusterIdentifier="production",
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.xlarge",
    )
    settings = replace(
        beside(rds, "production", "prod-sanitized-", "quikapp-staging-sync-", "sanitise", ours.key), wait=0.01
    )
    assert (settings.engine, settings.instance_class) == ("aurora-postgresql", "db.r6g.xlarge")
    seen: list[Endpoint] = []
    assert restore(rds, settings, lambda source, _: seen.append(source), "manual") == name
    assert seen[0].identifier.startswith("quikapp-staging-sync-2")
    assert left(rds) == []
    with pytest.raises(ExternalError, match="there is no cluster 'nowhere' here"):
        beside(rds, "nowhere", "", "", "", "")


@pytest.mark.servers
def test_a_role_that_reads_and_no_more(shop: Pair) -> None:
    endpoint = Endpoint("x", "127.0.0.1", shop.production.port, "postgres", "")
    for _ in range(2):
        source = reader(endpoint, shop.from_, "public")
        try:
            refresh(shop.request(source=source))
        finally:
            shop.source("DROP OWNED BY understudy_reader")
    shop.production.run("DROP ROLE understudy_reader", database="postgres")


def test_nothing_to_restore(rds: Any, ours: Settings) -> None:
    with pytest.raises(ExternalError, match="no manual snapshot whose name begins with 'prod-sanitized' is available"):
        restore(rds, replace(ours, snapshots="prod-sanitized"), lambda *_: None, "manual")


def test_a_step_that_takes_too_long(rds: Any, ours: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs.sanitize.snapshots import rds as snapshots

    monkeypatch.setattr(snapshots, "PATIENCE", 0)
    monkeypatch.setattr(snapshots, "_available", lambda *_: False)
    with pytest.raises(ExternalError, match="was not available after 0 hours; run again to go on"):
        sanitise(rds, ours, lambda *_: None, "manual")


@pytest.mark.servers
def test_both_halves_with_their_copies(rds: Any, ours: Settings, shop: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clusters' endpoints are the test's servers: production's is read, the fresh one is marked and filled."""
    from jobs.sanitize.snapshots import rds as snapshots
    from jobs.sanitize.snapshots import refresh as snapshot_refresh

    shop.staging.run(f"ALTER DATABASE {shop.to} RENAME TO {shop.from_}", database="postgres")
    shop.to = shop.from_

    def opened(_: Any, __: Settings, name: str) -> Endpoint:
        if "source" in name:
            return Endpoint(name, "127.0.0.1", shop.production.port, "postgres", "")
        return Endpoint(name, "127.0.0.1", shop.staging.port, "sanitizer", "sanitizer-secret")

    monkeypatch.setattr(snapshots, "_opened", opened)
    shop.target("DROP SCHEMA understudy CASCADE")
    variables = {
        "SNAPSHOT_PREFIX": "production-", "ENGINE": "aurora-postgresql", "INSTANCE_CLASS": "db.r6g.large", "SHARE_WITH": "444455556666",
        "RESTORE_SUBNET_GROUP": "sanitise", "SECURITY_GROUPS": "sg-1", "SNAPSHOT_KEY": ours.key, "DATABASE_NAME": shop.from_,
    }  # fmt: skip
    told: list[str] = []
    name = snapshot_refresh.snapshot(
        shop.request(source="", target=""), variables.__getitem__, told.append, rds, "manual"
    )
    assert name.startswith("prod-sanitized-")
    assert "copying masked" in told
    assert shop.target("SELECT name FROM understudy.environment") == [("sanitised",)]
    assert shop.target("SELECT count(*) FROM customers WHERE email LIKE '%@staging.invalid'") == [(300,)]
    shop.source("DROP OWNED BY understudy_reader")
    shop.production.run("DROP ROLE understudy_reader", database="postgres")
