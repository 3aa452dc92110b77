"""Tags to digests, asked of a registry that asks who is there."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from cli.images import pin, place, resolve
from config.errors import ConfigError
from config.stack import read_stack

DIGEST = "sha256:" + "ab" * 32
STACK = """\
# the next release
config:
  understudy:environment: staging
  understudy:images:
    backend: staging-latest  # moves
    worker: 1.0.0
"""


class Registry(BaseHTTPRequestHandler):
    """The three requests of the distribution specification that are used here."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        user = base64.b64encode(b"me:secret").decode()
        if path == "/token":
            known = self.headers.get("Authorization") == f"Basic {user}"
            self._answer(200 if known and "scope=repository" in query else 403, json.dumps({"token": "t"}).encode())
        elif self.headers.get("Authorization") != "Bearer t":
            host = self.headers["Host"]
            scope = f'Bearer realm="http://{host}/token",service="r",scope="repository:{path}:pull"'
            self._answer(401, b"{}", **{"WWW-Authenticate": scope})
        elif path == "/v2/team/backend/manifests/staging-latest":
            self._answer(200, b"{}", **{"Docker-Content-Digest": DIGEST})
        elif path == "/v2/team/bare/manifests/1.0.0":
            self._answer(200, b"{}")
        elif path == "/v2/team/odd/manifests/1.0.0":
            self._answer(200, b"{}", **{"Docker-Content-Digest": "md5:1"})
        else:
            self._answer(404, b"{}")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Quiet."""


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"127.0.0.1:{server.server_port}"
    auth = base64.b64encode(b"me:secret").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {address: {"auth": auth}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    yield address
    server.shutdown()
    server.server_close()


def test_where_an_image_is() -> None:
    assert place("registry.example.com/team/web") == ("registry.example.com", "team/web")
    assert place("localhost:5000/web") == ("localhost:5000", "web")
    assert place("prom/prometheus") == ("registry-1.docker.io", "prom/prometheus")
    assert place("nginx") == ("registry-1.docker.io", "library/nginx")


def test_a_tag_is_resolved_with_dockers_credentials(registry: str) -> None:
    assert resolve(f"{registry}/team/backend", "staging-latest") == DIGEST
    bare = resolve(f"{registry}/team/bare", "1.0.0")  # the digest of what was answered
    assert bare == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_the_file_is_written_whole_with_its_comments(registry: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.staging.yaml"
    file.write_text(STACK)
    found = pin(file, {"backend": f"{registry}/team/backend"}, {"backend": "staging-latest"})
    assert found == {"backend": f"staging-latest@{DIGEST}"}
    text = file.read_text()
    assert "# the next release" in text
    assert "# moves" in text
    assert read_stack(file).images == {"backend": f"staging-latest@{DIGEST}", "worker": "1.0.0"}
    assert pin(file, {"backend": "nowhere.invalid/x"}, read_stack(file).images | {"worker": DIGEST})["worker"] == DIGEST


def test_what_the_registry_says_is_told_and_nothing_is_written(registry: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.staging.yaml"
    file.write_text(STACK)
    images = {"backend": f"{registry}/team/backend", "worker": f"{registry}/team/worker"}
    with pytest.raises(ConfigError, match=r"has no team/worker:1\.0\.0"):
        pin(file, images, {"backend": "staging-latest", "worker": "1.0.0"})
    assert file.read_text() == STACK
    with pytest.raises(ConfigError, match="is no digest"):
        resolve(f"{registry}/team/odd", "1.0.0")


def test_who_is_not_let_in_is_told_to_sign_in(registry: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match=f"docker login {registry}"):
        resolve(f"{registry}/team/backend", "staging-latest")


def test_a_registry_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="does not answer"):
        resolve("127.0.0.1:9/web", "1.0.0")
