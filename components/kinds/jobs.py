"""Tasks that run once for each image, or on a schedule."""

from __future__ import annotations

from typing import Any

import pulumi

from components.core.context import BuildContext
from components.core.object_factory import ObjectFactory
from components.core.pods import proxied, security
from components.core.wiring import Wiring
from config.kinds import CronJob as DeclaredCronJob
from config.kinds import DataSync
from config.kinds import Job as DeclaredJob
from config.kinds.aws import Aurora
from config.kinds.jobs import Task
from config.system import Resolved


def _pod(task: Task, wiring: Wiring, env: tuple[Any, ...] = ()) -> dict[str, Any]:
    own = wiring.container(wiring.image())
    own |= {"env": [*own["env"], *env], **({"command": list(task.command)} if task.command else {})}
    return {
        "securityContext": security(),
        "automountServiceAccountToken": task.needs_kubernetes_api,
        "containers": [own],
        "volumes": wiring.volumes(),
    }


class Job(pulumi.ComponentResource):
    """Runs before the components that depend on it, and again for another image, command or configuration."""

    def __init__(
        self, name: str, declared: DeclaredJob, context: BuildContext, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("understudy:jobs:Job", name, None, opts)
        wiring, objects = Wiring(name, declared, context), ObjectFactory(self, context.resolved, name)
        objects.job(
            name,
            _pod(declared, wiring),
            [wiring.image(), list(declared.command), wiring.declared_inputs()],
            [objects.account()],
            whole=False,
            retries=declared.retries,
            seconds=int(declared.timeout.seconds),
            annotations=proxied(context.resolved, name),
        )
        self.register_outputs({})


class CronJob(pulumi.ComponentResource):
    """Runs on a schedule, without overlapping runs; also the task that synchronises sanitised data."""

    def __init__(
        self, name: str, declared: DeclaredCronJob, context: BuildContext, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("understudy:jobs:CronJob", name, None, opts)
        resolved = context.resolved
        wiring, objects = Wiring(name, declared, context), ObjectFactory(self, resolved, name)
        pod = _pod(declared, wiring, _sync(name, declared, resolved) if isinstance(declared, DataSync) else ())
        annotations = {**wiring.annotations(), **proxied(resolved, name)}
        rights = objects.rights(_keeping(name)) if isinstance(declared, DataSync) else []
        objects.scheduled(name, declared, pod, [objects.account(), *rights], annotations)
        self.register_outputs({})


def _receipt(name: str) -> str:
    """Returns the name of the ConfigMap with the receipt of the last synchronisation."""
    return f"{name}-receipt"


def _keeping(name: str) -> tuple[dict[str, Any], ...]:
    """Returns the rights to create ConfigMaps (RBAC cannot limit that to a name) and to read and change this one."""
    configmaps = {"apiGroups": [""], "resources": ["configmaps"]}
    return (
        {**configmaps, "verbs": ["create"]},
        {**configmaps, "resourceNames": [_receipt(name)], "verbs": ["get", "update"]},
    )


def _sync(name: str, declared: DataSync, resolved: Resolved) -> tuple[Any, ...]:
    """Returns variables with the permitted snapshots and the clusters into which they are restored."""
    target, account = resolved.components[declared.database], resolved.environment.account
    assert isinstance(target, Aurora), "config.checks.references asks for one"
    assert account is not None, "config.checks.references asks for one"
    called = f"{resolved.system}-{resolved.environment.name}-{declared.database}"
    plain = {
        "AWS_REGION": account.region,
        "SNAPSHOT_ACCOUNT": declared.account,
        "SNAPSHOT_KEY": declared.key,
        "SNAPSHOT_PREFIX": f"{declared.snapshots}-",
        "RESTORE_KEY": f"alias/{called}",
        "RESTORE_SUBNET_GROUP": called,
        "SANITIZE_SYSTEM": resolved.system,
        "SANITIZE_DATABASE": declared.database,
        "SANITIZE_CONFIGMAP": f"{resolved.environment.namespace}/{_receipt(name)}",
        "DATABASE_NAME": target.database,
        "TARGET_CLUSTER": target.identifier,
        "TEMPORARY_CLUSTER": f"{target.identifier}-sync-",
    }
    secret = target.secret(declared.database)
    endpoint = {f"DB_{key.upper()}": {"name": secret, "key": key} for key in ("host", "port")}
    return (
        *({"name": name, "value": value} for name, value in plain.items()),
        *({"name": name, "valueFrom": {"secretKeyRef": reference}} for name, reference in endpoint.items()),
    )
