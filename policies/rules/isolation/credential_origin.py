"""Every credential is made for this stack, or given to it; where it comes from is proved, not what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...credentials import chance, credential, inside, shape
from ...origins import named, origins
from ...references import cis_eks
from ...resource import Path, Resource, Unknown, at, child, items, said
from ...rule import Problem, Rule
from ...stack import Stack

_FIELD = re.compile(
    r"(\w*[Pp]assword|passwd|passphrase|apiKey|api_key|secretKey|secret_key|clientSecret|client_secret|\w*[Aa]uth_?[Tt]oken)"
)
"""Fields of objects that hold a credential, and never the name of a Secret."""
_NOT_SECRET = re.compile(
    r"(hash|digest|sha|sum|etag|revision|commit|id|uid|uuid|version|public|cert|ca|bundle)s?$", re.IGNORECASE
)


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.type == "kubernetes:core/v1:Secret":
        yield from _secret(resource, stack)
    elif resource.kind == "ExternalSecret":
        yield from _external(resource, stack)
    # inputs of other types hold generated credentials, which the engine keeps encrypted and shows to policies in the clear
    if resource.type.startswith("kubernetes:"):
        yield from _in_the_clear(resource)


def _in_the_clear(resource: Resource) -> Iterator[Problem]:
    """Anywhere in a Kubernetes object: what looks like a credential, or is called one. No value of a Secret is looked at."""
    names = {(*path[:-1], "value"): leaf for path, leaf in resource.leaves() if path[-1] == "name"}
    hidden = ("data", "stringData") if resource.kind == "Secret" else ()
    for path, leaf in resource.leaves():
        if not isinstance(leaf, str) or path[0] in hidden or path[-1] == "(key)":
            continue
        if kind := shape(leaf):
            yield path, f"{kind} stands in the clear: refer to a Secret"
            continue
        called = names.get(path) or next((part for part in reversed(path) if isinstance(part, str)), "")
        settings = path in names or path[0] == "data"
        if settings and isinstance(called, str) and (credential(called, leaf) or _random(called, leaf)):
            yield path, f"{called} is a credential in the clear: refer to a Secret"
        elif (settings or path[-2:-1] in (("args",), ("command",))) and (
            within := _argument(resource, path) or inside(leaf)
        ):
            yield path, f"{within} is a credential in the clear: refer to a Secret"
        elif (
            not settings
            and resource.kind != "ExternalSecret"
            and _FIELD.fullmatch(str(path[-1]))
            and credential(str(path[-1]), leaf)
        ):
            yield path, f"{path[-1]} is a credential in the clear: refer to a Secret"


def _argument(resource: Resource, path: Path) -> str | None:
    """The flag before an argument, where it is one of a credential: ``--requirepass``, then the password."""
    if not isinstance(path[-1], int) or path[-1] == 0:
        return None
    flag, value = resource.get(*path[:-1], path[-1] - 1), resource.get(*path)
    in_flag = isinstance(flag, str) and flag.startswith("-") and "=" not in flag
    name = str(flag).lstrip("-")
    return (
        name if in_flag and credential("password" if name in ("requirepass", "masterauth") else name, value) else None
    )


def _random(name: str, value: str) -> bool:
    """A word of chance under a name that does not say what it is a digest or a name of."""
    return chance(value) and not _NOT_SECRET.search(name)


def _secret(resource: Resource, stack: Stack) -> Iterator[Problem]:
    stated = origins(resource)
    for part in ("stringData", "data"):
        values = resource.get(part)
        if isinstance(values, Unknown):
            yield (part,), "nobody can tell which keys it has"
            continue
        for key in list(values) if values is not None else []:
            origin = stated.get(key)
            if origin is None:
                yield (part, key), "nothing says where this value comes from"
            elif origin == "given":
                if not _given(stack, str(resource.get("metadata", "name")), key):
                    yield (part, key), "it says that a person gave it, and the declaration does not mark it as given"
            else:
                maker = named(origin, stack)
                if maker is None:
                    yield (part, key), f"it says that {origin} made it, which is no generator of this stack"
                elif isinstance(value := child(values, key), Unknown) and value.origin not in (None, maker.urn):
                    yield (part, key), f"it says that {origin} made it, and waits for {value.origin}"


def _given(stack: Stack, secret: str, key: str) -> bool:
    return stack.declared("resolved", "secrets", secret, "keys", key, "given") is True


def _external(resource: Resource, stack: Stack) -> Iterator[Problem]:
    """Below the environment's prefix, or in its own account; of a platform that is not there yet, it is judged then."""
    prefix = stack.declared("resolved", "environment", "secrets", "prefix")
    account = stack.declared("resolved", "environment", "account", "id")
    for path, key in _read(resource):
        yield from _place(path, key, prefix, account)
    wanted = stack.declared("resolved", "environment", "secrets", "store")
    store = resource.get("spec", "secretStoreRef", "name")
    if wanted is not None and store != wanted:
        yield (
            ("spec", "secretStoreRef", "name"),
            f"it reads from the store {said(store)}; the environment's is {wanted!r}",
        )


def _read(resource: Resource) -> Iterator[tuple[Path, Any]]:
    """Path and key of everything that it reads; what is found by a search, or made elsewhere, has none."""
    for index, entry in items(resource.get("spec", "data")):
        yield ("spec", "data", index, "remoteRef", "key"), at(entry, "remoteRef", "key")
        if child(entry, "sourceRef") is not None:
            yield ("spec", "data", index, "sourceRef"), None
    for index, entry in items(resource.get("spec", "dataFrom")):
        for way in entry if isinstance(entry, Mapping) else ("unknown",):
            if way != "rewrite":
                here: Path = ("spec", "dataFrom", index, way)
                yield here, at(entry, way, "key") if way == "extract" else at(entry, way, "path")


def _place(path: Path, key: Any, prefix: Any, account: Any) -> Iterator[Problem]:
    if isinstance(key, Unknown):
        allowed = account is not None and (key.origin is None or "$understudy:aws:" in key.origin)
    else:
        arn = str(key).split(":", 5)
        own = len(arn) == 6 and arn[2] == "secretsmanager" and account is not None and arn[4] == account
        below = isinstance(prefix, str) and str(key).startswith(f"{prefix}/") and ".." not in str(key)
        allowed = own or below
    if not allowed:
        place = f"below this environment's prefix {prefix!r}" if prefix else "of this environment's account"
        yield path, f"{said(key)!r} is not {place}"


RULE = Rule(
    id="isolation-credential-origin",
    description="Each value of a Secret is generated by a resource of this stack, given to it, or read from its own place in a "
    "secret store; no credential stands in the clear in any object.",
    severity="critical",
    remediation="Declare the secret in the system's file; for a value that only a person has, mark it 'given: true'.",
    check=check,
    references=(
        cis_eks("4.4.2", "Consider external secret storage"),
        cis_eks("4.1.2", "Minimize access to secrets"),
    ),
)
