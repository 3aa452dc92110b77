"""The CronJob that brings sanitised data: what it may take, and where it may put it."""

from __future__ import annotations

import json
from typing import Any

from tests.components.application import bodies, shipped, spec

STAGING, PLATFORM = shipped(), shipped("quikapp-staging-platform")


def statements() -> list[dict[str, Any]]:
    [policy] = [n for n in PLATFORM if n["type"].endswith(":RolePolicy") and n["name"].endswith("staging-data-sync")]
    return list(json.loads(policy["inputs"]["policy"])["Statement"])


def test_every_sunday_at_two_and_never_twice() -> None:
    found = spec(STAGING, "CronJob", "staging-data-sync")
    assert (found["schedule"], found["timeZone"]) == ("0 2 * * 0", "Etc/UTC")
    assert found["concurrencyPolicy"] == "Forbid"
    assert found["startingDeadlineSeconds"] == 3600
    assert (found["successfulJobsHistoryLimit"], found["failedJobsHistoryLimit"]) == (3, 3)
    job = found["jobTemplate"]["spec"]
    assert job["activeDeadlineSeconds"] == 6 * 3600
    assert job["ttlSecondsAfterFinished"] == 7 * 86400
    assert job["template"]["spec"]["restartPolicy"] == "OnFailure"


def test_it_finds_the_database_in_its_secret() -> None:
    [container] = spec(STAGING, "CronJob", "staging-data-sync")["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    env = {entry["name"]: entry for entry in container["env"]}
    assert env["DB_HOST"]["valueFrom"]["secretKeyRef"] == {"name": "db-credentials", "key": "host"}
    assert env["SNAPSHOT_PREFIX"]["value"] == "prod-sanitized-"
    assert env["SNAPSHOT_ACCOUNT"]["value"] == "777788889999"
    assert env["TARGET_CLUSTER"]["value"] == "quikapp-staging"
    assert env["TEMPORARY_CLUSTER"]["value"] == "quikapp-staging-sync-"
    assert (env["SANITIZE_SYSTEM"]["value"], env["SANITIZE_DATABASE"]["value"]) == ("quikapp", "postgres")
    assert env["DATABASE_NAME"]["value"] == "quikapp"
    assert env["RESTORE_KEY"]["value"] == "alias/quikapp-staging-postgres"


def test_it_keeps_its_receipt_in_one_config_map() -> None:
    pod = spec(STAGING, "CronJob", "staging-data-sync")["jobTemplate"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    env = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert env["SANITIZE_CONFIGMAP"] == "quikapp-staging/staging-data-sync-receipt"
    assert pod["automountServiceAccountToken"] is True
    [role] = [n["inputs"] for n in STAGING if n["type"].endswith(":Role") and n["name"].endswith("staging-data-sync")]
    changing = [rule for rule in role["rules"] if set(rule["verbs"]) - {"create"}]
    assert [rule["resourceNames"] for rule in changing] == [["staging-data-sync-receipt"]]
    assert all(rule["resources"] == ["configmaps"] for rule in role["rules"])


def test_production_takes_no_data_from_anywhere() -> None:
    assert bodies(shipped("quikapp-production"), "CronJob") == []


def test_it_has_an_account_and_a_role_of_its_own() -> None:
    pod = spec(STAGING, "CronJob", "staging-data-sync")["jobTemplate"]["spec"]["template"]
    assert pod["spec"]["serviceAccountName"] == "staging-data-sync"
    # its proxy leaves alone who gives it its role
    excluded = pod["metadata"]["annotations"]["traffic.sidecar.istio.io/excludeOutboundIPRanges"]
    assert excluded == "169.254.170.23/32"
    [association] = [
        n["inputs"]
        for n in PLATFORM
        if n["type"].endswith(":PodIdentityAssociation") and n["name"].endswith("staging-data-sync")
    ]
    assert (association["namespace"], association["serviceAccount"]) == ("quikapp-staging", "staging-data-sync")


def test_it_may_restore_sanitised_snapshots_and_nothing_else() -> None:
    by_action = {action: s["Resource"] for s in statements() for action in s["Action"] if action.startswith("rds:")}
    own = "arn:aws:rds:us-east-1:444455556666"
    assert by_action["rds:CopyDBClusterSnapshot"] == [
        "arn:aws:rds:us-east-1:777788889999:cluster-snapshot:prod-sanitized-*",
        f"{own}:cluster-snapshot:prod-sanitized-*",
    ]
    restored = by_action["rds:RestoreDBClusterFromSnapshot"]
    assert [r for r in restored if ":cluster-snapshot:" in r] == [f"{own}:cluster-snapshot:prod-sanitized-*"]
    assert [r for r in restored if ":cluster:" in r] == [f"{own}:cluster:quikapp-staging-sync-*"]


def test_it_may_delete_what_is_temporary_and_never_the_database() -> None:
    for statement in statements():
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        if any(a.startswith(("rds:Delete", "rds:Modify", "rds:Create")) for a in statement["Action"]):
            assert all("quikapp-staging-sync-" in r or ":cluster-snapshot:prod-sanitized-" in r for r in resources)
        elif "*" in resources:
            assert all(action.startswith("rds:Describe") for action in statement["Action"])


def test_the_keys_it_may_use_are_the_sanitising_accounts_and_the_databases_own() -> None:
    keys = [s["Resource"] for s in statements() if s["Action"][0].startswith("kms:")]
    assert keys[0].startswith("arn:aws:kms:us-east-1:777788889999:key/")
    assert "kms/key:Key::postgres.arn" in keys[1]
    [grants] = [s for s in statements() if s["Action"] == ["kms:CreateGrant"]]
    assert grants["Resource"] == keys[:2]
    assert grants["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_production_knows_nothing_of_the_sanitising_account() -> None:
    for stack in ("quikapp-production", "quikapp-production-platform"):
        nodes = [n for n in shipped(stack) if n["type"] != "understudy:environment:Environment"]
        assert "777788889999" not in json.dumps(nodes)
