"""Certificates of stores and the authorities that clients trust: Secrets with ``ca.crt``, ``tls.crt`` and ``tls.key``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, assert_never

import pulumi

from config.model.quantity import Duration
from config.system import CertManager, Resolved, SelfSigned

from .issuing import Authority, Certificate
from .labels import metadata
from .objects import KubernetesObject
from .origins import origin, stated


@dataclass(frozen=True)
class Issued:
    """A certificate in a Secret."""

    secret: str
    fingerprint: pulumi.Input[str]
    """Changes with a certificate that the program issues, so that pods that read it only at their start are replaced."""
    resource: pulumi.Resource
    """The resource that readers depend on."""


@dataclass(frozen=True)
class _Subject:
    """The subject of a certificate, and the Secret that holds it."""

    secret: str
    common_name: str
    component: str
    hosts: tuple[str, ...]
    ips: tuple[str, ...]


class Certificates(pulumi.ComponentResource):
    """Issues certificates from the environment's own authority, or through an issuer of cert-manager.

    Both fill Secrets of the same form, so that readers do not depend on the mode. The authority is created with the first
    certificate.
    """

    def __init__(self, name: str, resolved: Resolved, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("understudy:certificates:Certificates", name, None, opts)
        self._name = name
        self._resolved = resolved
        self.register_outputs({})

    @cached_property
    def _issuer(self) -> pulumi.ProviderResource:
        """Creates the provider of certificates; it is explicit because default providers are disabled."""
        return pulumi.ProviderResource("pulumi-python", "issuer", {}, pulumi.ResourceOptions(parent=self))

    @cached_property
    def _authority(self) -> Authority:
        settings = self._resolved.environment.certificates
        assert isinstance(settings, SelfSigned)
        props = {
            "common_name": f"{self._resolved.system}-{self._resolved.environment.name}",
            "seconds": settings.authority_validity.seconds,
            "renew_before_seconds": settings.authority_renew_before.seconds,
        }
        return Authority("authority", props, pulumi.ResourceOptions(parent=self, provider=self._issuer))

    def issue(self, secret: str, common_name: str, component: str, services: Sequence[str] = ()) -> Issued:
        """Creates a certificate for clients in the Secret of that name, and for servers under the names of ``services``.

        ``*.<name>`` stands for the pods behind a headless Service.
        """
        suffixes = (
            "",
            *(f".{self._resolved.environment.namespace}{more}" for more in ("", ".svc", ".svc.cluster.local")),
        )
        hosts = tuple(f"{service}{suffix}" for service in services for suffix in suffixes)
        subject = _Subject(
            secret, common_name, component, *((("localhost", *hosts), ("127.0.0.1",)) if hosts else ((), ()))
        )
        settings = self._resolved.environment.certificates
        match settings:
            case SelfSigned():
                return self._signed(settings, subject)
            case CertManager():
                return self._requested(settings, subject)
            case _:
                assert_never(settings)

    def _signed(self, settings: SelfSigned, subject: _Subject) -> Issued:
        props = {
            "common_name": subject.common_name,
            "hosts": list(subject.hosts),
            "ips": list(subject.ips),
            "seconds": settings.validity.seconds,
            "renew_before_seconds": settings.renew_before.seconds,
        }
        opts = pulumi.ResourceOptions(parent=self, provider=self._issuer)
        certificate = Certificate(subject.secret, props, self._authority, opts)
        issuer, issued = origin(self._authority, "authority"), origin(certificate, subject.secret)
        origins = {"ca.crt": issuer, "tls.crt": issued, "tls.key": issued}
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {**metadata(self._resolved, subject.secret, subject.component), "annotations": stated(origins)},
            "stringData": {
                "ca.crt": self._authority.bundle,
                "tls.crt": certificate.certificate,
                "tls.key": certificate.key,
            },
        }
        resource = KubernetesObject(subject.secret, body, pulumi.ResourceOptions(parent=self))
        return Issued(subject.secret, certificate.fingerprint, resource)

    def _requested(self, settings: CertManager, subject: _Subject) -> Issued:
        spec: dict[str, Any] = {
            "secretName": subject.secret,
            "commonName": subject.common_name,
            **({"dnsNames": list(subject.hosts)} if subject.hosts else {}),
            **({"ipAddresses": list(subject.ips)} if subject.ips else {}),
            "duration": _go(settings.validity),
            "renewBefore": _go(settings.renew_before),
            "usages": ["digital signature", "server auth", "client auth"],
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            "issuerRef": {"name": settings.issuer, "kind": settings.issuer_kind, "group": "cert-manager.io"},
        }
        body = {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "metadata": metadata(self._resolved, subject.secret, subject.component),
            "spec": spec,
        }
        return Issued(
            subject.secret, "cert-manager", KubernetesObject(subject.secret, body, pulumi.ResourceOptions(parent=self))
        )


def _go(duration: Duration) -> str:
    """Formats a duration for Go, which has no unit for days."""
    return f"{duration.seconds}s"
