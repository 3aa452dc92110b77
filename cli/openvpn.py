"""The OpenVPN profile of an environment's network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from config.errors import ConfigError, Problem

PARTS = ("endpoint", "authority", "certificate", "key", "serverName")
"""Keys of the stack's output ``vpn``."""


def profile(values: Mapping[str, str]) -> str:
    """Returns an OpenVPN profile (AWS Client VPN Administrator Guide, "Client VPN endpoint configuration file export")."""
    lines = [
        "client",
        "dev tun",
        "proto udp",
        # AWS' resolvers do not answer for the bare name, so each profile has a random name below it
        f"remote {values['endpoint'].removeprefix('*.')} 443",
        "remote-random-hostname",
        "resolv-retry infinite",
        "nobind",
        "remote-cert-tls server",
        f"verify-x509-name {values['serverName']} name",
        "cipher AES-256-GCM",
        "reneg-sec 0",
        "verb 3",
    ]
    for name, part in (("ca", "authority"), ("cert", "certificate"), ("key", "key")):
        lines += [f"<{name}>", values[part].strip(), f"</{name}>"]
    return "\n".join(lines) + "\n"


def read(text: str, source: str) -> Mapping[str, str]:
    """Returns the stack's output ``vpn`` from JSON; raises ``ConfigError`` for other content."""
    fix = "pulumi stack output vpn --json --show-secrets --stack <platform's stack>"
    try:
        values = json.loads(text)
    except ValueError:
        raise ConfigError(Problem(source, None, "", "not JSON", fix)) from None
    missing = [part for part in PARTS if not isinstance(values, dict) or not isinstance(values.get(part), str)]
    if missing:
        raise ConfigError(Problem(source, None, "", f"{', '.join(missing)} missing", fix))
    return {part: str(values[part]) for part in PARTS}


def write(values: Mapping[str, str], file: Path) -> None:
    """Writes a file that only its owner may read, because it contains a private key."""
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(profile(values), encoding="utf-8")
    partial.replace(file)
