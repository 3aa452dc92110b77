"""Who stores are, and whom their users trust: Secrets with ``ca.crt``, ``tls.crt`` and ``tls.key``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, assert_never

import pulumi

from config.quantity import Duration
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
    """Changes with the certificate where the program issues it: pods that read it only when they start roll with it."""
    resource: pulumi.Resource
    """To depend on."""


class Certificates(pulumi.ComponentResource):
    """Issues as the environment says: from an authority of its own, or through an issuer of cert-manager.

    Both fill Secrets of the same form, so nothing else knows which it was. The authority is made with the first certificate.
    """

    def __init__(self, name: str, resolved: Resolved, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("understudy:certificates:Certificates", name, None, opts)
        self._name = name
        self._resolved = resolved
        self.register_outputs({})

    @cached_property
    def _issuer(self) -> pulumi.ProviderResource:
        """Explicit like every provider: default ones are disabled."""
        return pulumi.ProviderResource("pulumi-python", "issuer", {}, pulumi.ResourceOptions(parent=self))

    @cached_property
    def _authority(self) -> Authority:
        settings = self._resolved.environment.certificates
        assert isinstance(settings, SelfSigned)
        return Authority(
            "authority",
            f"{self._resolved.system}-{self._resolved.environment.name}",
            settings.authority_validity.seconds,
            settings.authority_renew_before.seconds,
            pulumi.ResourceOptions(parent=self, provider=self._issuer),
        )

    def issue(
        self, secret: str, common_name: str, component: str, hosts: Sequence[str] = (), ips: Sequence[str] = ()
    ) -> Issued:
        """A certificate for servers and clients, in the Secret of that name."""
        settings = self._resolved.environment.certificates
        match settings:
            case SelfSigned():
                return self._signed(settings, secret, common_name, component, hosts, ips)
            case CertManager():
                return self._requested(settings, secret, common_name, component, hosts, ips)
            case _:
                assert_never(settings)

    def _signed(
        self,
        settings: SelfSigned,
        secret: str,
        common_name: str,
        component: str,
        hosts: Sequence[str],
        ips: Sequence[str],
    ) -> Issued:
        props = {
            "common_name": common_name,
            "hosts": list(hosts),
            "ips": list(ips),
            "seconds": settings.validity.seconds,
            "renew_before_seconds": settings.renew_before.seconds,
        }
        opts = pulumi.ResourceOptions(parent=self, provider=self._issuer)
        certificate = Certificate(secret, props, self._authority, opts)
        issuer, issued = origin(self._authority, "authority"), origin(certificate, secret)
        origins = {"ca.crt": issuer, "tls.crt": issued, "tls.key": issued}
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {**metadata(self._resolved, secret, component), "annotations": stated(origins)},
            "stringData": {
                "ca.crt": self._authority.bundle,
                "tls.crt": certificate.certificate,
                "tls.key": certificate.key,
            },
        }
        resource = KubernetesObject(secret, body, pulumi.ResourceOptions(parent=self))
        return Issued(secret, certificate.fingerprint, resource)

    def _requested(
        self,
        settings: CertManager,
        secret: str,
        common_name: str,
        component: str,
        hosts: Sequence[str],
        ips: Sequence[str],
    ) -> Issued:
        spec: dict[str, Any] = {
            "secretName": secret,
            "commonName": common_name,
            **({"dnsNames": list(hosts)} if hosts else {}),
            **({"ipAddresses": list(ips)} if ips else {}),
            "duration": _go(settings.validity),
            "renewBefore": _go(settings.renew_before),
            "usages": ["digital signature", "server auth", "client auth"],
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            "issuerRef": {"name": settings.issuer, "kind": settings.issuer_kind, "group": "cert-manager.io"},
        }
        body = {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "metadata": metadata(self._resolved, secret, component),
            "spec": spec,
        }
        return Issued(secret, "cert-manager", KubernetesObject(secret, body, pulumi.ResourceOptions(parent=self)))


def _go(duration: Duration) -> str:
    """As Go writes durations: days are not among its units."""
    return f"{duration.seconds}s"
