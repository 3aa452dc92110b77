"""The CDN on the graph."""

from __future__ import annotations

from tests.components.aws.platform import inputs, refers, shipped

DISTRIBUTION = inputs(shipped(), ":Distribution", "cdn")


def test_the_origin_knows_the_distribution() -> None:
    [origin] = DISTRIBUTION["origins"]
    assert refers(origin["originAccessControlId"], ":OriginAccessControl", "cdn")
    assert refers(origin["domainName"], ":Bucket", "assets")


def test_viewers_speak_tls_by_the_environments_name() -> None:
    assert DISTRIBUTION["aliases"] == ["cdn.staging.quikapp.com"]
    assert DISTRIBUTION["viewerCertificate"]["minimumProtocolVersion"] == "TLSv1.2_2021"
    assert DISTRIBUTION["defaultCacheBehavior"]["viewerProtocolPolicy"] == "redirect-to-https"
    record = inputs(shipped(), ":Record", "cdn-cdn")
    assert record["name"] == "cdn.staging.quikapp.com"
    assert refers(record["aliases"][0]["name"], ":Distribution", "cdn")
