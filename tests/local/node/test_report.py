"""The table of what ran."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from local.node.layout import NAME
from local.node.report import Row, rows, table

AVAILABLE = {"redis:7.2.6": "redis 7.0.15 (Debian)", "haproxy:2.8": "haproxy 2.6.12 (Debian)"}
MISSING = {"cockroachdb:24": "its licence does not allow it"}


def pod(name: str, node: str | None, *images: str, ready: bool = True, of: str = "", part: str = "") -> dict[str, Any]:
    spec: dict[str, Any] = {"containers": [{"image": image} for image in images]}
    if node:
        spec["nodeName"] = node
    labels = {"app.kubernetes.io/name": of, "app.kubernetes.io/component": part}
    return {
        "metadata": {"name": name, "labels": {key: value for key, value in labels.items() if value}},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def test_pods_of_a_component_are_one_row() -> None:
    found = rows(
        [
            pod("redis-0", NAME, "redis:7.2.6", of="redis", part="server"),
            pod("redis-1", NAME, "redis:7.2.6", ready=False, of="redis", part="server"),
            pod("proxy-0", NAME, "haproxy:2.8", of="redis", part="proxy"),
        ],
        AVAILABLE,
        MISSING,
    )
    assert found == [
        Row("redis (proxy)", True, (("haproxy:2.8", "haproxy 2.6.12 (Debian)"),), 1, 1),
        Row("redis (server)", True, (("redis:7.2.6", "redis 7.0.15 (Debian)"),), 2, 1),
    ]


def test_a_simulated_pod_says_why() -> None:
    found = rows(
        [
            pod("db-0", "node-0", "cockroachdb:24", of="db"),
            pod("web-0", "node-1", "web:1", "redis:7.2.6", of="web"),
            pod("agent-0", "node-1", "redis:7.2.6", of="agent"),
        ],
        AVAILABLE,
        MISSING,
    )
    assert [(row.component, row.ran, row.images) for row in found] == [
        ("agent", False, (("redis:7.2.6", "simulated: it asks for a node that the real one is not"),)),
        ("db", False, (("cockroachdb:24", "its licence does not allow it"),)),
        ("web", False, (("web:1", "not among the images that were made"), ("redis:7.2.6", "could run"))),
    ]


def test_a_pod_without_a_node_says_what_the_scheduler_says() -> None:
    waiting = pod("big-0", None, "redis:7.2.6", ready=False, of="big")
    waiting["status"]["conditions"].append({"type": "PodScheduled", "status": "False", "message": "Insufficient cpu"})
    assert rows([waiting], AVAILABLE, MISSING)[0].images == (("redis:7.2.6", "not scheduled: Insufficient cpu"),)


def test_a_job_that_is_done_counts_and_a_pod_that_goes_does_not() -> None:
    done, going = pod("job-a", NAME, "redis:7.2.6", ready=False), pod("old", NAME, "redis:7.2.6")
    done["status"]["phase"] = "Succeeded"
    done["metadata"]["ownerReferences"] = [{"name": "job", "kind": "Job"}]
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert [(row.component, row.pods, row.ready) for row in rows([done, going], AVAILABLE, MISSING)] == [("job", 1, 1)]


def test_the_table_shows_images_and_versions() -> None:
    console = Console(width=160, record=True)
    found = rows([pod("redis-0", NAME, "redis:7.2.6", ready=False, of="redis")], AVAILABLE, MISSING)
    console.print(table(found))
    shown = console.export_text()
    assert "redis:7.2.6" in shown
    assert "redis 7.0.15 (Debian)" in shown
    assert "ran 1, 0 ready" in shown


def test_a_long_reference_is_shown_whole() -> None:
    console = Console(width=60, record=True)
    name = f"registry.example.com/{'long-' * 15}name:1"
    console.print(table(rows([pod("a-0", NAME, name, of="a")], AVAILABLE, MISSING)))
    cells = [line.split("│")[3].strip() for line in console.export_text().splitlines() if line.count("│") == 5]
    assert name in "".join(cells)
