"""Certificates as resources: what is issued, when it is renewed, and that it is stable in between."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

import dill  # type: ignore[import-untyped]
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store
from pulumi.dynamic.dynamic import serialize_provider

from components.core import issuing
from components.core.issuing import AuthorityProvider, CertificateProvider

DAY = 86400
AUTHORITY = {"common_name": "shop staging", "seconds": 3650 * DAY, "renew_before_seconds": 730 * DAY}


def certificate_inputs(authority: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "common_name": "node",
        "hosts": ["db-public", "*.db.shop.svc.cluster.local"],
        "ips": ["127.0.0.1"],
        "seconds": 365 * DAY,
        "renew_before_seconds": 60 * DAY,
        "authority_certificate": authority["certificate"],
        "authority_key": authority["key"],
        **more,
    }


@pytest.fixture
def authority() -> dict[str, Any]:
    return dict(AuthorityProvider().create(dict(AUTHORITY)).outs or {})


@pytest.fixture
def certificate(authority: dict[str, Any]) -> dict[str, Any]:
    return dict(CertificateProvider().create(certificate_inputs(authority)).outs or {})


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the clock so many days ahead."""
    begin = datetime.now(UTC)
    return lambda days: monkeypatch.setattr(issuing, "now", lambda: begin + timedelta(days=days))


def loaded(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def test_a_chain_that_clients_accept(authority: dict[str, Any], certificate: dict[str, Any]) -> None:
    verifier = PolicyBuilder().store(Store([loaded(authority["bundle"])]))
    for name in ("db-public", "db-0.db.shop.svc.cluster.local"):
        verifier.build_server_verifier(x509.DNSName(name)).verify(loaded(certificate["certificate"]), [])
    with pytest.raises(x509.verification.VerificationError):
        verifier.build_server_verifier(x509.DNSName("elsewhere")).verify(loaded(certificate["certificate"]), [])
    context = ssl.create_default_context(cadata=authority["bundle"])  # OpenSSL's opinion too
    assert context.cert_store_stats()["x509_ca"] == 1


def test_what_is_issued(authority: dict[str, Any], certificate: dict[str, Any]) -> None:
    issued = loaded(certificate["certificate"])
    assert isinstance(issued.public_key(), ec.EllipticCurvePublicKey)
    assert issued.subject.rfc4514_string() == "CN=node"
    assert issued.issuer == loaded(authority["certificate"]).subject
    lasts = issued.not_valid_after_utc - issued.not_valid_before_utc
    assert lasts == timedelta(days=365) + issuing.SKEW
    assert issued.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


def test_nothing_changes_until_the_window(authority: dict[str, Any], certificate: dict[str, Any], at: Any) -> None:
    provider, inputs = CertificateProvider(), certificate_inputs(authority)
    for days, changes in ((0, False), (304, False), (306, True), (400, True)):
        at(days)
        assert provider.diff("id", certificate, {**inputs, "__provider": "other"}).changes is changes, days


def test_a_renewal_is_a_new_certificate_and_key(
    authority: dict[str, Any], certificate: dict[str, Any], at: Any
) -> None:
    at(306)
    inputs = certificate_inputs(authority)
    renewed = CertificateProvider().update("id", certificate, inputs).outs or {}
    assert renewed["fingerprint"] != certificate["fingerprint"]
    assert renewed["key"] != certificate["key"]
    assert renewed["ends"] > certificate["ends"]
    assert CertificateProvider().diff("id", dict(renewed), inputs).changes is False


@pytest.mark.parametrize("change", [{"hosts": ["other"]}, {"ips": []}, {"common_name": "x"}, {"seconds": 90 * DAY}])
def test_another_identity_is_another_certificate(
    authority: dict[str, Any], certificate: dict[str, Any], change: dict[str, Any]
) -> None:
    inputs = certificate_inputs(authority, **change)
    assert CertificateProvider().diff("id", certificate, inputs).changes is True
    outs = CertificateProvider().update("id", certificate, inputs).outs or {}
    assert outs["fingerprint"] != certificate["fingerprint"]


def test_a_wider_window_is_noted_and_issues_nothing_yet(authority: dict[str, Any], certificate: dict[str, Any]) -> None:
    inputs = certificate_inputs(authority, renew_before_seconds=90 * DAY)
    assert CertificateProvider().diff("id", certificate, inputs).changes is True
    outs = dict(CertificateProvider().update("id", certificate, inputs).outs or {})
    assert outs["fingerprint"] == certificate["fingerprint"]
    assert CertificateProvider().diff("id", outs, inputs).changes is False


def test_a_new_authority_is_trusted_beside_the_old_one(
    authority: dict[str, Any], certificate: dict[str, Any], at: Any
) -> None:
    at(3650 - 729)
    assert AuthorityProvider().diff("id", authority, dict(AUTHORITY)).changes is True
    renewed = dict(AuthorityProvider().update("id", authority, dict(AUTHORITY)).outs or {})
    trusted = {item.serial_number for item in x509.load_pem_x509_certificates(renewed["bundle"].encode())}
    assert len(trusted) == 2
    assert CertificateProvider().diff("id", certificate, certificate_inputs(renewed)).changes is True


@pytest.mark.parametrize("provider", [AuthorityProvider, CertificateProvider])
def test_what_the_engine_keeps_of_a_provider_is_stable_and_no_copy_of_the_code(provider: type[Any]) -> None:
    """A provider that is pickled by value changes with every edit and every Python."""
    assert serialize_provider(provider()) == serialize_provider(provider())
    assert len(dill.dumps(provider(), recurse=True)) < 500
