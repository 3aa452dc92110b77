"""Identities: names that belong to one environment of a system and must not appear in another's resources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from config.model.base import Model
from config.paths import Path, leaves, parse, render
from config.system import ENDPOINT, Resolved, System

from .derive import derive
from .hosts import addresses_in
from .provenance import BASE, declared_at

Kind = Literal["label", "domain", "host", "network", "token", "arn", "account", "bucket"]
"""The way in which an identity is recognised in a text: as a DNS label, a domain with its subdomains, a host, a
network with its addresses, a word, or one of AWS's names."""
_BY_KEY: dict[str, Kind] = {
    "namespace": "label",
    "domain": "domain",
    "host": "host",
    "hosts": "host",
    "caSha256": "token",
    "kubeSystemUid": "token",
    "apiServerCidrs": "network",
    "nodeCidrs": "network",
    "cidr": "network",
    "vpnCidr": "network",
    "publicAccessCidrs": "network",
    "hostName": "host",
    "prefix": "token",
}
_BY_VALUE: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r"arn:aws[a-z-]*:.*"), "arn"),
    (re.compile(r"(s3|gs|azure-blob)://.*"), "bucket"),
    (re.compile(r"(vpc|subnet|sg|eni|rtb|igw|nat|vpce|tgw)-[0-9a-f]{8,17}"), "token"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "token"),
    (re.compile(r"\d{12}"), "account"),
)
_SAID = {
    "title",
    "because",
    "summary",
    "description",
    "expr",
    "runbook",
    "rules",
    "labels",
    "annotations",
    "apiVersion",
}
"""Keys of descriptive texts and counts; nothing connects to an address in them."""
_EVERYWHERE = {"0.0.0.0/0", "localhost", "127.0.0.1"}
_NON_IDENTIFYING_PATHS = {
    *(
        ("environment", "cluster", part)
        for part in ("nodes", "region", "dns", "ingressNamespace", "storageClass", "apiServerPorts")
    ),
    *(("environment", "account", part) for part in ("region", "zones", "subnets")),
}
"""Paths of values that do not identify an environment, whether they differ or not."""

_NEVER_SHARED = ("environment.namespace", "environment.domain")
"""Paths whose ``shared`` entries cover only the bare word, and no address that contains it."""


class Identity(Model):
    """One name of an environment."""

    environment: str
    kind: Kind
    value: str
    path: str
    """Path of the declaration."""


def identities(system: System, environment: str) -> list[Identity]:
    """Returns the names of all other environments, except those that are listed as shared."""
    differing = _differing(system)
    shared = {value for entry in system.shared for value in entry.values}
    values = {
        (identity.kind, identity.value): identity
        for other in system.environments
        if other != environment
        for identity in _of(derive(system, other)[0], differing)
        if identity.value not in shared or identity.path in _NEVER_SHARED
    }
    return sorted(values.values(), key=lambda identity: (identity.environment, identity.path))


def unlisted(system: System) -> Iterator[tuple[Path, str]]:
    """Yields networks, hosts and accounts that two environments have in common and that ``shared`` does not list."""
    shared = {value for entry in system.shared for value in entry.values}
    seen: dict[tuple[str, str], Identity] = {}
    for environment in system.environments:
        for identity in _of(derive(system, environment)[0], set()):
            first = seen.setdefault((identity.kind, identity.value), identity)
            if first.environment != environment and identity.value not in shared:
                message = f"{identity.value} is the same in {first.environment} and {environment}"
                path = parse(identity.path)
                own = path[0] == "environment"
                yield ("environments", environment, *path[1:]) if own else declared_at(path), message
                shared.add(identity.value)


def _differing(system: System) -> set[str]:
    """Returns the paths of values that contain the environment's name."""
    return {
        path
        for environment in system.environments
        if environment != BASE
        for path, derived in derive(system, environment)[1].items()
        if derived.rule == "identity"
    }


def _of(resolved: Resolved, differing: set[str]) -> Iterator[Identity]:
    dump = resolved.model_dump(by_alias=True, mode="json", exclude_none=True)
    tree: dict[str, Any] = {
        "environment": dump["environment"],
        "configuration": dump["configuration"],
        **dump["components"],
    }
    for path, value in _texts(tree):
        if len(value) < 4 or path[:3] in _NON_IDENTIFYING_PATHS or path == ("environment", "name"):
            continue
        written = render(path)
        kind = _kind(path, value) or ("token" if written in differing and value != resolved.environment.name else None)
        if kind:
            core = _core(kind, value)
            if core and core not in _EVERYWHERE:
                yield Identity(environment=resolved.environment.name, kind=kind, value=core, path=written)
        elif path[-1] == "image" and (registry := _registry(value)):
            yield Identity(environment=resolved.environment.name, kind="host", value=registry, path=written)
        if kind in (None, "token", "host") and path[-1] != "image" and not _SAID & set(path):
            for text, address in addresses_in(value):
                yield Identity(environment=resolved.environment.name, kind=text, value=address, path=written)


def _registry(image: str) -> str | None:
    """Returns the host of an image's name; empty for ``busybox:1.36.1``, which is on Docker Hub."""
    host, slash, _ = image.partition("/")
    return host.partition(":")[0] if slash and ("." in host or ":" in host) else None


def _texts(tree: Any) -> Iterator[tuple[Path, str]]:
    for path, value in leaves(tree):
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str) and not ENDPOINT.search(
                item
            ):  # the platform's value, which differs between environments
                yield path, item


def _kind(path: Path, value: str) -> Kind | None:
    named = next((part for part in reversed(path) if isinstance(part, str)), "")
    return _BY_KEY.get(named) or next((kind for pattern, kind in _BY_VALUE if pattern.fullmatch(value)), None)


def _core(kind: Kind, value: str) -> str:
    """Returns the identifying part: of a URI the bucket, of a URL the host."""
    if kind == "bucket":
        return value.partition("://")[2].partition("/")[0].partition("?")[0]
    if kind == "host":
        return value.partition("://")[2].partition("/")[0].partition(":")[0] if "://" in value else value
    return value
