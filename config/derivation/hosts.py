"""Finds addresses in a text, whatever their scheme: hosts, networks, accounts, buckets, queues."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Literal

AddressKind = Literal["host", "network", "account", "bucket", "token"]
_URL = re.compile(r"([a-z][a-z0-9+.-]{1,30})://([^\s\"'<>`|\\]{1,2000})", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?::\d{1,5}(?!\d))?")
_TOPS = frozenset(
    [
        *(
            "com",
            "net",
            "org",
            "io",
            "cloud",
            "dev",
            "info",
            "biz",
            "eu",
            "de",
            "uk",
            "fr",
            "nl",
            "ch",
            "at",
            "us",
            "jp",
            "cn",
        ),
        *(
            "in",
            "au",
            "br",
            "ca",
            "se",
            "no",
            "dk",
            "fi",
            "es",
            "it",
            "be",
            "ie",
            "ru",
            "kr",
            "sg",
            "aws",
            "azure",
            "internal",
        ),
        *(
            "local",
            "lan",
            "corp",
            "intranet",
            "home",
            "test",
            "example",
            "invalid",
            "svc",
            "tech",
            "online",
            "network",
            "ai",
        ),
    ]
)
"""Last labels of names that are hosts even without a scheme or a port."""
_BUCKETS = ("s3", "s3a", "s3n", "gs", "azure-blob", "wasb", "wasbs", "abfs", "abfss")
_BUCKET = re.compile(r"(?:([a-z0-9.-]{3,63})\.)?s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com(?:\.cn)?")
_REGISTRY = re.compile(r"(\d{12})\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?")
_REGIONAL = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+){0,2}\.amazonaws\.com(?:\.cn)?")
_SERVICES = frozenset(
    [
        "api",
        "ec2",
        "ecr",
        "ecs",
        "email",
        "eks",
        "events",
        "kinesis",
        "kms",
        "lambda",
        "logs",
        "monitoring",
        "rds",
        "s3",
        "secretsmanager",
    ]
) | frozenset(
    [
        "sns",
        "sqs",
        "ssm",
        "states",
        "sts",
        "dynamodb",
        "elasticache",
        "execute-api",
        "firehose",
        "glue",
        "cognito-idp",
        "email-smtp",
        "xray",
    ]
)
"""Regional endpoints, which every account uses under the same name; the account is in the path."""
_EVERYWHERE = ("localhost", "kubernetes.default", "host.docker.internal", "metadata.google.internal", "docker.io")


def addresses_in(text: str) -> Iterator[tuple[AddressKind, str]]:
    """Yields kind and value of every address in the text, but not names that have a meaning only inside one namespace."""
    for match in _URL.finditer(text):
        yield from _url(match[1].lower(), match[2])
    rest = _URL.sub(" ", text)
    for match in _TOKEN.finditer(rest):
        host, colon, _ = match[0].partition(":")
        before = rest[match.start() - 1 : match.start()]
        if before in ("@", "/") and not colon:  # part of a person's email address, or of a path
            continue
        yield from _host(host.rstrip(".").lower(), sure=bool(colon), path="")


def _url(scheme: str, behind: str) -> Iterator[tuple[AddressKind, str]]:
    authority, _, path = re.sub(r"[?#;)].*", "", behind).partition("/")
    authority = authority.rpartition("@")[2]
    if scheme in _BUCKETS:
        if authority:
            yield "bucket", authority
        return
    for one in authority.split(","):
        yield from _host(one.partition(":")[0].rstrip(".").lower(), sure=True, path=path)


def _host(host: str, *, sure: bool, path: str) -> Iterator[tuple[AddressKind, str]]:
    if (address := _address(host)) is not None:
        if not (address.is_loopback or address.is_unspecified or address.is_multicast or address.is_link_local):
            yield "network", f"{address}/32"
        return
    labels = host.split(".")
    relative = len(labels) < 2 or not all(labels) or host.startswith(_EVERYWHERE) or labels[-1].isdigit()
    if relative or "{" in host:
        return
    amazon = list(_amazon(host, path)) if "amazonaws.com" in host else None
    if amazon is not None and (amazon or labels[0] in _SERVICES):
        yield from amazon
    elif sure or labels[-1] in _TOPS:
        yield "host", host


def _amazon(host: str, path: str) -> Iterator[tuple[AddressKind, str]]:
    """Yields the identifying part of a global AWS endpoint: the account, the bucket or the queue."""
    if registry := _REGISTRY.fullmatch(host):
        yield "account", registry[1]
    elif bucket := _BUCKET.fullmatch(host):
        if name := bucket[1] or path.partition("/")[0]:
            yield "bucket", name
    elif _REGIONAL.fullmatch(host) and host.partition(".")[0] in _SERVICES:
        account, _, name = path.partition("/")
        if re.fullmatch(r"\d{12}", account):
            yield "account", account
            if name:
                yield "token", f"{account}/{name}"


def _address(host: str) -> IPv4Address | None:
    try:
        return IPv4Address(host)
    except ValueError:
        return None
