"""A connection to the API server of a local cluster, for the processes that run beside it."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
from pathlib import Path
from typing import Any

import httpx
import tenacity

Object = dict[str, Any]


class ApiError(Exception):
    """An error answer of the API server: its HTTP status and its message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Client:
    """A client with the credentials of a kubeconfig of the local control plane (certificates inside the file)."""

    def __init__(self, kubeconfig: Path) -> None:
        content = json.loads(kubeconfig.read_text(encoding="utf-8"))
        cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        tls = ssl.create_default_context(cadata=authority)
        with tempfile.TemporaryDirectory() as folder:  # OpenSSL reads client certificates only from files
            certificate, key = Path(folder, "crt"), Path(folder, "key")
            certificate.write_bytes(base64.b64decode(user["client-certificate-data"]))
            key.touch(mode=0o600)
            key.write_bytes(base64.b64decode(user["client-key-data"]))
            tls.load_cert_chain(certificate, key)
        self._http = httpx.Client(base_url=cluster["server"], verify=tls, timeout=30)

    def request(self, method: str, url: str, **arguments: Any) -> Object:
        """Returns the answer's JSON; raises ``ApiError``, or ``httpx.TransportError`` without an answer for a minute."""
        response = self._send(method, url, **arguments)
        if response.is_success:
            content: Object = response.json()
            return content
        try:
            message = response.json()["message"]
        except (ValueError, KeyError):
            message = response.text.strip()
        raise ApiError(response.status_code, message)

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type(httpx.TransportError)
        | tenacity.retry_if_result(lambda response: response.status_code in (429, 503)),
        wait=tenacity.wait_exponential(multiplier=0.2, max=3),
        stop=tenacity.stop_after_delay(60),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    def _send(self, method: str, url: str, **arguments: Any) -> httpx.Response:
        return self._http.request(method, url, **arguments)
