"""The API server, as far as a provider needs it: discovery, server-side apply, and errors in its own words."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import tenacity
from ruamel.yaml import YAML

Object = dict[str, Any]


class ApiError(Exception):
    """The API server's ``Status``."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message


class NoSuchKind(Exception):
    """The API server does not serve this kind (yet)."""


@dataclass(frozen=True)
class Resource:
    """Where objects of a kind live."""

    path: str
    """``/api/v1`` or ``/apis/<group>/<version>``."""
    plural: str
    namespaced: bool

    def url(self, namespace: str, name: str | None = None) -> str:
        """Of the collection, or of one object."""
        inside = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{self.path}{inside}/{self.plural}" + (f"/{name}" if name else "")


class Client:
    """One connection to a cluster; retries while the API server is away, as it is for seconds when it restarts."""

    def __init__(self, kubeconfig: str | None, context: str | None) -> None:
        """``kubeconfig`` is a path or the content; default ``$KUBECONFIG`` or ``~/.kube/config``."""
        self._http, self.namespace = _connect(kubeconfig, context)
        self._resources: dict[tuple[str, str], Resource] = {}
        self._lock = threading.Lock()

    def resource(self, api_version: str, kind: str) -> Resource:
        """Where objects of this kind live; raises ``NoSuchKind``."""
        with self._lock:
            if (api_version, kind) not in self._resources:
                path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
                try:
                    served = self.request("GET", path)["resources"]
                except ApiError as error:
                    if error.code != httpx.codes.NOT_FOUND:
                        raise
                    served = []
                for item in served:
                    if "/" not in item["name"]:
                        self._resources[api_version, item["kind"]] = Resource(path, item["name"], item["namespaced"])
            if (api_version, kind) not in self._resources:
                raise NoSuchKind(f'no matches for kind "{kind}" in version "{api_version}"')
            return self._resources[api_version, kind]

    def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """The object, ``None`` when it does not exist."""
        try:
            return self.request("GET", resource.url(namespace, name))
        except ApiError as error:
            if error.code == httpx.codes.NOT_FOUND:
                return None
            raise

    def list(self, resource: Resource, namespace: str, selector: dict[str, str]) -> list[Object]:
        """Objects with these labels."""
        labels = ",".join(f"{key}={value}" for key, value in selector.items())
        items: list[Object] = self.request("GET", resource.url(namespace), params={"labelSelector": labels})["items"]
        return items

    def create(
        self, resource: Resource, namespace: str, body: Object, manager: str, *, dry_run: bool = False
    ) -> Object:
        """Fails when it exists."""
        params = {"fieldManager": manager, **({"dryRun": "All"} if dry_run else {})}
        return self.request("POST", resource.url(namespace), json=body, params=params)

    def apply(
        self, resource: Resource, namespace: str, body: Object, manager: str, *, force: bool, dry_run: bool
    ) -> Object:
        """Server-side apply."""
        return self.request(
            "PATCH",
            resource.url(namespace, body["metadata"]["name"]),
            content=json.dumps(body),
            headers={"Content-Type": "application/apply-patch+yaml"},
            params={"fieldManager": manager, "force": str(force).lower(), **({"dryRun": "All"} if dry_run else {})},
        )

    def patch(self, resource: Resource, namespace: str, name: str, body: Any, kind: str, **params: str) -> Object:
        """``kind`` is ``json-patch`` or ``merge-patch``."""
        headers = {"Content-Type": f"application/{kind}+json"}
        return self.request(
            "PATCH", resource.url(namespace, name), content=json.dumps(body), headers=headers, params=params
        )

    def delete(self, resource: Resource, namespace: str, name: str, propagation: str) -> None:
        """Asks for deletion; raises ``ApiError`` with code 404 when it is gone already."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        self.request("DELETE", resource.url(namespace, name), json=options)

    def request(self, method: str, url: str, **arguments: Any) -> Object:
        """The answer's JSON; raises ``ApiError``, or ``httpx.TransportError`` when nobody answers for a minute."""
        response = self._send(method, url, **arguments)
        if response.is_success:
            answer: Object = response.json()
            return answer
        try:
            status = response.json()
            raise ApiError(response.status_code, status.get("reason", ""), status.get("message", response.text))
        except ValueError:
            raise ApiError(response.status_code, response.reason_phrase, response.text.strip()) from None

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type(httpx.TransportError)
        | tenacity.retry_if_result(lambda response: response.status_code in (429, 503)),
        wait=tenacity.wait_exponential(multiplier=0.2, max=3),
        stop=tenacity.stop_after_delay(60),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    def _send(self, method: str, url: str, **arguments: Any) -> httpx.Response:
        return self._http.request(method, url, **arguments)


@contextlib.contextmanager
def _files(*contents: bytes) -> Iterator[list[str]]:
    """OpenSSL reads certificates from files only; they are gone when it has."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for index, content in enumerate(contents):
            path = Path(folder) / str(index)
            path.touch(mode=0o600)
            path.write_bytes(content)
            paths.append(str(path))
        yield paths


def _content(entry: Object, name: str, base: Path) -> bytes | None:
    if data := entry.get(f"{name}-data"):
        return base64.b64decode(data)
    if path := entry.get(name):
        return Path(base / path).read_bytes()
    return None


def _kubeconfig(kubeconfig: str | None, context: str | None) -> tuple[Object, Object, str, Path]:
    """Cluster, user, default namespace, and the folder that relative paths start from."""
    source = kubeconfig or os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    path = Path(source.split(os.pathsep)[0]).expanduser() if "\n" not in source else None
    text = path.read_text(encoding="utf-8") if path and path.exists() else source
    content = YAML(typ="safe").load(text)
    if not isinstance(content, dict):
        raise ApiError(0, "Invalid", f"no kubeconfig at {source}")
    wanted = context or content["current-context"]
    chosen = next((c["context"] for c in content["contexts"] if c["name"] == wanted), None)
    if chosen is None:
        raise ApiError(0, "Invalid", f'context "{wanted}" does not exist')
    cluster = next(c["cluster"] for c in content["clusters"] if c["name"] == chosen["cluster"])
    user: Object = next((u["user"] for u in content["users"] if u["name"] == chosen["user"]), {})
    return cluster, user, chosen.get("namespace", "default"), path.parent if path else Path.cwd()


def active_cluster(kubeconfig: str | None, context: str | None) -> Object | None:
    """The kubeconfig's entry of the cluster that would be used; ``None`` when there is none."""
    try:
        return _kubeconfig(kubeconfig, context)[0]
    except (ApiError, OSError, LookupError):
        return None


def _asked(command: Object) -> Object:
    """The credentials that a kubeconfig's command gives (client.authentication.k8s.io)."""
    environment = {**os.environ, **{entry["name"]: entry["value"] for entry in command.get("env") or []}}
    words = [command["command"], *command.get("args", [])]
    result = subprocess.run(
        words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise ApiError(0, "Unauthorized", f"{' '.join(words)}: {result.stderr.strip()}")
    status = json.loads(result.stdout)["status"]
    encoded = {
        f"{name}-data": base64.b64encode(status[key].encode()).decode()
        for name, key in (("client-certificate", "clientCertificateData"), ("client-key", "clientKeyData"))
        if key in status
    }
    return {**encoded, **({"token": status["token"]} if "token" in status else {})}


def _connect(kubeconfig: str | None, context: str | None) -> tuple[httpx.Client, str]:
    cluster, user, namespace, base = _kubeconfig(kubeconfig, context)
    if "exec" in user:
        user = _asked(user["exec"])
    tls = ssl.create_default_context()
    if authority := _content(cluster, "certificate-authority", base):
        tls = ssl.create_default_context(cadata=authority.decode())
    if cluster.get("insecure-skip-tls-verify"):
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    certificate, key = _content(user, "client-certificate", base), _content(user, "client-key", base)
    if certificate and key:
        with _files(certificate, key) as (certificate_file, key_file):
            tls.load_cert_chain(certificate_file, key_file)
    token = user.get("token") or (Path(user["tokenFile"]).read_text().strip() if "tokenFile" in user else None)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    limits = httpx.Limits(max_connections=128, max_keepalive_connections=64)
    client = httpx.Client(base_url=cluster["server"], verify=tls, headers=headers, timeout=30, limits=limits)
    return client, namespace


def wait_until(deadline: float, cancelled: threading.Event, interval: float = 0.2) -> bool:
    """Sleeps a moment; false when the time is over or the engine has cancelled."""
    return not cancelled.wait(interval) and time.monotonic() < deadline
