"""Buckets on the graph."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.components.aws.platform import inputs, names, refers, shipped

STAGING, PRODUCTION = shipped(), shipped("production")


def statements(name: str) -> dict[str, Any]:
    found = json.loads(inputs(STAGING, ":BucketPolicy", name)["policy"])["Statement"]
    return {statement["Sid"]: statement for statement in found}


@pytest.mark.parametrize("name", ["uploads", "assets", "logs"])
def test_private_versioned_encrypted_and_tls_only(name: str) -> None:
    block = inputs(STAGING, ":BucketPublicAccessBlock", name)
    assert all(block[field] is True for field in block if field != "bucket")
    assert inputs(STAGING, ":BucketVersioning", name)["versioningConfiguration"] == {"status": "Enabled"}
    assert statements(name)["TLS"]["Effect"] == "Deny"
    rules = inputs(STAGING, ":BucketServerSideEncryptionConfiguration", name)["rules"]
    assert rules == [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]


def test_what_ends() -> None:
    rules = {rule["id"]: rule for rule in inputs(STAGING, ":BucketLifecycleConfiguration", "logs")["rules"]}
    assert rules["retention"]["expiration"] == {"days": 45}
    uploads = {rule["id"] for rule in inputs(STAGING, ":BucketLifecycleConfiguration", "uploads")["rules"]}
    assert uploads == {"earlier-versions", "unfinished-uploads"}


def test_the_distribution_alone_reads_the_assets() -> None:
    assert refers(
        statements("assets")["Distribution"]["Condition"]["StringEquals"]["AWS:SourceArn"], ":Distribution", "cdn"
    )
    assert "Distribution" not in statements("uploads")


def test_access_is_logged_for_this_account() -> None:
    assert names(STAGING, ":BucketLogging") == {"uploads", "assets"}
    assert statements("logs")["Buckets"]["Condition"] == {"StringEquals": {"aws:SourceAccount": "444455556666"}}


def test_staging_may_be_emptied_and_production_not() -> None:
    assert inputs(STAGING, "s3/bucket:Bucket", "uploads")["forceDestroy"] is True
    assert inputs(PRODUCTION, "s3/bucket:Bucket", "uploads")["forceDestroy"] is False
