"""A real Prometheus with the generated configuration scrapes an exporter, and tells people through a real Alertmanager.

What is changed of the configuration: where the pods are (discovery has tests of its own, on a real API server), ports,
and the times of waiting.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from components.core.rendered import as_yaml
from components.kinds.alertmanager.configuration import configuration
from components.kinds.prometheus import arguments
from config.kinds import Alertmanager
from local.processes import free_port
from tests.components.watching import watched
from tests.servers import Server, require, until

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("monitoring-server")]


@dataclass
class Webhook:
    """Where Slack's would be."""

    url: str
    received: list[dict[str, Any]] = field(default_factory=list)

    def said(self, words: str) -> bool:
        return any(words in json.dumps(message, ensure_ascii=False) for message in self.received)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    found = Webhook("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/slack"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def alertmanager(tmp_path: Path, webhook: Webhook) -> Iterator[str]:
    """Its URL; the secret of Slack is a file, as in the pod."""
    require("prometheus-alertmanager")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "slack-url").write_text(webhook.url)
    declared = watched("spacetime").declared("alertmanager")
    assert isinstance(declared, Alertmanager)
    file = configuration(declared.model_copy(update={"proxy": None}), ("slack",), str(tmp_path / "secrets"))
    text = (
        as_yaml(file).replace("group_wait: 30s", "group_wait: 0s").replace("group_interval: 5m", "group_interval: 1s")
    )
    (tmp_path / "alertmanager.yml").write_text(text)
    port = free_port()
    command = [
        "prometheus-alertmanager",
        f"--config.file={tmp_path}/alertmanager.yml",
        f"--storage.path={tmp_path}/alertmanager",
        "--cluster.listen-address=",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    server = Server(command, {}, tmp_path / "alertmanager.log")
    server.start()
    url = f"http://127.0.0.1:{port}"
    until(lambda: httpx.get(f"{url}/-/ready").status_code == 200, 20, server.text)
    yield url
    server.kill()


@dataclass
class Prometheus:
    url: str
    folder: Path
    frames: Gauge

    def query(self, expr: str) -> list[Any]:
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expr}).json()
        found: list[Any] = answer["data"]["result"]
        return found


@pytest.fixture
def prometheus(tmp_path: Path, alertmanager: str) -> Iterator[Prometheus]:
    require("prometheus")
    registry = CollectorRegistry()
    frames = Gauge("game_server_fps", "Frames per second that players see", registry=registry)
    frames.set(90)
    exporter, thread = start_http_server(0, "127.0.0.1", registry)
    found = watched("spacetime")
    file = found.write(tmp_path / "config")
    content = yaml.safe_load(file.read_text())
    content["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s", "scrape_timeout": "1s"}
    port = free_port()
    [own, *others] = content["scrape_configs"]
    own["static_configs"][0]["targets"] = [f"127.0.0.1:{port}"]
    served = next(job for job in others if job["job_name"] == "game-server")
    del served["kubernetes_sd_configs"], served["relabel_configs"]
    served["static_configs"] = [{"targets": [f"127.0.0.1:{exporter.server_port}"], "labels": {"pod": "game-server-0"}}]
    content["scrape_configs"] = [own, served]
    content["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alertmanager.removeprefix("http://")]
    file.write_text(yaml.safe_dump(content))
    rules = tmp_path / "config" / "rules" / "game-server.yml"
    rules.write_text(rules.read_text().replace("for: 2m", "for: 1s"))
    declared = found.declared("prometheus")
    flags = [flag for flag in arguments(declared) if not flag.startswith(("--config.file", "--storage.tsdb.path"))]
    command = [
        "prometheus",
        f"--config.file={file}",
        f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        *flags,
    ]
    server = Server(command, {}, tmp_path / "prometheus.log")
    server.start()
    url = f"http://127.0.0.1:{port}"
    until(lambda: httpx.get(f"{url}/-/ready").status_code == 200, 20, server.text)
    yield Prometheus(url, tmp_path, frames)
    server.kill()
    exporter.shutdown()
    exporter.server_close()
    thread.join()


def test_few_frames_reach_the_channel_and_are_taken_back(prometheus: Prometheus, webhook: Webhook) -> None:
    until(lambda: prometheus.query('game_server_fps{job="game-server", pod="game-server-0"}') != [], 20)
    assert prometheus.query('ALERTS{alertname="LowFPS"}') == []
    until(lambda: prometheus.query('up{job="prometheus"} == 1') != [], 20)
    prometheus.frames.set(59)
    until(lambda: webhook.said("[FIRING] LowFPS · game-server · staging"), 30, lambda: str(webhook.received))
    [message] = [m for m in webhook.received if "LowFPS" in json.dumps(m)]
    assert message["channel"] == "#staging-alerts"
    [attachment] = message["attachments"]
    assert attachment["color"] == "warning"
    assert "Players see fewer than 60 frames per second" in attachment["text"]
    assert "https://git.spacetime.example.com/infrastructure/blob/main/docs/runbooks/LowFPS.md" in attachment["text"]
    prometheus.frames.set(90)
    until(lambda: webhook.said("[RESOLVED] LowFPS · game-server · staging"), 40, lambda: str(webhook.received))


def test_a_reload_takes_new_rules_without_a_restart(prometheus: Prometheus) -> None:
    rules = prometheus.folder / "config" / "rules" / "game-server.yml"
    rules.write_text(rules.read_text().replace("game_server_fps < 60", "game_server_fps < 30"))
    assert httpx.post(f"{prometheus.url}/-/reload").status_code == 200
    groups = httpx.get(f"{prometheus.url}/api/v1/rules").json()["data"]["groups"]
    assert any("game_server_fps < 30" in rule["query"] for group in groups for rule in group["rules"])
    rules.write_text("groups: [")
    assert httpx.post(f"{prometheus.url}/-/reload").status_code == 500
    groups = httpx.get(f"{prometheus.url}/api/v1/rules").json()["data"]["groups"]
    assert any("game_server_fps < 30" in rule["query"] for group in groups for rule in group["rules"])


def test_what_is_down_is_said_once(alertmanager: str, webhook: Webhook) -> None:
    """A critical alert holds back the warnings of its component, and no other's."""

    def alert(name: str, severity: str, component: str) -> Any:
        return {
            "labels": {"alertname": name, "severity": severity, "component": component},
            "annotations": {"summary": "x"},
        }

    posted = [
        alert("DatabaseNodeDown", "critical", "cockroachdb"),
        alert("HighCPUUsage", "warning", "cockroachdb"),
        alert("HighCPUUsage", "warning", "redis"),
        alert("Heartbeat", "info", "redis"),
    ]
    assert httpx.post(f"{alertmanager}/api/v2/alerts", json=posted).status_code == 200
    until(lambda: webhook.said("DatabaseNodeDown") and webhook.said("HighCPUUsage · redis"), 20)
    found = httpx.get(f"{alertmanager}/api/v2/alerts").json()
    held = {(a["labels"]["alertname"], a["labels"]["component"]) for a in found if a["status"]["inhibitedBy"]}
    assert held == {("HighCPUUsage", "cockroachdb")}
    assert not webhook.said("HighCPUUsage · cockroachdb")
    assert not webhook.said("Heartbeat")
