"""A real cluster, through the kubeconfig and the official client: exec plugins, tokens and certificates work as in kubectl."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any
from urllib.parse import quote

from config.errors import ConfigError, Problem
from config.reading.kubeconfig import access, certificate_authority, fingerprint

from .cluster import Access, Forbidden, Object, Served

CONNECT, READ = 5, 20
"""Seconds for a connection to the API server, and for an answer."""
SIGN_IN = 60
"""Seconds for an exec plugin of the kubeconfig to return credentials."""
PAGE = 500
"""Number of objects in a page of a list."""
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class LiveCluster:
    """The cluster of a context, default: the current one. Raises ``ConfigError`` when it cannot be reached."""

    def __init__(self, context: str | None = None) -> None:
        self._access = access(context)
        self.context = self._access.name
        self._authority = certificate_authority(self.context)
        self._items: dict[tuple[str, str], Sequence[Object]] = {}
        self._served: dict[str, Mapping[str, Served]] = {}
        self._version = str(self._ask("GET", "/version")["gitVersion"])

    @cached_property
    def _client(self) -> Any:
        """Returns an authenticated client.

        The client waits for exec plugins without limit, so it is created in a thread, with a time limit.
        """
        from kubernetes import client, config
        from kubernetes.config import ConfigException

        settings = client.Configuration()
        settings.retries = 0
        clients: list[Any] = []
        failed: list[BaseException] = []

        def sign_in() -> None:
            try:
                # the merged context: the client reads KUBECONFIG once, at its import, and would write to the file
                client = config.new_client_from_config_dict(
                    self._access.alone(), persist_config=False, client_configuration=settings
                )
                clients.append(client)
            except (ConfigException, OSError, ValueError, KeyError, TypeError) as error:
                failed.append(error)

        logging.getLogger("root").setLevel(logging.CRITICAL)  # the client logs errors that it then ignores
        thread = threading.Thread(target=sign_in, daemon=True)
        thread.start()
        thread.join(SIGN_IN)
        if failed:
            raise self._problem(f"the kubeconfig cannot be used: {str(failed[0]).splitlines()[0]}", "kubectl version")
        if not clients:
            raise self._problem(
                f"the kubeconfig's plugin gave no credentials within {SIGN_IN} s", "sign in, then again"
            )
        return clients[0]

    def _problem(self, message: str, fix: str) -> ConfigError:
        named = f"{fix} --context {self.context} shows the same" if fix.startswith("kubectl") else fix
        return ConfigError(Problem("kubeconfig", None, f"context {self.context!r}", message, named))

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        """Returns the answer as JSON, ``None`` for 404; raises ``Forbidden``, or ``ConfigError`` without an answer."""
        text = self._raw(method, path, body)
        return None if text is None else json.loads(text)

    def _raw(self, method: str, path: str, body: object = None) -> str | None:
        from kubernetes.client import ApiException
        from urllib3.exceptions import HTTPError

        headers = {"Accept": "application/json, */*"} | ({"Content-Type": "application/json"} if body else {})
        client = self._client
        try:
            response = client.call_api(
                path,
                method,
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
                _preload_content=False,
                _request_timeout=(CONNECT, READ),
            )[0]
            return bytes(response.data).decode()
        except ApiException as error:
            if error.status == 404:
                return None
            if error.status == 403:
                raise Forbidden(path.partition("?")[0]) from None
            if error.status == 401:
                message = "the API server does not accept the credentials of the kubeconfig"
                raise self._problem(message, "kubectl version") from None
            if error.status == 503 and path.startswith("/apis/"):
                return None  # an aggregated API whose server does not answer counts as not served
            raise self._problem(f"the API server answers {error.status} {error.reason}", "kubectl version") from None
        except (HTTPError, OSError) as error:
            server = client.configuration.host
            reason = str(getattr(error, "reason", None) or error).rpartition(": ")[2]
            message = f"no answer from {server} within {CONNECT} s: {reason}"
            raise self._problem(message, "kubectl version") from None

    def version(self) -> str:
        return self._version

    def authority(self) -> str | None:
        if self._authority is None:
            return None
        try:
            return fingerprint(self._authority)
        except ValueError:
            return None

    def server(self) -> str:
        """The URL of the API."""
        return str(self._client.configuration.host)

    def one(self, path: str) -> Object | None:
        response: Object | None = self._ask("GET", path)
        return response

    def items(self, path: str, selector: str = "") -> Sequence[Object]:
        key = (path, selector)
        if key not in self._items:
            objects: list[Object] = []
            more = ""
            while True:
                query = f"?limit={PAGE}&labelSelector={quote(selector)}&continue={quote(more)}"
                response = self._ask("GET", path + query) or {}
                objects += response.get("items") or ()
                more = (response.get("metadata") or {}).get("continue") or ""
                if not more:
                    break
            self._items[key] = objects
        return self._items[key]

    def served(self, api_version: str) -> Mapping[str, Served]:
        if api_version not in self._served:
            root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
            response = self._ask("GET", root) or {}
            self._served[api_version] = {
                entry["kind"]: Served(entry["name"], bool(entry["namespaced"]))
                for entry in response.get("resources") or ()
                if "/" not in entry["name"]
            }
        return self._served[api_version]

    def text(self, path: str) -> str:
        return self._raw("GET", path) or ""

    def allowed(self, wanted: Sequence[Access]) -> Sequence[bool]:
        with ThreadPoolExecutor(max_workers=8) as pool:
            return list(pool.map(self._allowed, wanted))

    def _allowed(self, access: Access) -> bool:
        """Sends an access review, which is not stored; every authenticated user may send one."""
        resource, _, part = access.resource.partition("/")
        attributes = {
            "verb": access.verb,
            "group": access.group,
            "resource": resource,
            **({"subresource": part} if part else {}),
            **({"namespace": access.namespace} if access.namespace else {}),
        }
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        response = self._ask("POST", REVIEWS, body) or {}
        return bool((response.get("status") or {}).get("allowed"))
