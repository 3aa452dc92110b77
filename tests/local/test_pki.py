"""Certificates of the local control plane."""

from __future__ import annotations

import stat
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from config.reading.kubeconfig import fingerprint
from local.pki import Authority


def test_clients_and_servers_are_signed_by_the_authority(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki")
    ca = x509.load_pem_x509_certificate(authority.pair.certificate.read_bytes())
    pair = authority.sign("server", "kube-apiserver", "system:masters", hosts=("127.0.0.1", "kubernetes"))
    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    certificate.verify_directly_issued_by(ca)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["kubernetes"]
    assert certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "system:masters"


def test_keys_are_private_and_authorities_differ(tmp_path: Path) -> None:
    first, second = Authority(tmp_path / "a"), Authority(tmp_path / "b")
    assert stat.S_IMODE(first.pair.key.stat().st_mode) == 0o600
    assert fingerprint(first.pair.certificate.read_bytes()) != fingerprint(second.pair.certificate.read_bytes())
