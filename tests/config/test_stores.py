"""What may be declared of stores, and what they ask of the namespace."""

from __future__ import annotations

from typing import Any

import pytest

from config.checks.growth import shrunk
from config.derivation.derive import derive
from config.errors import ConfigError
from config.kinds import CockroachDB, PostgreSQL, Redis
from config.loader import load, parse
from config.model.quantity import Storage
from config.system import Environment
from tests.systems import minimal, system

Replacement = tuple[str, str]
DATABASE, VERSION = "    database: shop_{environment}\n", '    version: "16.4"\n'
COCKROACH: tuple[Replacement, ...] = (
    ("kind: postgresql", "kind: cockroachdb"),
    (VERSION, "    version: v23.1.13\n"),
    (DATABASE, f"{DATABASE}    user: shop\n"),
    ("    internalPassword: {secret: app, key: internal}\n", ""),
    ("storage: 20Gi", "storage: 60Gi"),
)
REDIS: tuple[Replacement, ...] = (
    ("kind: postgresql", "kind: redis"),
    (VERSION, "    version: 7.2.6\n"),
    (DATABASE, ""),
)
BACKUP = "    backup: {destination: 's3://b/x?AUTH=implicit'}\n"
LICENCE = "    licence: {secret: app, key: token}\n"
EGRESS = "    egress: [{cidr: 192.0.2.0/24, because: the object store}]\n"
STORAGE = "    storage: 60Gi\n"


def answer(*replacements: Replacement) -> str:
    try:
        declared = parse(minimal(*replacements), "shop.yaml")
        for environment in declared.environments:
            derive(declared, environment)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("replacements", "said"),
    [
        (((VERSION, '    version: "99.1"\n'),), "unknown version; known: 14, 15, 16, 17, 18"),
        (((VERSION, '    version: "16"\n'),), "each with its patch number"),
        (((VERSION, "    version: latest\n"),), "unknown version"),
        ((*COCKROACH, ("v23.1.13", "v19.2.1")), "unknown version; known: 22.2"),
        ((*REDIS, ("7.2.6", "6.0.1")), "unknown version; known: 7.0"),
        (((DATABASE, f"{DATABASE}    nodes: 3\n"),), "less than or equal to 2"),
        (((STORAGE.replace("60", "20"), "    storage: 500MB\n"),), "below the floor: at least 1G"),
        ((*COCKROACH, (STORAGE, "    storage: 9GB\n")), "below the floor: at least 10G"),
        ((*COCKROACH, (STORAGE, "    storage: 12Gi\n")), "in staging, db.storage would be 3Gi: 3Gi is below the floor"),
        ((*COCKROACH, (STORAGE, f"{STORAGE}    nodes: 4\n")), "odd number of members"),
        ((*COCKROACH, (STORAGE, f"{STORAGE}    nodes: 1\n")), "at least 3"),
        ((*COCKROACH, ("v23.1.13", "v24.3.0")), "licence is missing: v24.3.0 without one is throttled after seven days"),
        ((*COCKROACH, (STORAGE, STORAGE + BACKUP + EGRESS)), "licence is missing: incremental backups need one"),
        ((*COCKROACH, (STORAGE, STORAGE + BACKUP + LICENCE)), "egress is missing"),
        (
            (*COCKROACH, (STORAGE, STORAGE + BACKUP.replace("AUTH=implicit", "AWS_SECRET_ACCESS_KEY=x") + LICENCE + EGRESS)),
            "SECRET_ACCESS_KEY is a secret",
        ),
        ((*COCKROACH, (STORAGE, STORAGE + BACKUP.replace("s3://", "/"))  ), "does not match"),
        ((*COCKROACH, ("    user: shop\n", "")), "user and password are missing"),
        ((*COCKROACH, ("shop_{environment}", "shop; DROP")), "does not match"),
        ((*REDIS, ("    storage: 20Gi\n", "    storage: 20Gi\n    nodes: 4\n")), "with Sentinel, nodes are odd and at least 3"),
        ((*REDIS, ("    storage: 20Gi\n", "    storage: 20Gi\n    nodes: 1\n")), "with Sentinel, nodes are odd and at least 3"),
        ((*REDIS, ("    storage: 20Gi\n", "    storage: 20Gi\n    sentinel: false\n")), "no replica is promoted"),
        ((*REDIS, ("{secret: app, key: internal}", "{secret: app, key: db}")), "are one key"),
        ((("{secret: app, key: internal}", "{secret: app, key: db}"),), "are one key"),
        ((("    internalPassword: {secret: app, key: internal}\n", ""),), "password and internalPassword are missing"),
        ((("{length: 24}", "{length: 24, given: true}"),), "give one of length"),
        ((("{length: 24}", "{given: false}"),), "secrets.app.keys.db"),
        (
            (("    protect: true\n", "    protect: true\n    certificates: {mode: self-signed, renewBefore: 365d}\n"),),
            "every up would issue a new certificate",
        ),
        (
            (("    protect: true\n", "    protect: true\n    certificates: {mode: self-signed, authorityRenewBefore: 30d}\n"),),
            "outlive their authority",
        ),
        ((("    protect: true\n", "    protect: true\n    certificates: {mode: letsencrypt}\n"),), "cert-manager"),
    ],
)  # fmt: skip
def test_mistakes(replacements: tuple[Replacement, ...], said: str) -> None:
    found = answer(*replacements)
    assert said in found
    assert found.startswith("shop.yaml:")


@pytest.mark.parametrize(
    "replacements",
    [
        COCKROACH,
        (*COCKROACH, (STORAGE, STORAGE + BACKUP + LICENCE + EGRESS)),
        (*COCKROACH, ("v23.1.13", "v25.2.3"), (STORAGE, STORAGE + LICENCE)),
        REDIS,
        (*REDIS, ("    storage: 20Gi\n", "    storage: 20Gi\n    nodes: 5\n")),
        (*REDIS, ("    storage: 20Gi\n", "    storage: 20Gi\n    nodes: 1\n    sentinel: false\n")),
        ((DATABASE, f"{DATABASE}    nodes: 2\n    backup: {{storage: 50Gi}}\n"),),
    ],
)
def test_volumes_are_what_the_quota_counts(replacements: tuple[Replacement, ...]) -> None:
    for environment in ("production", "staging"):
        component = derive(system(*replacements), environment)[0].components["db"]
        sizes = component.volumes("db").values()
        demanded = [volume for demand in component.demand() for volume in demand.volumes * demand.pods]
        assert sorted(demanded) == sorted(sizes)


def test_spacetimes_stores_are_the_seeds() -> None:
    staging = derive(load("spacetime"), "staging")[0].components
    cockroachdb, redis = staging["cockroachdb"], staging["redis"]
    assert isinstance(cockroachdb, CockroachDB)
    assert isinstance(redis, Redis)
    assert (cockroachdb.nodes, cockroachdb.isolation, str(cockroachdb.slow_query_threshold)) == (
        3,
        "serializable",
        "100ms",
    )
    assert (cockroachdb.database, cockroachdb.user) == ("spacetime_staging", "staging_user")
    assert redis.ports() == {"redis": 6379, "metrics": 9121, "replicas": 6380, "sentinel": 26379}
    assert redis.service_name("redis") == "redis-master"
    assert cockroachdb.backup
    assert (cockroachdb.backup.full, cockroachdb.backup.incremental) == ("@daily", "@hourly")
    assert load("spacetime").secrets[cockroachdb.licence.secret].keys[cockroachdb.licence.key].given


def resized(size: str, **more: str) -> Any:
    return derive(system(("storage: 20Gi", f"storage: {size}")), more.get("environment", "staging"))[0]


def test_a_volume_grows_and_does_not_shrink() -> None:
    assert list(shrunk(resized("20Gi"), resized("40Gi"))) == []
    assert list(shrunk(resized("20Gi"), resized("20Gi"))) == []
    assert list(shrunk(resized("20Gi"), resized("16Gi"))) == [("db", "volume data-db-0 would shrink from 5Gi to 4Gi")]
    assert list(shrunk(resized("20Gi"), resized("20G"))) == [("db", "volume data-db-0 would shrink from 5Gi to 5G")]


def test_another_kind_of_store_is_another_volume() -> None:
    before, after = derive(system(), "staging")[0], derive(system(*REDIS, ("20Gi", "8Gi")), "staging")[0]
    assert list(shrunk(before, after)) == []


def test_a_shared_volume_size_is_in_bytes() -> None:
    assert PostgreSQL.smallest_volume == Storage.parse("1G")
    assert Environment.model_fields["retain_volumes"].default is False
