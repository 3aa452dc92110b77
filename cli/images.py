"""Resolves moving tags to digests, so that later deployments run the same images.

Uses the registry's API (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md) with the credentials of
``docker login`` or of a credential helper.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import httpx
from ruamel.yaml import YAML

from config.errors import ConfigError, Problem
from config.stack import PROJECT

_ACCEPT = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.index.v1",
        "docker.distribution.manifest.list.v2",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.v2",
    )
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_HUB = "registry-1.docker.io"
_LOOPBACK = ("localhost", "127.0.0.1")


def place(image: str) -> tuple[str, str]:
    """Returns registry and repository; a name without a registry is on Docker Hub."""
    registry, _, repository = image.partition("/")
    if repository and ("." in registry or ":" in registry or registry in _LOOPBACK):
        return registry, repository
    return _HUB, image if "/" in image else f"library/{image}"


def resolve(image: str, tag: str) -> str:
    """Returns the digest of the tag; raises ``ConfigError`` with the registry's answer."""
    registry, repository = place(image)
    # Docker's own convention: TLS everywhere but on the loopback interface
    scheme = "http" if registry.partition(":")[0] in _LOOPBACK else "https"
    url = f"{scheme}://{registry}/v2/{repository}/manifests/{tag}"
    credentials = _credentials(registry)
    try:
        with httpx.Client(timeout=30, headers={"Accept": _ACCEPT}, follow_redirects=True) as client:
            response = client.get(url)
            if response.status_code == httpx.codes.UNAUTHORIZED:
                said = response.headers.get("WWW-Authenticate", "")
                response = client.get(url, headers=_authorized(client, said, credentials))
    except httpx.HTTPError as error:
        raise _problem(
            image, tag, f"the registry {registry} does not answer: {error}", "look whether you reach it"
        ) from None
    if response.status_code == httpx.codes.NOT_FOUND:
        raise _problem(image, tag, f"the registry {registry} has no {repository}:{tag}", "push it, or name another tag")
    if not response.is_success:
        message = f"the registry {registry} answers {response.status_code} for {repository}:{tag}"
        raise _problem(image, tag, message, f"docker login {registry}")
    digest = response.headers.get("Docker-Content-Digest") or f"sha256:{hashlib.sha256(response.content).hexdigest()}"
    if not _DIGEST.fullmatch(digest):
        raise _problem(
            image, tag, f"the registry {registry} calls {repository}:{tag} {digest[:80]!r}, which is no digest", ""
        )
    return str(digest)


def _problem(image: str, tag: str, message: str, fix: str) -> ConfigError:
    return ConfigError(Problem(f"{image}:{tag}", None, "", message, fix))


def _authorized(client: httpx.Client, challenge: str, known: tuple[str, str] | None) -> dict[str, str]:
    """Returns the authorization that the registry requires: a token from its token service, or name and password."""
    kind, _, rest = challenge.partition(" ")
    if kind.lower() == "bearer":
        parameters = dict(_CHALLENGE.findall(rest))
        realm = parameters.pop("realm", "")
        answer = client.get(realm, params=parameters, auth=known if known else httpx.USE_CLIENT_DEFAULT)
        if answer.is_success:
            content = answer.json()
            return {"Authorization": f"Bearer {content.get('token') or content.get('access_token')}"}
    if kind.lower() == "basic" and known:
        return {"Authorization": "Basic " + base64.b64encode(":".join(known).encode()).decode()}
    return {}


def _credentials(registry: str) -> tuple[str, str] | None:
    """Returns name and password from Docker's configuration."""
    file = Path(os.environ.get("DOCKER_CONFIG", Path.home() / ".docker")) / "config.json"
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    helper = settings.get("credHelpers", {}).get(registry) or settings.get("credsStore")
    if helper:
        command = [f"docker-credential-{helper}", "get"]
        try:
            completed = subprocess.run(command, input=registry, capture_output=True, text=True, check=True)
            answer = json.loads(completed.stdout)
        except (OSError, ValueError, subprocess.CalledProcessError):
            return None
        return answer["Username"], answer["Secret"]
    written = settings.get("auths", {}).get(registry, {}).get("auth")
    if not written:
        return None
    user, _, password = base64.b64decode(written).decode().partition(":")
    return user, password


def pin(file: Path, images: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """Writes ``<tag>@<digest>`` for each of ``wanted`` (component to tag) into the stack's file.

    Returns component to the new value.

    ``images`` maps a component to its image without a tag. All tags are resolved before the file is changed.
    """
    digests = {
        name: tag if "sha256:" in tag else f"{tag}@{resolve(images[name], tag)}" for name, tag in sorted(wanted.items())
    }
    yaml = YAML()
    yaml.width = 4096
    content = yaml.load(file.read_text(encoding="utf-8"))
    written = content.setdefault("config", {}).setdefault(f"{PROJECT}:images", {})
    written.update(digests)
    partial = file.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as handle:
        yaml.dump(content, handle)
    partial.replace(file)
    return digests
