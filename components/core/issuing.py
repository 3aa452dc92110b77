"""Certificates as resources: keys and certificates live in Pulumi's state, secret, and are renewed ahead of their end.

The providers below are run by Pulumi's dynamic provider, in a process that imports this module by name; it imports nothing
of the SDK's kinds. Certificates are X.509 v3 with P-256 keys, which CockroachDB, PostgreSQL and cert-manager's clients take,
or with RSA keys of 2048 bits, the only ones that AWS Client VPN takes (AWS Client VPN Administrator Guide, "Authentication").
"""

from __future__ import annotations

import ipaddress
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pulumi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pulumi import dynamic

KeyType = Literal["P-256", "RSA-2048"]
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
SKEW = timedelta(minutes=5)
"""Seconds by which a certificate's validity begins earlier, because clocks differ."""


def now() -> datetime:
    """Returns the current time for renewal windows and validities; tests replace it."""
    return datetime.now(UTC)


def _key(kind: KeyType) -> Key:
    if kind == "RSA-2048":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


def _pem(key: Key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _outputs(certificate: x509.Certificate, key: Key) -> dict[str, str]:
    return {
        "certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        "key": _pem(key),
        "fingerprint": certificate.fingerprint(hashes.SHA256()).hex(),
        "ends": certificate.not_valid_after_utc.isoformat(),
    }


def _begin(subject: str, issuer: x509.Name, public: Any, seconds: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - SKEW)
        .not_valid_after(now() + timedelta(seconds=seconds))
    )


def _usage(*, signs: bool, enciphers: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=enciphers,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def authority(common_name: str, seconds: int, key_type: KeyType = "P-256") -> dict[str, str]:
    """Returns a new authority: ``certificate`` and ``key`` (PEM), ``fingerprint`` (SHA-256, hex), ``ends`` (ISO 8601)."""
    key = _key(key_type)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        _begin(common_name, _name(common_name), key.public_key(), seconds)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True, enciphers=False), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    return _outputs(certificate, key)


def leaf(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Returns a new certificate for servers and clients, signed by the authority.

    Its subject is ``common_name``, with the names ``hosts`` and the addresses ``ips``.
    """
    issuer = x509.load_pem_x509_certificate(inputs["authority_certificate"].encode())
    issuer_key = serialization.load_pem_private_key(inputs["authority_key"].encode(), None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    key = _key(inputs.get("key_type") or "P-256")
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in inputs["hosts"]]
    names += [x509.IPAddress(ipaddress.ip_address(ip)) for ip in inputs["ips"]]
    builder = (
        _begin(inputs["common_name"], issuer.subject, key.public_key(), int(inputs["seconds"]))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False, enciphers=isinstance(key, rsa.RSAPrivateKey)), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return _outputs(builder.sign(issuer_key, hashes.SHA256()), key)


class _Provider(dynamic.ResourceProvider, ABC):
    """Base of the certificate providers: a certificate is renewed within its renewal window, or when its inputs change."""

    identity: tuple[str, ...]
    """Inputs whose change replaces the certificate; the other inputs only decide when it is renewed."""

    @abstractmethod
    def issue(self, inputs: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, str]:
        """Returns a new certificate; ``old`` is the one before, empty for the first."""

    def _due(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
        begins = datetime.fromisoformat(olds["ends"]) - timedelta(seconds=int(news["renew_before_seconds"]))
        return now() >= begins or any(olds.get(name) != news.get(name) for name in self.identity)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        issued = self.issue(props, {})
        return dynamic.CreateResult(id_=issued["fingerprint"], outs={**_declared(props), **issued})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        differs = any(_olds.get(name) != value for name, value in _declared(_news).items())
        return dynamic.DiffResult(changes=differs or self._due(_olds, _news))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        if self._due(_olds, _news):
            return dynamic.UpdateResult(outs={**_declared(_news), **self.issue(_news, _olds)})
        return dynamic.UpdateResult(outs={**_declared(_olds), **_declared(_news)})


def _declared(props: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the inputs without the SDK's own properties."""
    return {key: value for key, value in props.items() if not key.startswith("__") and value is not None}


class AuthorityProvider(_Provider):
    """Issues authorities.

    ``bundle`` also contains the previous one, so that clients trust its certificates until they are replaced.
    """

    identity = ("common_name", "seconds", "key_type")

    def issue(self, inputs: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, str]:
        issued = authority(inputs["common_name"], int(inputs["seconds"]), inputs.get("key_type") or "P-256")
        return {**issued, "bundle": issued["certificate"] + old.get("certificate", "")}


class CertificateProvider(_Provider):
    """Issues certificates of an authority."""

    identity = ("common_name", "hosts", "ips", "seconds", "authority_certificate", "key_type")

    def issue(self, inputs: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, str]:
        return leaf(inputs)


class Authority(dynamic.Resource, module="certificates", name="Authority"):
    """A certificate authority; ``key`` is secret."""

    certificate: pulumi.Output[str]
    key: pulumi.Output[str]
    bundle: pulumi.Output[str]
    fingerprint: pulumi.Output[str]
    ends: pulumi.Output[str]

    def __init__(self, name: str, props: Mapping[str, Any], opts: pulumi.ResourceOptions) -> None:
        """``props``: ``common_name``, ``seconds``, ``renew_before_seconds``, and ``key_type`` if it is not P-256."""
        outputs = dict.fromkeys(("certificate", "key", "bundle", "fingerprint", "ends"))
        hidden = pulumi.ResourceOptions(additional_secret_outputs=["key"])
        super().__init__(AuthorityProvider(), name, {**props, **outputs}, pulumi.ResourceOptions.merge(opts, hidden))


class Certificate(dynamic.Resource, module="certificates", name="Certificate"):
    """A certificate of an authority; ``key`` is secret."""

    certificate: pulumi.Output[str]
    key: pulumi.Output[str]
    fingerprint: pulumi.Output[str]
    ends: pulumi.Output[str]

    def __init__(self, name: str, props: Mapping[str, Any], authority: Authority, opts: pulumi.ResourceOptions) -> None:
        """``props``: ``common_name``, ``hosts``, ``ips``, ``seconds``, ``renew_before_seconds``, and ``key_type``."""
        signer = {"authority_certificate": authority.certificate, "authority_key": authority.key}
        outputs = dict.fromkeys(("certificate", "key", "fingerprint", "ends"))
        hidden = pulumi.ResourceOptions(additional_secret_outputs=["key", "authority_key"])
        opts = pulumi.ResourceOptions.merge(opts, hidden)
        super().__init__(CertificateProvider(), name, {**props, **signer, **outputs}, opts)
