"""The cluster of a kubeconfig, and whether it is the one that an environment is pinned to."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from config.errors import ConfigError, Problem


def kubeconfig_files() -> list[Path]:
    """Returns ``$KUBECONFIG``'s files in order, or ``~/.kube/config``; only those that exist."""
    listed = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    return [path for item in listed.split(os.pathsep) if item and (path := Path(item).expanduser()).exists()]


def certificate_authority(context: str | None) -> bytes | None:
    """Returns the PEM bundle of the cluster of ``context`` (default: the current one); ``None`` when it has none.

    Raises ``ConfigError`` when there is no kubeconfig or no such context.
    """
    entry = access(context)
    if data := entry.cluster.get("certificate-authority-data"):
        return base64.b64decode(data)
    if path := entry.cluster.get("certificate-authority"):
        try:
            return Path(path).read_bytes()
        except OSError as error:
            message = f"certificate-authority of {entry.name!r}: {(error.strerror or 'cannot be read').lower()}"
            raise ConfigError(Problem(path, None, "", message)) from None
    return None


@dataclass(frozen=True)
class Access:
    """One context of the kubeconfig with its cluster and user; paths in it are absolute."""

    name: str
    context: Mapping[str, Any]
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]

    def alone(self) -> dict[str, Any]:
        """Returns a kubeconfig with this context only."""
        context = {**self.context, "cluster": self.name, "user": self.name}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": self.name,
            "contexts": [{"name": self.name, "context": context}],
            "clusters": [{"name": self.name, "cluster": dict(self.cluster)}],
            "users": [{"name": self.name, "user": dict(self.user)}],
        }


def access(context: str | None) -> Access:
    """Returns the cluster of a context of the user's kubeconfig files, merged as kubectl does.

    ``context`` defaults to the current one. Raises ``ConfigError`` when there is no kubeconfig or no such context.
    """
    files = kubeconfig_files()
    if not files:
        raise ConfigError(Problem("kubeconfig", None, "", "no kubeconfig found", "set KUBECONFIG, or run `make up`"))
    current: str | None = None
    named: dict[str, dict[str, Any]] = {"contexts": {}, "clusters": {}, "users": {}}
    for file in files:
        content = _read(file)
        current = current or content.get("current-context")
        for section, entries in named.items():
            listed = content.get(section) or []
            if not isinstance(listed, list) or not all(isinstance(e, dict) and "name" in e for e in listed):
                raise ConfigError(Problem(str(file), None, section, "not a kubeconfig: expected a list with names"))
            for entry in listed:
                entries.setdefault(entry["name"], _absolute(entry.get(section[:-1]) or {}, file.parent))
    context_name = context or current
    if context_name is None or context_name not in named["contexts"]:
        contexts = ", ".join(named["contexts"]) or "none"
        raise ConfigError(
            Problem(
                str(files[0]), None, "", f"no context {context_name!r}; known: {contexts}", "set understudy:context"
            )
        )
    chosen = named["contexts"][context_name]
    cluster, user = named["clusters"].get(chosen.get("cluster"), {}), named["users"].get(chosen.get("user"), {})
    return Access(context_name, chosen, cluster, user)


def _read(file: Path) -> dict[str, Any]:
    try:
        content = YAML(typ="safe").load(file.read_text(encoding="utf-8")) or {}
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(Problem(str(file), None, "", f"not a kubeconfig: {str(error).splitlines()[0]}")) from None
    if not isinstance(content, dict):
        raise ConfigError(Problem(str(file), None, "", "not a kubeconfig: expected keys and values"))
    return content


def _absolute(entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Makes paths absolute, which are relative to their file; a plugin's command only when it contains a separator."""
    absolute = dict(entry)
    for key in ("certificate-authority", "client-certificate", "client-key", "tokenFile"):
        if absolute.get(key):
            absolute[key] = str(folder.resolve() / absolute[key])
    plugin = absolute.get("exec")
    if isinstance(plugin, dict) and os.sep in str(plugin.get("command", "")):
        absolute["exec"] = {**plugin, "command": str(folder.resolve() / plugin["command"])}
    return absolute


def fingerprint(pem: bytes) -> str:
    """Returns the SHA-256 of the bundle's first certificate in DER, in hex; raises ``ValueError`` when there is none."""
    body = pem.decode("ascii", "replace").partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0]
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        der = b""
    if not der:
        raise ValueError("no certificate")
    return hashlib.sha256(der).hexdigest()
