"""Stacks on the real engine and a control plane of their own, in a folder of the test's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.control_plane import kubectl
from local.engine import Engine
from local.stack import LocalStack
from tests.servers import until
from tests.systems import write

KINDS = (
    "deployments,services,configmaps,secrets,serviceaccounts,networkpolicies,resourcequotas,limitranges,"
    "horizontalpodautoscalers,poddisruptionbudgets,statefulsets,jobs,cronjobs,persistentvolumeclaims,roles,rolebindings,clusterroles,clusterrolebindings"
)


@contextmanager
def running(name: str, home: Path, source: Path | None = None) -> Iterator[LocalStack]:
    """The stack, its cluster started; both are removed in the end."""
    stack = LocalStack(name, Engine(home=home), source)
    try:
        stack.start()
        yield stack
    finally:
        stack.plane.remove()
        if stack.account:
            stack.account.down()


def small(folder: Path, *replacements: tuple[str, str], pin: str | None = None) -> Path:
    """A stack's file of the small system."""
    system = write(folder, *replacements)
    file = folder / "Pulumi.small.yaml"
    config: dict[str, Any] = {
        "understudy:system": str(system),
        "understudy:environment": "staging",
        "understudy:images": {"web": "1.0.0", "worker": "1.0.0"},
    }
    if pin:
        config["understudy:clusterCaSha256"] = pin
    file.write_text(json.dumps({"config": config}), encoding="utf-8")
    return file


def get(stack: LocalStack, *arguments: str) -> Any:
    """kubectl's answer as JSON."""
    return json.loads(kubectl("get", *arguments, "-o", "json", plane=stack.plane))


def volumes_go(stack: LocalStack) -> None:
    """Waits until there is no volume: the controller removes each some time after its claim."""
    until(lambda: get(stack, "pv")["items"] == [], 60, lambda: kubectl("get", "pv", plane=stack.plane))


def ours(stack: LocalStack, namespace: str) -> set[str]:
    """``kind/name`` of every object with our label in the namespace, and of those in none that are named after it."""
    found = get(stack, KINDS, "-n", namespace, "-l", "app.kubernetes.io/managed-by=pulumi")["items"]
    near = (i for i in found if "namespace" in i["metadata"] or i["metadata"]["name"].startswith(f"{namespace}-"))
    return {f"{item['kind']}/{item['metadata']['name']}" for item in near}


def known(stack: LocalStack) -> set[str]:
    """``kind/name`` of every object in the state but the namespace."""
    resources = [r for r in stack.export().get("resources", []) if r["type"].startswith("kubernetes:")]
    names = [f"{r['inputs']['kind']}/{r['inputs']['metadata']['name']}" for r in resources]
    assert len(names) == len(set(names)), "the state holds an object twice"
    return {name for name in names if not name.startswith("Namespace/")}


def template_hash(stack: LocalStack, namespace: str, app: str) -> set[str]:
    """Of the service's pods that are not going."""
    pods = get(stack, "pods", "-n", namespace, "-l", f"app={app}")["items"]
    return {p["metadata"]["labels"]["pod-template-hash"] for p in pods if "deletionTimestamp" not in p["metadata"]}
