"""Which cluster a kubeconfig leads to, and whether it is the one an environment is pinned to."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from .errors import ConfigError, Problem


def kubeconfig_files() -> list[Path]:
    """``$KUBECONFIG``'s files in order, or ``~/.kube/config``; only those that exist."""
    listed = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    return [path for item in listed.split(os.pathsep) if item and (path := Path(item).expanduser()).exists()]


def certificate_authority(context: str | None) -> bytes | None:
    """The PEM bundle of the cluster that ``context`` (default: the current one) leads to; ``None`` when it names none.

    Raises ``ConfigError`` when there is no kubeconfig or no such context.
    """
    files = kubeconfig_files()
    if not files:
        raise ConfigError(Problem("kubeconfig", None, "", "no kubeconfig found", "set KUBECONFIG, or run `make up`"))
    found: dict[str, Any] = {}
    named: dict[str, dict[str, Any]] = {"contexts": {}, "clusters": {}}
    for file in files:
        try:
            content = YAML(typ="safe").load(file.read_text(encoding="utf-8")) or {}
        except (YAMLError, UnicodeDecodeError, OSError) as error:
            raise ConfigError(Problem(str(file), None, "", f"not a kubeconfig: {str(error).splitlines()[0]}")) from None
        found.setdefault("current", content.get("current-context"))
        for section, entries in named.items():
            for entry in content.get(section) or []:
                entries.setdefault(entry["name"], (entry[section[:-1]], file))
    wanted = context or found["current"]
    if wanted not in named["contexts"]:
        known = ", ".join(named["contexts"]) or "none"
        raise ConfigError(
            Problem(str(files[0]), None, "", f"no context {wanted!r}; known: {known}", "set understudy:context")
        )
    cluster, file = named["clusters"].get(named["contexts"][wanted][0].get("cluster"), ({}, files[0]))
    if data := cluster.get("certificate-authority-data"):
        return base64.b64decode(data)
    if path := cluster.get("certificate-authority"):
        return Path(file.parent / path).read_bytes()
    return None


def fingerprint(pem: bytes) -> str:
    """SHA-256 of the bundle's first certificate in DER, in hex; raises ``ValueError`` when there is none."""
    body = pem.decode("ascii", "replace").partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0]
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        der = b""
    if not der:
        raise ValueError("no certificate")
    return hashlib.sha256(der).hexdigest()
