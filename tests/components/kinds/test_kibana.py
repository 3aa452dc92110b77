"""Kibana on the graph, and the script that makes its data view."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import yaml

from components.kinds.kibana import SETUP
from components.kinds.kibana.configuration import data_view
from review.graph import graph
from tests.components.graphs import inputs

STAGING = tuple(graph("staging"))


def test_it_reads_the_store_it_uses() -> None:
    file = yaml.safe_load(inputs(STAGING, "ConfigMap", "kibana")["data"]["kibana.yml"])
    assert file["elasticsearch.hosts"] == ["https://elasticsearch.staging.svc.cluster.local:9200"]
    assert file["elasticsearch.ssl.certificateAuthorities"] == ["/etc/understudy/ca-elasticsearch/ca.crt"]
    assert file["elasticsearch.username"] == "kibana_system"
    assert file["elasticsearch.password"] == "${KIBANA_PASSWORD}"
    assert inputs(STAGING, "Service", "kibana")["spec"]["ports"][0]["port"] == 5601


def test_nobody_reads_a_password_in_the_graph() -> None:
    [container] = inputs(STAGING, "Deployment", "kibana")["spec"]["template"]["spec"]["containers"]
    secret = {entry["name"]: entry["valueFrom"]["secretKeyRef"]["key"] for entry in container["env"]}
    assert secret["KIBANA_PASSWORD"] == "kibana-password"
    assert secret["ENCRYPTION_KEY"] == "kibana-encryption-key"


def test_the_index_pattern_is_the_seeds() -> None:
    body = json.loads(inputs(STAGING, "ConfigMap", "kibana-setup")["data"]["view.json"])
    assert body["data_view"]["title"] == "logs-staging-*"
    assert body["data_view"]["timeFieldName"] == "@timestamp"


def test_setup_waits_and_makes_the_view(tmp_path: Path) -> None:
    asked: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, None))
            self.send_response(503 if len(asked) == 1 else 200)
            self.end_headers()

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, (self.headers["kbn-xsrf"], body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    (tmp_path / "view.json").write_text(data_view("logs-staging"))
    environment = {
        "PATH": os.environ["PATH"],
        "URL": f"http://127.0.0.1:{server.server_port}",
        "CONFIG": str(tmp_path),
        "RUN": str(tmp_path),
        "PASSWORD": 'a"b\\c',
    }
    result = subprocess.run(
        ["sh", "-c", SETUP], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    server.shutdown()
    server.server_close()
    thread.join()
    assert result.returncode == 0, result.stderr
    assert [path for path, _ in asked] == ["/api/status", "/api/status", "/api/data_views/data_view"]
    token, body = asked[-1][1]
    assert token
    assert body == json.loads(data_view("logs-staging"))
