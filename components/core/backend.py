"""One pod behind a Service: the common base of the backends of metrics, logs and traces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pulumi

from config.kinds.backend import Backend as Declared
from config.kinds.backend import BackendWithSetupJob
from config.model.base import SecretKey

from .configuration import checksum
from .context import BuildContext
from .labels import selector
from .object_factory import Depends, ObjectFactory
from .pods import TRUST, authority, mounts, probe, proxied, security, variables


@dataclass(frozen=True)
class Pod:
    """The parts of a backend's pod that differ between kinds."""

    uid: int
    """The user of the image."""
    ready: Mapping[str, Any]
    """Request of the readiness probe."""
    alive: Mapping[str, Any] | None = None
    """Request of the liveness probe; default: a TCP connection to the first port."""
    command: Sequence[str] = ()
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    secret_env: Mapping[str, SecretKey | None] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """A ConfigMap of the component's name."""
    config: str = ""
    """Mount path of the configuration directory."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """File to its path below ``config``, where the path is not the file's name."""
    single_files: bool = False
    """Files that are mounted one by one over the image's own; the other files of the image stay visible."""
    data: str = ""
    """Mount path of the data volume."""
    writable: Sequence[str] = ()
    """Paths with an emptyDir."""
    trust: Sequence[str] = ()
    """Components whose certificate authority the pod trusts."""
    volumes: Sequence[Any] = ()
    mounts: Sequence[Any] = ()
    """Mount path of each additional volume."""
    init: Sequence[Any] = ()
    digested: Any = None
    """Additional values whose change replaces the pod."""
    secrets: Sequence[str] = ()
    """Secrets whose rotation replaces the pod."""
    slow: bool = False
    """Whether the program takes minutes to start."""
    grace: int = 30
    """Seconds between the stop signal and the kill, in which the program writes data from memory to disk."""


class Backend(pulumi.ComponentResource, ABC):
    """Creates ServiceAccount, ConfigMaps, volume, a Deployment of one pod, and Service; a subclass states the pod."""

    resource_type: ClassVar[str]

    def __init__(
        self, name: str, component: Declared, context: BuildContext, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(self.resource_type, name, None, opts)
        self.name, self.component, self.context, self.resolved = name, component, context, context.resolved
        self.namespace = context.resolved.environment.namespace
        self.objects = ObjectFactory(self, context.resolved, name)
        self.account = self.objects.account()
        before = [self.account, *self.before()]
        pod = self.pod()
        if pod.files:
            before.append(self.objects.files(name, pod.files))
        before += self.objects.claims()
        self.deployment = self._deployment(pod, before)
        listens = {port: (number, number) for port, number in component.ports().items()}
        self.service = self.objects.service(name, listens, selector(name, "server"), [self.deployment])
        self.after()
        self.register_outputs({"host": component.host(name, self.namespace), "port": component.port()})

    @abstractmethod
    def pod(self) -> Pod:
        """Returns the pod's specification."""

    def before(self) -> Depends:
        """Objects that the pod needs, such as its rights."""
        return []

    def annotations(self) -> dict[str, Any]:
        """Returns annotations whose change replaces the pod."""
        return {}

    def after(self) -> None:
        """Objects that need the pod."""

    def setup(
        self,
        script: str,
        bodies: Mapping[str, str],
        env: Mapping[str, str],
        secret_env: Mapping[str, SecretKey | None],
        before: Depends = (),
        trust: Mapping[str, str] | None = None,
    ) -> None:
        """Creates a Job ``<name>-setup`` that runs ``script`` in the backend's own image, which has curl.

        ``bodies`` are files beside the script, ``trust`` maps a component to the Secret with its authority. The Job runs
        again when one of the files changes or a secret is rotated.
        """
        name, component = f"{self.name}-setup", self.component
        assert isinstance(component, BackendWithSetupJob)
        data = {"setup.sh": script, **bodies}
        authorities = {f"ca-{used}": f"{TRUST}/ca-{used}" for used in trust or {}}
        places = {"files": "/etc/setup", "run": "/run/setup", **authorities}
        secrets = sorted({key.secret for key in secret_env.values() if key})
        pod = {
            "securityContext": security(self.pod().uid),
            "containers": [
                self.objects.container(
                    name,
                    "setup",
                    f"{component.image}:{component.version}",
                    command=["/bin/sh", "/etc/setup/setup.sh"],
                    env=variables({"CONFIG": "/etc/setup", "RUN": "/run/setup", **env}, secret_env),
                    volumeMounts=mounts(places, ["files", *authorities]),
                )
            ],
            "volumes": [
                {"name": "files", "configMap": {"name": name}},
                {"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
                *({"name": f"ca-{used}", "secret": authority(secret)} for used, secret in (trust or {}).items()),
            ],
        }
        content = [data, self.context.secrets.checksums(secrets)]
        ready = [self.account, self.objects.files(name, data), self.service, *before]
        self.objects.job(name, pod, content, ready)

    def used(self, kind: type[Any]) -> dict[str, Any]:
        """Returns the used components of one kind."""
        components = {name: self.resolved.components[name] for name in self.component.uses}
        return {name: component for name, component in components.items() if isinstance(component, kind)}

    def trusted(self, names: Sequence[str]) -> dict[str, str]:
        """Returns component to the Secret with its authority, for used components that have one."""
        secrets = {name: self.resolved.components[name].trusted(name) for name in names}
        return {name: secret for name, secret in secrets.items() if secret}

    def _deployment(self, pod: Pod, before: Depends) -> pulumi.Resource:
        name, component = self.name, self.component
        volumes, places = self._volumes(pod)
        first = next(iter(component.ports()))
        own = self.objects.container(
            name,
            name,
            f"{component.image}:{component.version}",
            readinessProbe=probe(period=10, failures=3, **pod.ready),
            livenessProbe=probe(period=20, failures=6, **(pod.alive or {"tcpSocket": {"port": first}})),
            **_some(
                command=list(pod.command),
                args=list(pod.args),
                env=variables(pod.env, pod.secret_env),
                volumeMounts=places,
                startupProbe=probe(period=5, failures=60, **pod.ready) if pod.slow else None,
            ),
        )
        spec = {
            "securityContext": security(pod.uid),
            "terminationGracePeriodSeconds": pod.grace,
            "containers": [own],
            **_some(
                initContainers=list(pod.init),
                automountServiceAccountToken=component.needs_kubernetes_api,
                volumes=volumes,
            ),
        }
        digests = {
            "understudy.dev/configuration": checksum([dict(pod.files), pod.digested]),
            "understudy.dev/secrets": checksum(self.context.secrets.checksums(pod.secrets)) if pod.secrets else None,
            **proxied(self.resolved, self.name),
            **self.annotations(),
        }
        annotations = {key: text for key, text in digests.items() if text is not None}
        return self.objects.single(name, spec, before, annotations)

    def _volumes(self, pod: Pod) -> tuple[list[Any], list[Any]]:
        """Returns the volumes and their mounts."""
        writable = {f"writable-{index}": path for index, path in enumerate(pod.writable)}
        authorities = {f"ca-{used}": secret for used, secret in self.trusted(pod.trust).items()}
        items = [{"key": file, "path": pod.paths.get(file, file)} for file in pod.files] if pod.paths else []
        volumes: list[Any] = [{"name": volume, "emptyDir": {}} for volume in writable]
        volumes += [{"name": volume, "secret": authority(secret)} for volume, secret in authorities.items()]
        places = {**writable, **{volume: f"{TRUST}/{volume}" for volume in authorities}}
        single: list[Any] = []
        if pod.files and pod.single_files:
            volumes.append({"name": "files", "configMap": {"name": self.name}})
            below = {file: f"{pod.config}/{pod.paths.get(file, file)}" for file in pod.files}
            single = [
                {"name": "files", "mountPath": path, "subPath": file, "readOnly": True} for file, path in below.items()
            ]
        elif pod.files:
            volumes.append({"name": "files", "configMap": {"name": self.name, **_some(items=items)}})
            places["files"] = pod.config
        if pod.data:
            [claim] = self.component.volumes(self.name)
            volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": claim}})
            places["data"] = pod.data
        # a mount inside another mounted folder has to follow it
        return [*volumes, *pod.volumes], [*mounts(places, ["files", *authorities]), *pod.mounts, *single]


def _some(**fields: Any) -> dict[str, Any]:
    """Removes empty values: the API server would omit them, and the engine would show that as drift."""
    return {name: value for name, value in fields.items() if value}
