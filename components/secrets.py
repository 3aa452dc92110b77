"""The system's secrets: generated here, or delivered by a controller that the environment names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

import pulumi
import pulumi_random as random

from config.system import ExternalSecrets, Generated, PlainSecrets, Resolved, SealedSecrets, Secret

from .configuration import checksum
from .labels import metadata
from .objects import KubernetesObject


class Secrets(pulumi.ComponentResource):
    """One Kubernetes Secret for each declared one.

    * ``plain``: values from pulumi-random, secret end to end; ``rotation`` generates them anew.
    * ``sealed-secrets``: a SealedSecret with the values that kubeseal sealed for this cluster.
    * ``external-secrets``: an ExternalSecret that reads ``<prefix>/<secret>/<key>``.
    """

    def __init__(
        self,
        name: str,
        resolved: Resolved,
        rotation: Mapping[str, int],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("understudy:secrets:Secrets", name, None, opts)
        self._resolved = resolved
        self._rotation = rotation
        for secret_name, secret in resolved.secrets.items():
            delivery = resolved.environment.secrets
            match delivery:
                case PlainSecrets():
                    self._generated(secret_name, secret)
                case SealedSecrets():
                    self._sealed(secret_name, delivery)
                case ExternalSecrets():
                    self._external(secret_name, secret, delivery)
                case _:
                    assert_never(delivery)
        self.register_outputs({"names": sorted(resolved.secrets)})

    def checksum(self, name: str) -> str:
        """Changes when the secret's values do, and is computed without them: from how they are made and the rotation."""
        sealed = self._resolved.environment.secrets
        return checksum(
            [
                self._resolved.secrets[name].model_dump(mode="json"),
                self._rotation.get(name, 1),
                sealed.sealed.get(name) if isinstance(sealed, SealedSecrets) else None,
            ]
        )

    def _generated(self, name: str, secret: Secret) -> None:
        values = {key: self._value(f"{name}-{key}", name, generated) for key, generated in secret.keys.items()}
        self._object(name, {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "stringData": values})

    def _value(self, name: str, secret: str, generated: Generated) -> pulumi.Output[str]:
        keepers = {"rotation": str(self._rotation.get(secret, 1))}
        opts = pulumi.ResourceOptions(parent=self, protect=self._resolved.environment.protect)
        if generated.length is not None:
            password = random.RandomPassword(name, length=generated.length, special=False, keepers=keepers, opts=opts)
            return password.result
        assert generated.bytes is not None
        return random.RandomBytes(name, length=generated.bytes, keepers=keepers, opts=opts).base64

    def _sealed(self, name: str, delivery: SealedSecrets) -> None:
        template = {"metadata": metadata(self._resolved, name), "type": "Opaque"}
        spec = {"encryptedData": delivery.sealed.get(name, {}), "template": template}
        self._object(name, {"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "spec": spec})

    def _external(self, name: str, secret: Secret, delivery: ExternalSecrets) -> None:
        spec = {
            "refreshInterval": "1h",
            "secretStoreRef": {"name": delivery.store, "kind": delivery.store_kind},
            "target": {"name": name, "creationPolicy": "Owner"},
            "data": [
                {"secretKey": key, "remoteRef": {"key": f"{delivery.prefix}/{name}/{key}"}} for key in secret.keys
            ],
        }
        self._object(name, {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "spec": spec})

    def _object(self, name: str, body: dict[str, Any]) -> None:
        body["metadata"] = metadata(self._resolved, name)
        KubernetesObject(name, body, pulumi.ResourceOptions(parent=self))
