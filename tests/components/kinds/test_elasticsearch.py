"""Elasticsearch on the graph, and the script that sets it up, told to a server that writes down what it was asked."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.kinds.elasticsearch import SETUP
from components.kinds.elasticsearch.configuration import requests
from review.graph import graph
from tests.components.graphs import inputs
from tests.components.watching import watched

STAGING = tuple(graph("staging"))
KEYS = ("PASSWORD", "KIBANA_PASSWORD", "WRITER_PASSWORD", "READER_PASSWORD")


def pod() -> Any:
    return inputs(STAGING, "Deployment", "elasticsearch")["spec"]["template"]["spec"]


def test_a_single_node_with_security_on() -> None:
    """8.11.1, single node, port 9200: seed ``spacetime``."""
    file = yaml.safe_load(inputs(STAGING, "ConfigMap", "elasticsearch")["data"]["elasticsearch.yml"])
    assert file["discovery.type"] == "single-node"
    assert file["node.store.allow_mmap"] is False
    assert file["xpack.security.enabled"] is True
    assert file["xpack.security.http.ssl.enabled"] is True
    assert pod()["containers"][0]["image"] == "elasticsearch:8.11.1"
    assert inputs(STAGING, "Service", "elasticsearch")["spec"]["ports"][0]["port"] == 9200


def test_its_folders_are_writable_and_its_file_system_is_not() -> None:
    [container] = pod()["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    places = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    config = "/usr/share/elasticsearch/config"
    assert places[config]["name"] == "config"
    assert places[f"{config}/elasticsearch.yml"]["subPath"] == "elasticsearch.yml"
    assert places[f"{config}/certs"]["readOnly"] is True
    assert places["/usr/share/elasticsearch/data"]["name"] == "data"
    [copied] = pod()["initContainers"]
    assert copied["command"][-1] == f"cp -r {config}/. /config/"


def test_logs_live_as_long_as_declared() -> None:
    for environment, days in (("staging", "15d"), ("production", "30d")):
        store = watched("spacetime", environment).declared("elasticsearch")
        bodies = {name: json.loads(text) for name, text in requests(store).items()}
        assert bodies["lifecycle.json"]["policy"]["phases"]["delete"]["min_age"] == days
        template = bodies["template.json"]
        assert template["index_patterns"] == [f"logs-{environment}-*"]
        assert template["template"]["settings"]["index.lifecycle.name"] == f"logs-{environment}"
        assert template["priority"] > 100  # Elasticsearch's own for logs-*-*
        assert template["template"]["mappings"]["properties"].keys() == {"@timestamp", "level", "service", "message"}


class Elastic:
    """Knows one password of ``elastic``, and takes what it is told."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.told: list[tuple[str, str, Any]] = []
        self.refused = 0

    def answer(self, method: str, path: str, authorization: str, body: bytes) -> int:
        user, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        if (user, password) != ("elastic", self.password):
            self.refused += 1
            return 401
        if not path.startswith("/_cluster"):
            content = json.loads(body)
            self.told.append((method, path, content))
            if path == "/_security/user/elastic/_password":
                self.password = content["password"]
        return 200


@pytest.fixture
def serve() -> Iterator[Any]:
    servers = []

    def start(elastic: Elastic) -> str:
        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(elastic.answer(self.command, self.path, self.headers["Authorization"], body))
                self.end_headers()

            do_GET = do_PUT = do_POST = _any  # noqa: N815 - the library's names

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def run(url: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    store = watched("spacetime").declared("elasticsearch")
    for name, text in requests(store).items():
        (folder / name).write_text(text)
    environment = {
        "PATH": os.environ["PATH"],
        "URL": url,
        "CA": "/dev/null",
        "CONFIG": str(folder),
        "RUN": str(folder),
        "STREAM": store.stream,
        **{key: f'{key}-"\\$x' for key in KEYS},  # what JSON, curl and a shell would trip over
        **more,
    }
    return subprocess.run(["sh", "-c", SETUP], env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_setup_tells_users_roles_lifecycle_and_template(serve: Any, tmp_path: Path) -> None:
    elastic = Elastic('PASSWORD-"\\$x')
    result = run(serve(elastic), tmp_path)
    assert result.returncode == 0, result.stderr
    assert [(method, path) for method, path, _ in elastic.told] == [
        ("POST", "/_security/user/elastic/_password"),
        ("POST", "/_security/user/kibana_system/_password"),
        ("PUT", "/_security/role/logs_writer"),
        ("PUT", "/_security/role/logs_reader"),
        ("PUT", "/_security/user/logs_writer"),
        ("PUT", "/_security/user/logs_reader"),
        ("PUT", "/_ilm/policy/logs-staging"),
        ("PUT", "/_index_template/logs-staging"),
    ]
    bodies = {path: body for _, path, body in elastic.told}
    assert bodies["/_security/user/kibana_system/_password"] == {"password": 'KIBANA_PASSWORD-"\\$x'}
    assert bodies["/_security/user/logs_writer"] == {"password": 'WRITER_PASSWORD-"\\$x', "roles": ["logs_writer"]}
    assert bodies["/_security/role/logs_writer"]["indices"][0]["privileges"] == ["auto_configure", "create_doc"]
    assert "PASSWORD-" not in result.stdout + result.stderr


def test_a_rotation_signs_in_with_the_password_before(serve: Any, tmp_path: Path) -> None:
    elastic = Elastic("the one before")
    result = run(serve(elastic), tmp_path, PASSWORD="the next", PASSWORD_PREVIOUS="the one before")
    assert result.returncode == 0, result.stderr
    assert elastic.password == "the next"
    assert elastic.refused == 1
    assert len(elastic.told) == 8


def test_a_refusal_stops_it(serve: Any, tmp_path: Path) -> None:
    class Refusing(Elastic):
        def answer(self, method: str, path: str, authorization: str, body: bytes) -> int:
            return 400 if path == "/_ilm/policy/logs-staging" else super().answer(method, path, authorization, body)

    elastic = Refusing('PASSWORD-"\\$x')
    result = run(serve(elastic), tmp_path)
    assert result.returncode == 1
    assert "/_ilm/policy/logs-staging: 400" in result.stderr
    assert elastic.told[-1][1] == "/_security/user/logs_reader"


def test_the_job_goes_before_those_who_need_its_passwords() -> None:
    """The component waits for it, and what is in a component for the component."""
    for name in ("Kibana", "Logstash", "Grafana"):
        [user] = [n for n in STAGING if n["type"].endswith(f":{name}")]
        assert any(urn.endswith("Job::elasticsearch-setup") for urn in user["depends_on"])
