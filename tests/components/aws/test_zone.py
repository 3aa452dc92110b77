"""Names and their certificate on the graph."""

from __future__ import annotations

from tests.components.aws.platform import inputs, refers, shipped

STAGING = shipped()


def test_one_certificate_for_the_domain_and_what_is_right_below_it() -> None:
    certificate = inputs(STAGING, "acm/certificate:Certificate", "names")
    assert certificate["domainName"] == "staging.quikapp.com"
    assert certificate["subjectAlternativeNames"] == ["*.staging.quikapp.com"]
    proof = inputs(STAGING, ":Record", "names-proof")
    assert refers(proof["name"], "acm/certificate:Certificate", "names")
    assert refers(proof["zoneId"], ":Zone", "names")
