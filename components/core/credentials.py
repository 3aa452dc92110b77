"""Credentials of managed stores: copied from the account's Secrets Manager into the namespace after each rotation."""

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
"""The name of the SecretStore."""
REFRESH = "5m"
"""Time from a rotation until the new password is in the Secret; the kubelet adds up to a minute until it is in the files."""


class Credentials(pulumi.ComponentResource):
    """Creates a SecretStore, and for each managed store in use an ExternalSecret (``MANAGED_KEYS``).

    External Secrets, which the platform runs, reads them with a separate role; the values do not enter Pulumi's state.
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
