"""The receipt of a refresh: canonical JSON (sorted keys, no spaces), with the same bytes wherever it is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from config.errors import ExternalError
from config.model.contract import Class
from jobs.sanitize.connection import Connection
from jobs.sanitize.names import HOME
from jobs.sanitize.plan.model import Plan

from .prover import Checks

PROVES = (
    "over all rows: no value of a masked column is one of production's, or where values recur, its own row's",
    "every masked value has its mask's form",
    "no canary and nothing that a detector knows stands in any text, document, array, large object, view or definition",
    "every reference leads to a row, and every table has the rows that were planned",
)
DOES_NOT_PROVE = (
    "anonymity: who knows a person's orders, times or amounts from elsewhere may find their row again",
    "that the contract is right: what it calls public was copied as it is",
)


def compose(
    plan: Plan,
    environment: str,
    checks: Checks,
    canaries: tuple[str, ...],
    begun: datetime,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """Returns the receipt. Canaries are named by their hash, because a receipt has many readers."""
    now = datetime.now(UTC)
    return {
        "version": 1,
        "system": plan.system,
        "database": plan.database,
        "environment": environment,
        "contract": f"sha256:{plan.hashes['contract']}",
        "schema": f"sha256:{plan.hashes['schema']}",
        "snapshot": {
            "kind": plan.declared.source,
            "at": plan.as_of,
            "ageSeconds": round((now - datetime.fromisoformat(plan.as_of)).total_seconds()),
        },
        "begun": begun.isoformat(timespec="seconds"),
        "finished": now.isoformat(timespec="seconds"),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "tables": {name: {"before": table.before, "after": table.after} for name, table in plan.tables.items()},
        "canaries": [f"sha256:{hashlib.sha256(canary.encode()).hexdigest()}" for canary in canaries],
        "checks": [
            {"check": check.name, "table": check.table, "column": check.column, "found": check.found}
            for check in sorted(checks.done, key=lambda check: (check.table, check.column, check.name))
        ],
        "stores": plan.stores,
        "parts": plan.parts,
        "notCopied": plan.definitions.left,
        "proves": list(PROVES),
        "doesNotProve": [*DOES_NOT_PROVE, *left(plan)],
    }


def left(plan: Plan) -> Iterator[str]:
    """Yields the columns that could still identify a person, because they are kept for their use in staging."""
    for name, table in plan.tables.items():
        if table.rules.rows == "none" or not any(item.mask is not None for item in table.fields):
            continue
        times = [
            item.name for item in table.fields if item.mask is None and item.live.category in ("date", "timestamp")
        ]
        lengths = [
            item.name for item in table.fields if item.declared.cls is Class.FREE_TEXT and item.live.category == "text"
        ]
        values = [
            item.name for item in table.fields if item.mask is None and item.live.category not in ("date", "timestamp")
        ]
        if times:
            yield f"{name}: exact times stay in {', '.join(times)} ('jitter' or 'bucket' makes them coarser)"
        if lengths:
            yield f"{name}: exact lengths of texts stay in {', '.join(lengths)} ('bucket' makes them coarser)"
        if values:
            yield f"{name}: values and how often they occur stay in {', '.join(values)} ('k' takes out the rare ones)"
        if not table.shuffled:
            yield f"{name}: the order of the rows is production's"


def last(target: Connection, system: str, database: str) -> dict[str, Any] | None:
    """Returns the last refresh's receipt of that database, from the target; None when there is none."""
    try:
        rows = target.execute(f"SELECT receipt FROM {HOME}.receipts ORDER BY at DESC LIMIT 50").fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.InsufficientPrivilege):
        return None
    receipts = (json.loads(text) for (text,) in rows)
    return next((item for item in receipts if (item.get("system"), item.get("database")) == (system, database)), None)


def canonical(receipt: Mapping[str, Any]) -> str:
    """Returns the bytes that are kept, hashed and attested."""
    return json.dumps(receipt, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def write_metrics(receipt: Mapping[str, Any], file: Path) -> None:
    """Writes the receipt's figures in Prometheus' text format, for the node exporter's textfile collector or a Pushgateway."""
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

    registry = CollectorRegistry()
    labels = {"system": receipt["system"], "database": receipt["database"]}
    figures = {
        "understudy_sanitize_last_success_timestamp_seconds": (
            "When the last refresh was finished.",
            datetime.fromisoformat(receipt["finished"]).timestamp(),
        ),
        "understudy_sanitize_data_timestamp_seconds": (
            "The time that staging's data are of.",
            datetime.fromisoformat(receipt["snapshot"]["at"]).timestamp(),
        ),
        "understudy_sanitize_duration_seconds": ("How long it took.", sum(receipt["seconds"].values())),
        "understudy_sanitize_rows": (
            "Rows that were copied.",
            sum(table["after"] for table in receipt["tables"].values()),
        ),
        "understudy_sanitize_checks": ("Checks that held.", len(receipt["checks"])),
    }
    for name, (what, value) in figures.items():
        Gauge(name, what, list(labels), registry=registry).labels(**labels).set(value)
    write_to_textfile(str(file), registry)


def keep(receipt: Mapping[str, Any], namespace: str, name: str, client: Any = None) -> None:
    """Writes the ConfigMap ``name`` with the receipt; ``client`` is Kubernetes', default the pod's own account.

    Raises ``ExternalError`` when that fails; the data are in use by then, and the receipt is in the target.
    """
    from kubernetes import client as kubernetes
    from kubernetes import config
    from urllib3.exceptions import HTTPError

    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "understudy-sanitize"}},
        "data": {"receipt.json": canonical(receipt)},
    }
    try:
        if client is None:
            config.load_incluster_config()
        core = kubernetes.CoreV1Api(client)
        try:
            core.replace_namespaced_config_map(name, namespace, body)
        except kubernetes.ApiException as error:
            if error.status != 404:
                raise
            core.create_namespaced_config_map(namespace, body)
    except (config.ConfigException, kubernetes.ApiException, HTTPError) as error:
        why = error.reason if isinstance(error, kubernetes.ApiException) else str(error)
        message = (
            f"the new data are in use; the ConfigMap {namespace}/{name} could not be written with their receipt: {why}"
        )
        raise ExternalError(message) from None
