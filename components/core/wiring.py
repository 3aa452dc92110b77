"""Configuration, secrets and endpoints that a container receives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pulumi

from config.kinds.aws import Managed
from config.kinds.workload import Workload
from config.model.base import secret_variable
from config.model.component import Component
from config.system import Resolved

from .configuration import checksum
from .context import BuildContext
from .pods import CONTAINER_SECURITY, TRUST, amounts, authority

CREDENTIALS = ("username", "password")
"""Keys of a managed store's credentials;

they are mounted as files, because a variable would keep its value after a rotation.
"""


@dataclass(frozen=True)
class Wiring:
    """The configuration, secrets and endpoints of one workload."""

    name: str
    workload: Workload
    context: BuildContext

    @property
    def resolved(self) -> Resolved:
        """The environment."""
        return self.context.resolved

    def image(self, key: str | None = None) -> str:
        """The image with the tag or digest that the stack's ``images`` name under ``key`` (default: the component's name).

        Raises ``pulumi.RunError`` when they name none: ``latest`` is never assumed.
        """
        tag = self.context.stack.images.get(key or self.name)
        if tag is None:
            raise pulumi.RunError(
                f"the stack names no image tag for {key or self.name!r}\n"
                f"    fix: pulumi config set --path 'understudy:images.{key or self.name}' <tag>"
            )
        return f"{self.workload.image}{'@' if tag.startswith('sha256:') else ':'}{tag}"

    def container(self, image: str, **more: Any) -> Any:
        """Returns the container; ``more`` are fields of the workload, such as ports, probes and command."""
        everything = self.workload.configuration == "all"
        return {
            "name": self.name,
            "image": image,
            **({"envFrom": [{"configMapRef": {"name": self.context.configuration.name}}]} if everything else {}),
            "env": self._env(),
            "resources": amounts(self.workload.resources),
            "securityContext": CONTAINER_SECURITY,
            "volumeMounts": [
                *({"name": volume, "mountPath": path} for volume, path in self._writable().items()),
                *(
                    {"name": volume, "mountPath": f"{TRUST}/{volume}", "readOnly": True}
                    for volume in (*self._trusted(), *self._managed())
                ),
            ],
            **more,
        }

    def volumes(self) -> list[Any]:
        """Returns the volumes of the pod."""
        return [
            *({"name": volume, "emptyDir": {}} for volume in self._writable()),
            *({"name": volume, "secret": authority(secret)} for volume, secret in self._trusted().items()),
            *(
                {
                    "name": volume,
                    "secret": {"secretName": secret, "items": [{"key": key, "path": key} for key in CREDENTIALS]},
                }
                for volume, secret in self._managed().items()
            ),
        ]

    def annotations(self) -> dict[str, Any]:
        """Returns annotations that roll the pods: digests of the configuration and of the secrets' generations."""
        read = self._read()
        digests = {
            "understudy.dev/configuration": self.context.configuration.checksum(self.workload.configuration)
            if self.workload.configuration
            else None,
            "understudy.dev/secrets": checksum(self.context.secrets.checksums(read)) if read else None,
        }
        return {key: digest for key, digest in digests.items() if digest is not None}

    def declared_inputs(self) -> dict[str, Any]:
        """Returns what the container receives, as declared: configuration, variables, and checksums of secrets."""
        keys = self.context.configuration.declared(self.workload.configuration)
        return {
            "configuration": keys,
            "env": dict(self.workload.env),
            "secrets": self.context.secrets.checksums(self._read()),
        }

    def _read(self) -> list[str]:
        """Returns the Secrets of the system; those of managed stores belong to AWS and are read as files."""
        return sorted({secret for secret, _ in self._keys().values() if secret in self.resolved.secrets})

    def _writable(self) -> dict[str, str]:
        """Returns volume to mount path of the writable folders."""
        return {f"writable-{index}": path for index, path in enumerate(self.workload.writable)}

    def _used(self) -> Iterator[tuple[str, Component]]:
        return ((used, self.resolved.components[used]) for used in self.workload.uses)

    def _trusted(self) -> dict[str, str]:
        """Returns volume to Secret, for the authorities of used components."""
        secrets = {used: component.trusted(used) for used, component in self._used()}
        return {f"ca-{used}": secret for used, secret in secrets.items() if secret}

    def _managed(self) -> dict[str, str]:
        """Returns volume to Secret, for the credentials of used managed stores."""
        return {
            f"credentials-{used}": component.secret(used)
            for used, component in self._used()
            if isinstance(component, Managed) and not component.existing
        }

    def _keys(self) -> dict[str, tuple[str, str]]:
        """Returns variable to secret and key: the workload's, and those of the components that it uses."""
        keys = dict(self.workload.secrets)
        for used, component in self._used():
            keys.update(component.credentials(used))
        return {variable: (key.secret, key.key) for variable, key in sorted(keys.items())}

    def _env(self) -> list[Any]:
        # one name for logs and traces (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/)
        plain: dict[str, Any] = {"OTEL_SERVICE_NAME": self.name, **self.workload.env}
        for used, component in self._used():
            plain.update(component.environment(used, self.resolved.environment.namespace))
            if isinstance(component, Managed) and not component.existing:
                plain.update(
                    {
                        name: self.context.platform.get("endpoints", used, part)
                        for name, part in _endpoint_variables(used, component)
                    }
                )
        for volume in self._trusted():
            plain[secret_variable(volume.removeprefix("ca-"), "ca-file")] = f"{TRUST}/{volume}/ca.crt"
        for volume in self._managed():
            for key in CREDENTIALS:
                name = secret_variable(volume.removeprefix("credentials-"), f"{key}-file")
                plain[name] = f"{TRUST}/{volume}/{key}"
        configured = self.workload.configuration
        keys = () if configured == "all" else configured
        return [
            *({"name": name, "value": value} for name, value in sorted(plain.items())),
            *(
                {"name": key, "valueFrom": {"configMapKeyRef": {"name": self.context.configuration.name, "key": key}}}
                for key in keys
            ),
            *(
                {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}
                for name, (secret, key) in self._keys().items()
            ),
        ]


def _endpoint_variables(name: str, component: Component) -> Iterator[tuple[str, str]]:
    """Environment variables, each with the part of the store's endpoint that is its value."""
    yield secret_variable(name, "host"), "host"
    if component.has_reader:
        yield secret_variable(name, "read-host"), "reader"
