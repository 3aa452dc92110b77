"""A small system of our own, ways to declare it otherwise, and what the commands say of it."""

from __future__ import annotations

import json
import os
import pickle
import traceback
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import components.environment  # noqa: F401 - a fork of this process need not import it again
from config.derivation.derive import derive
from config.errors import ConfigError, Problem
from config.loader import parse
from policies.exemptions import Ledger
from policies.rule import Finding
from policies.rules import RULES
from policies.verdict import judge
from review.check import check
from review.graph import ROOT, Node
from review.parity import FAILING, Difference, compare
from review.record import record

T = TypeVar("T")
LEDGER = Ledger((), date(2026, 11, 20))
PARCELS = """\
system: parcels
title: Parcels
components:
  web:
    kind: service
    image: registry.example.com/web
    uses: [db]
    replicas: {min: 2, max: 4}
    resources: {requests: {cpu: 500m, memory: 512Mi}, limits: {cpu: 1, memory: 1Gi}}
    readiness: {path: /ready}
    liveness: {path: /live}
    configuration: all
  db:
    kind: postgresql
    version: "16.4"
    database: parcels_{environment}
    resources: {requests: {cpu: 1, memory: 2Gi}, limits: {cpu: 2, memory: 4Gi}}
    storage: 20Gi
    password: {secret: app, key: db}
    internalPassword: {secret: app, key: internal}
configuration: {data: {LOG_LEVEL: info}}
secrets: {app: {keys: {db: {length: 24}, internal: {length: 24}}}}
shared: [{because: one registry for all images, values: [registry.example.com]}]
environments:
  production:
    namespace: parcels-prod
    domain: parcels.example.com
    protect: true
    cluster:
      apiServerCidrs: [10.20.0.1/32]
      nodeCidrs: [10.20.16.0/20]
      nodes: {count: 4, cpu: 8, memory: 32Gi, storage: 200Gi}
  staging:
    namespace: parcels-staging
    domain: staging.parcels.example.com
    cluster:
      apiServerCidrs: [10.30.0.1/32]
      nodeCidrs: [10.30.16.0/20]
      nodes: {count: 4, cpu: 8, memory: 32Gi, storage: 200Gi}
    scale: {cpu: 50%, memory: 50%, storage: 50%}
    changes: [{because: find mistakes before users do, set: {configuration.data.LOG_LEVEL: debug}}]
"""


def declared(*replacements: tuple[str, str], objects: list[dict[str, Any]] | None = None) -> str:
    """The system with pieces of its text replaced, and with a component ``extra`` of these objects."""
    text = PARCELS
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    if objects is not None:
        listed = "".join(f"      - {json.dumps(entry)}\n" for entry in objects)
        text = text.replace(
            "\nconfiguration: {", f"\n  extra:\n    kind: manifests\n    objects:\n{listed}configuration: {{"
        )
    return text


def problems(text: str) -> list[Problem]:
    """What ``check`` finds wrong with the system's file."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "parcels.yaml"
        file.write_text(text, encoding="utf-8")
        try:
            check(file)
        except ConfigError as error:
            return list(error.problems)
    return []


def resolved(text: str, environment: str = "staging") -> Any:
    """The environment's declaration, decided."""
    return derive(parse(text, "parcels.yaml"), environment)[0]


def graph(text: str, environment: str = "staging") -> list[Node]:
    """The environment's resources; raises ``AssertionError`` with what the program said."""

    def recorded() -> list[Node]:
        with TemporaryDirectory() as folder:
            system, stack = Path(folder) / "parcels.yaml", Path(folder) / "Pulumi.test.yaml"
            system.write_text(text, encoding="utf-8")
            settings = {"system": str(system), "environment": environment, "images": {"web": "1.0.0"}}
            stack.write_text(json.dumps({"config": {f"understudy:{k}": v for k, v in settings.items()}}), "utf-8")
            return record(ROOT, "test", stack)[0]

    return forked(recorded)


def findings(text: str, environment: str = "staging") -> list[Finding]:
    """What the policies find in the environment's resources."""
    return list(judge(graph(text, environment), RULES.values(), LEDGER, "test").findings)


def unfaithful(text: str, environment: str = "staging") -> list[Difference]:
    """The differences between production and the environment that nothing explains."""
    system = json.loads(json.dumps(_tree(text)))
    for part in ("scale", "changes"):
        system["environments"][environment].pop(part, None)
    plain = graph(json.dumps(system), environment)
    found = compare(graph(text, "production"), graph(text, environment), plain)
    return [difference for difference in found if difference.kind in FAILING]


def _tree(text: str) -> Any:
    from ruamel.yaml import YAML

    return YAML(typ="safe").load(text)


def forked(work: Callable[[], T]) -> T:
    """What ``work`` returns in a copy of this process: the SDK's state is global, and importing it takes a second."""
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        answer: tuple[bool, Any]
        try:
            answer = True, work()
        except BaseException:  # noqa: BLE001 - whatever it was, the parent says it
            answer = False, traceback.format_exc()
        with os.fdopen(sending, "wb") as pipe:
            pickle.dump(answer, pipe)
        os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, "rb") as pipe:
        done, result = pickle.loads(pipe.read())
    os.waitpid(child, 0)
    assert done, result
    return result  # type: ignore[no-any-return] # pickled by the child as it is
