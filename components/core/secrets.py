"""The system's secrets: generated here, or delivered by a controller that the environment names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, assert_never

import pulumi
import pulumi_random as random

from config.model.base import SecretKey
from config.stack import PLACEHOLDER, Stack
from config.system import ExternalSecrets, PlainSecrets, Resolved, SealedSecrets, Secret, Value

from .configuration import checksum
from .labels import metadata
from .objects import KubernetesObject
from .origins import GIVEN, origin, stated


class Secrets(pulumi.ComponentResource):
    """One Kubernetes Secret for each declared one.

    * ``plain``: values from pulumi-random, secret end to end, and given ones from the stack's configuration. Each
      ``rotation`` is a resource of its own and the one before it stays, so that ``<key>-previous`` is known while readers
      and stores change over.
    * ``sealed-secrets``: a SealedSecret with the values that kubeseal sealed for this cluster.
    * ``external-secrets``: an ExternalSecret that reads ``<prefix>/<secret>/<key>``.
    """

    def __init__(
        self,
        name: str,
        resolved: Resolved,
        stack: Stack,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("understudy:secrets:Secrets", name, None, opts)
        self._resolved = resolved
        self._stack = stack
        for secret_name, secret in resolved.secrets.items():
            delivery = resolved.environment.secrets
            match delivery:
                case PlainSecrets():
                    self._plain(secret_name, secret)
                case SealedSecrets():
                    self._sealed(secret_name, delivery)
                case ExternalSecrets():
                    self._external(secret_name, secret, delivery)
                case _:
                    assert_never(delivery)
        self.register_outputs({"names": sorted(resolved.secrets)})

    def rotation(self, name: str) -> int:
        """The generation of the secret's values, 1 at first."""
        return self._stack.rotation.get(name, 1)

    def has(self, key: SecretKey) -> bool:
        """Whether the Secret has the key: optional ones may not be given."""
        value = self._resolved.secrets[key.secret].keys[key.key]
        delivery = self._resolved.environment.secrets
        match delivery:
            case PlainSecrets():
                return not value.optional or key.key in self._stack.given.get(key.secret, {})
            case SealedSecrets():
                return not value.optional or key.key in delivery.sealed.get(key.secret, {})
            case ExternalSecrets():
                return True
            case _:
                assert_never(delivery)

    def checksum(self, name: str) -> str:
        """Changes when the secret's values do, and is computed without them: from how they are made and the rotation.

        Given values are people's; a hash of one could be guessed back, so their change is announced by the rotation too.
        """
        sealed = self._resolved.environment.secrets
        return checksum(
            [
                self._resolved.secrets[name].model_dump(mode="json"),
                self.rotation(name),
                sealed.sealed.get(name) if isinstance(sealed, SealedSecrets) else None,
            ]
        )

    def checksums(self, names: Iterable[str]) -> dict[str, str]:
        """Returns one checksum for several secrets."""
        return {name: self.checksum(name) for name in sorted(names)}

    def _plain(self, name: str, secret: Secret) -> None:
        values: dict[str, Any] = {}
        origins: dict[str, str] = {}
        for key, value in secret.keys.items():
            if value.given:
                if self.has(SecretKey(secret=name, key=key)):
                    values[key], origins[key] = self._given(name, key), GIVEN
                continue
            values[key], origins[key] = self._generated(name, key, value, self.rotation(name))
            if self.rotation(name) > 1:
                before = f"{key}-previous"
                values[before], origins[before] = self._generated(name, key, value, self.rotation(name) - 1)
        body = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", **({"stringData": values} if values else {})}
        self._object(name, body, annotations=stated(origins))

    def _given(self, name: str, key: str) -> pulumi.Output[str]:
        value = self._stack.given.get(name, {}).get(key)
        if value is not None:
            return pulumi.Output.secret(value.get_secret_value())
        if self._stack.placeholders:
            return pulumi.Output.secret(PLACEHOLDER)
        raise pulumi.RunError(
            f"the stack gives no value for {key!r} of secret {name!r}\n"
            f"    fix: pulumi config set --secret --path 'understudy:given.{name}.{key}'"
        )

    def _generated(self, secret: str, key: str, value: Value, rotation: int) -> tuple[pulumi.Output[str], str]:
        """The value, and the resource that makes it."""
        name, keepers = f"{secret}-{key}-{rotation}", {"rotation": str(rotation)}
        opts = pulumi.ResourceOptions(parent=self)
        if value.length is not None:
            password = random.RandomPassword(name, length=value.length, special=False, keepers=keepers, opts=opts)
            return password.result, origin(password, name)
        assert value.bytes is not None
        generated = random.RandomBytes(name, length=value.bytes, keepers=keepers, opts=opts)
        return generated.base64, origin(generated, name)

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

    def _object(self, name: str, body: dict[str, Any], **more: Any) -> None:
        body["metadata"] = {**metadata(self._resolved, name), **more}
        KubernetesObject(name, body, pulumi.ResourceOptions(parent=self))
