"""Finds the names of another environment in a text."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from .texts import readings

_RUN = re.compile(r"[A-Za-z0-9_.-]+")
_ADDRESS = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?!\w|\.\d)")
_DASHED = re.compile(r"(?<![\w.-])(?:ip-|ec2-)?(\d{1,3})-(\d{1,3})-(\d{1,3})-(\d{1,3})(?![\w-])", re.IGNORECASE)
"""Host names that AWS derives from addresses: ``ip-10-20-16-5.eu-central-1.compute.internal``."""
_SIX = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?:/\d{1,3})?(?![\w:])")
_ARN = re.compile(r"arn:aws[a-z-]*:[^\s\"',]*")
_PLACE = re.compile(
    r"(?:namespaces?|\bns|serviceaccounts?|(?<![\w-])-n)[\"']?(?:\s{0,8}[:=/]\s{0,8}|\s{1,8})[\"']?([a-z0-9][a-z0-9-]{0,62})(?![\w-])",
    re.IGNORECASE,
)
"""Keys and texts whose value is a namespace."""
_PORT = re.compile(r":\d{1,5}(?!\d)")
_MODES = frozenset(
    [
        "production",
        "prod",
        "live",
        "main",
        "release",
        "stage",
        "staging",
        "stag",
        "test",
        "testing",
        "qa",
        "uat",
        "preview",
        "dev",
        "develop",
        "development",
        "local",
        "demo",
        "sandbox",
        "default",
        "canary",
        "int",
        "integration",
    ]
)
"""Words that are as often a program's mode as a namespace."""


@dataclass(frozen=True)
class Identity:
    """One name of another environment."""

    environment: str
    kind: str
    value: str

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Identity:
        return cls(str(entry["environment"]), str(entry["kind"]), str(entry["value"]))


@dataclass(frozen=True)
class Text:
    """One reading of a text, with its words; each kind of word is extracted once."""

    text: str

    @cached_property
    def lowered(self) -> str:
        return self.text.lower()

    @cached_property
    def runs(self) -> dict[str, int]:
        """Returns words with dots and dashes in lower case, to the position where the first one ends."""
        return {match[0].strip(".-"): match.end() for match in reversed(list(_RUN.finditer(self.lowered)))}

    @cached_property
    def names(self) -> list[str]:
        """Returns the words that are DNS names."""
        return [run for run in self.runs if "." in run]

    @cached_property
    def labels(self) -> set[str]:
        return {label for run in self.runs for label in run.split(".")}

    @cached_property
    def places(self) -> set[str]:
        """Returns the namespaces that the text names."""
        return {match[1] for match in _PLACE.finditer(self.lowered)}

    @cached_property
    def networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """Returns all addresses and networks in the text."""
        addresses = set(_ADDRESS.findall(self.text)) | {".".join(parts) for parts in _DASHED.findall(self.text)}
        if "::" in self.text or self.text.count(":") > 6:
            addresses |= set(_SIX.findall(self.text))
        return [network for one in addresses if (network := _network(one)) is not None]


@dataclass(frozen=True)
class Names:
    """The names to search for, and this environment's own domain."""

    foreign: tuple[Identity, ...]
    domain: str
    shared: frozenset[str]
    services: frozenset[str] = field(default=frozenset())
    """Names of Services in the other environments' namespaces."""

    def find(self, text: str, key: str = "") -> Identity | None:
        """Returns the first name of another environment in the text or its encodings; ``key`` is the field's name."""
        for reading in _texts(text):
            for identity in self.foreign:
                if _MATCH[identity.kind](self, identity, reading):
                    return identity
        named = key.lower().endswith(("namespace", "kubernetes.io/metadata.name", "namespaces"))
        return next((i for i in self.foreign if i.kind == "label" and named and text.lower() == i.value.lower()), None)

    def _label(self, identity: Identity, text: Text) -> bool:
        """Finds a namespace as a whole DNS label; ``production-like`` is another word.

        A word that is also a mode (``NODE_ENV: production``), or that is declared as shared, counts only inside an
        address.
        """
        value = identity.value.lower()
        if value not in text.labels and value not in text.places:
            return False
        if value not in _MODES and value != identity.environment.lower() and value not in self.shared:
            return True
        return value in text.places or any(self._inside(value, name, text) for name in text.names)

    def _inside(self, namespace: str, name: str, text: Text) -> bool:
        """Finds ``db.production`` where ``db`` is a Service; ``db.production.svc``; ``anything.production:5432``."""
        labels = name.split(".")
        for at, label in enumerate(labels):
            if label == namespace:
                if labels[at + 1 : at + 2] in (["svc"], ["pod"]) or (at and self._answers(labels[at - 1])):
                    return True
                end = text.runs[name]
                if 0 < at == len(labels) - 1 and (_PORT.match(text.text, end) or f"//{name}" in text.lowered):
                    return True
        return False

    def _answers(self, label: str) -> bool:
        """Returns whether the label is a component's name, with or without a suffix: ``db-standby``."""
        parts = label.split("-")
        return any("-".join(parts[:end]) in self.services for end in range(1, len(parts) + 1))

    def _domain(self, identity: Identity, text: Text) -> bool:
        """Finds a name whose most specific domain is the other environment's.

        With both domains declared, ``staging.example.com`` is not a name of ``example.com``.
        """
        if identity.value.lower() not in text.lowered:
            return False
        domains = [self.domain, *(i.value.lower() for i in self.foreign if i.kind == "domain")]
        for name in text.names:
            within = [domain for domain in domains if name == domain or name.endswith(f".{domain}")]
            if within and max(within, key=len) == identity.value.lower() and name not in self.shared:
                return True
        return False

    def _host(self, identity: Identity, text: Text) -> bool:
        value = identity.value.lower()
        return value in text.runs or value == text.lowered

    def _network(self, identity: Identity, text: Text) -> bool:
        """Finds the network, a part of it or an address in it; the rule about network paths checks larger networks."""
        network = _network(identity.value)
        return any(
            found.version == network.version and found.subnet_of(network)  # type: ignore[arg-type]
            for found in text.networks
            if network is not None
        )

    def _token(self, identity: Identity, text: Text) -> bool:
        return identity.value.lower() in text.lowered and _word(identity.value).search(text.text) is not None

    def _arn(self, identity: Identity, text: Text) -> bool:
        """Finds the same resource, or anything in the same account."""
        if "arn:aws" not in text.text:
            return False
        account = identity.value.split(":")[4]
        return any(
            arn == identity.value or (account and arn.split(":")[4:5] == [account]) for arn in _ARN.findall(text.text)
        )


def _texts(text: str) -> Sequence[Text] | Iterator[Text]:
    return _short(text) if len(text) < 4096 else map(Text, readings(text))


@lru_cache(maxsize=65536)
def _short(text: str) -> tuple[Text, ...]:
    """Returns the readings of a short text, cached because labels, names and ports repeat in hundreds of resources."""
    return tuple(map(Text, readings(text)))


@lru_cache(maxsize=65536)
def _network(written: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Parses a network; ``None`` for other texts. An IPv4 address inside an IPv6 one is that address."""
    try:
        network = ipaddress.ip_network(written, strict=False)
    except ValueError:
        return None
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    return ipaddress.ip_network(mapped) if mapped else network


@lru_cache(maxsize=1024)
def _word(value: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", re.IGNORECASE)


_MATCH: Mapping[str, Callable[[Names, Identity, Text], bool]] = {
    "label": Names._label,
    "domain": Names._domain,
    "host": Names._host,
    "network": Names._network,
    "token": Names._token,
    "account": Names._token,
    "bucket": Names._token,
    "arn": Names._arn,
}


def names(
    entries: Sequence[Mapping[str, Any]], domain: str, shared: Sequence[str], services: frozenset[str] = frozenset()
) -> Names:
    """Returns the names in the ``Environment`` component's inputs; raises ``KeyError`` for an unknown kind of identity."""
    foreign = tuple(Identity.read(entries[index]) for index in range(len(entries)))
    for identity in foreign:
        _MATCH[identity.kind]
    common = frozenset(str(shared[index]).lower() for index in range(len(shared)))
    return Names(foreign, domain.lower(), common, services)
