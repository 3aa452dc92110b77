"""The interface through which checks read a cluster, and its errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Object = Mapping[str, Any]


class Forbidden(Exception):
    """The caller may not read a path of the API."""


@dataclass(frozen=True)
class Served:
    """A kind that the API server serves."""

    plural: str
    namespaced: bool


@dataclass(frozen=True, order=True)
class Access:
    """A request of which the API server decides whether the caller may make it.

    ``namespace`` is empty for cluster-wide objects.
    """

    verb: str
    group: str
    resource: str
    namespace: str = ""

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        group = f".{self.group}" if self.group else ""
        return f"{self.verb} {self.resource}{group}{where}"


class Cluster(Protocol):
    """The interface through which checks read a cluster. Methods raise ``Forbidden`` when the caller may not read."""

    context: str

    def version(self) -> str:
        """The version, such as ``v1.36.3``."""

    def authority(self) -> str | None:
        """Returns the SHA-256 of the certificate authority in the kubeconfig; ``None`` when it has none."""

    def one(self, path: str) -> Object | None:
        """Returns the object at the path of the API; ``None`` when it does not exist."""

    def items(self, path: str, selector: str = "") -> Sequence[Object]:
        """Returns the objects of the list at the path; none where the API server does not serve it."""

    def served(self, api_version: str) -> Mapping[str, Served]:
        """Returns kind to how it is served, of the group and version; empty when that is not served."""

    def text(self, path: str) -> str:
        """Returns the text at a path that is not an object, such as ``/metrics``."""

    def allowed(self, wanted: Sequence[Access]) -> Sequence[bool]:
        """Returns for each request whether the caller may make it."""
