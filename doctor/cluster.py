"""A cluster as the checks read it, and the errors of reading it."""

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
    """A request that the API server allows or not; ``namespace`` is empty for objects in none."""

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
        """Such as ``v1.36.3``."""

    def authority(self) -> str | None:
        """SHA-256 of the certificate authority in the kubeconfig; ``None`` when it has none."""

    def one(self, path: str) -> Object | None:
        """The object at the path of the API; ``None`` when it is not there."""

    def items(self, path: str, selector: str = "") -> Sequence[Object]:
        """The objects of the list at the path; none where the API server does not serve it."""

    def served(self, api_version: str) -> Mapping[str, Served]:
        """Kind to how it is served, of the group and version; empty when that is not served."""

    def text(self, path: str) -> str:
        """Returns the text at a path that is not an object, such as ``/metrics``."""

    def allowed(self, wanted: Sequence[Access]) -> Sequence[bool]:
        """Whether the caller may do each of them."""
