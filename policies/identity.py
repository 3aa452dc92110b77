"""Finding the names of another environment in a text, each by what it is."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .texts import readings

_DNS = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)+")
_LABEL = re.compile(r"[A-Za-z0-9_-]+")
_ADDRESS = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?![\w.])")
_ARN = re.compile(r"arn:aws[a-z-]*:[^\s\"',]*")


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
class Names:
    """The names to look for, and the domain that is this environment's own."""

    foreign: tuple[Identity, ...]
    domain: str
    shared: frozenset[str]

    def find(self, text: str) -> Identity | None:
        """The first name of another environment in the text, also inside its encodings."""
        return next((found for reading in _readings(text) for found in self._in(reading)), None)

    def _in(self, text: str) -> Iterator[Identity]:
        for identity in self.foreign:
            if _MATCH[identity.kind](self, identity, text):
                yield identity

    def _label(self, identity: Identity, text: str) -> bool:
        """A namespace: a whole DNS label, or a whole word; ``production-like`` is another word."""
        return any(word.lower() == identity.value.lower() for word in _LABEL.findall(text))

    def _domain(self, identity: Identity, text: str) -> bool:
        """The most specific domain that a name lies in says whose it is: staging.example.com is not example.com's."""
        domains = [self.domain, *(i.value for i in self.foreign if i.kind == "domain")]
        for name in _DNS.findall(text):
            name = name.lower()  # noqa: PLW2901 - DNS has one case
            within = [domain for domain in domains if name == domain or name.endswith(f".{domain}")]
            if within and max(within, key=len) == identity.value and name not in self.shared:
                return True
        return False

    def _host(self, identity: Identity, text: str) -> bool:
        return any(name.lower() == identity.value.lower() for name in (*_DNS.findall(text), text))

    def _network(self, identity: Identity, text: str) -> bool:
        """The network, a part of it or an address in it; a larger network is judged where paths are."""
        network = _parsed(identity.value)
        for address in _ADDRESS.findall(text):
            try:
                found = ipaddress.ip_network(address, strict=False)
            except ValueError:
                continue
            if found.version == network.version and found.subnet_of(network):  # type: ignore[arg-type]
                return True
        return False

    def _token(self, identity: Identity, text: str) -> bool:
        return _word(identity.value).search(text) is not None

    def _arn(self, identity: Identity, text: str) -> bool:
        """The same resource, or anything in the same account."""
        account = identity.value.split(":")[4]
        return any(
            arn == identity.value or (account and arn.split(":")[4:5] == [account]) for arn in _ARN.findall(text)
        )


@lru_cache(maxsize=65536)
def _readings(text: str) -> tuple[str, ...]:
    """Labels, names and ports are the same in a hundred resources."""
    return tuple(readings(text))


@lru_cache(maxsize=1024)
def _parsed(network: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(network)


@lru_cache(maxsize=1024)
def _word(value: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", re.IGNORECASE)


_MATCH: Mapping[str, Callable[[Names, Identity, str], bool]] = {
    "label": Names._label,
    "domain": Names._domain,
    "host": Names._host,
    "network": Names._network,
    "token": Names._token,
    "account": Names._token,
    "bucket": Names._token,
    "arn": Names._arn,
}


def names(entries: Sequence[Mapping[str, Any]], domain: str, shared: Sequence[str]) -> Names:
    """From the inputs of the ``Environment`` component; raises ``KeyError`` for a kind that nobody knows how to find."""
    foreign = tuple(Identity.read(entries[index]) for index in range(len(entries)))
    for identity in foreign:
        _MATCH[identity.kind]
    return Names(foreign, domain.lower(), frozenset(str(shared[index]).lower() for index in range(len(shared))))
