"""Credentials of managed stores: from the account's Secrets Manager into the namespace, each time that they rotate."""

from __future__ import annotations

from typing import Any

import pulumi

from config.derivation.mesh_topology import stores_outside
from config.kinds.aws import Managed
from config.system import Resolved

from .labels import metadata
from .objects import KubernetesObject
from .platform import Platform

STORE = "platform"
"""The SecretStore."""
REFRESH = "5m"
"""A new password is in the pods' files this long after its rotation, and the kubelet's minute."""


class Credentials(pulumi.ComponentResource):
    """A SecretStore, and for each managed store that is used an ExternalSecret (``MANAGED_KEYS``).

    External Secrets, of the platform, reads them with a role of its own; none of the values is ever in Pulumi's state.
    """

    def __init__(
        self, name: str, resolved: Resolved, platform: Platform, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("understudy:credentials:Credentials", name, None, opts)
        self._resolved = resolved
        used = {key: c for key, c in stores_outside(resolved).items() if isinstance(c, Managed) and not c.existing}
        account = resolved.environment.account
        if used and account:
            provider = {"aws": {"service": "SecretsManager", "region": account.region}}
            store = self._make("SecretStore", STORE, {"provider": provider}, [])
            for key, component in used.items():
                self._make("ExternalSecret", component.secret(key), _copied(key, component, platform), [store])
        self.register_outputs({"names": sorted(component.secret(key) for key, component in used.items())})

    def _make(self, kind: str, name: str, spec: Any, depends_on: list[pulumi.Resource]) -> KubernetesObject:
        body = {
            "apiVersion": "external-secrets.io/v1",
            "kind": kind,
            "metadata": metadata(self._resolved, name),
            "spec": spec,
        }
        return KubernetesObject(name, body, pulumi.ResourceOptions(parent=self, depends_on=depends_on))


def _copied(name: str, component: Managed, platform: Platform) -> Any:
    stored = platform.get("endpoints", name, "secret")
    return {
        "refreshInterval": REFRESH,
        "secretStoreRef": {"name": STORE, "kind": "SecretStore"},
        "target": {
            "name": component.secret(name),
            "creationPolicy": "Owner",
            "template": {
                "engineVersion": "v2",
                "data": {
                    "host": platform.get("endpoints", name, "host"),
                    "port": str(component.port()),
                    "username": "{{ .username }}",
                    "password": "{{ .password }}",
                },
            },
        },
        "data": [{"secretKey": key, "remoteRef": {"key": stored, "property": key}} for key in ("username", "password")],
    }
