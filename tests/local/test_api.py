"""The client of the processes beside a local cluster, against a server with a certificate of the cluster's authority."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from local.api import ApiError, Client
from local.pki import Authority

ANSWERS = {
    "/found": (200, b'{"items": []}'),
    "/refused": (403, b'{"kind": "Status", "message": "not allowed"}'),
    "/broken": (500, b"no JSON at all"),
}


class Handler(BaseHTTPRequestHandler):
    """Answers from the table; ``/away`` answers 503 once, as an API server does while it starts."""

    away = True

    def do_GET(self) -> None:
        code, body = (
            ANSWERS["/found"] if self.path == "/away" and not Handler.away else ANSWERS.get(self.path, (503, b"{}"))
        )
        Handler.away = False if self.path == "/away" else Handler.away
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the standard library's name
        pass


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("pki")
    authority = Authority(folder)
    pair, user = authority.sign("server", "server", hosts=("127.0.0.1",)), authority.sign("user", "user")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.pair.certificate))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(pair.certificate, pair.key)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def data(path: Path) -> str:
        return base64.b64encode(path.read_bytes()).decode()

    kubeconfig = folder / "kubeconfig"
    cluster = {
        "server": f"https://127.0.0.1:{server.server_port}",
        "certificate-authority-data": data(authority.pair.certificate),
    }
    credentials = {"client-certificate-data": data(user.certificate), "client-key-data": data(user.key)}
    kubeconfig.write_text(json.dumps({"clusters": [{"cluster": cluster}], "users": [{"user": credentials}]}))
    yield Client(kubeconfig)
    server.shutdown()
    server.server_close()


def test_an_answer_is_its_json(client: Client) -> None:
    assert client.request("GET", "/found") == {"items": []}


@pytest.mark.parametrize(
    ("path", "code", "message"), [("/refused", 403, "not allowed"), ("/broken", 500, "no JSON at all")]
)
def test_an_error_carries_the_servers_words(client: Client, path: str, code: int, message: str) -> None:
    with pytest.raises(ApiError, match=message) as raised:
        client.request("GET", path)
    assert raised.value.code == code


def test_a_server_that_is_away_for_a_moment_is_asked_again(client: Client) -> None:
    assert client.request("GET", "/away") == {"items": []}
