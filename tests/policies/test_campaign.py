"""Every name of production, planted in every string of staging's graph; every size of it, changed. All are blocked."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from policies.identity import Identity
from policies.stack import ENVIRONMENT, Stack
from policies.verdict import in_order, resource
from tests.policies.fixtures import good, rule, strings


def escaped(text: str, form: str) -> str:
    """Every character by its number: ``\\u0070`` or ``\\x70`` or ``%70``."""
    return "".join(form % ord(character) for character in text)


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "url": lambda text: f"https://x.example.net/?q={escaped(text, '%%%02X')}",
    "base64": lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    "json": lambda text: '{"a": [{"b": "' + escaped(text, "\\u%04x") + '"}]}',
    "yaml": lambda text: 'key: "' + escaped(text, "\\x%02x") + '"',
    "base64 of json": lambda text: base64.b64encode(json.dumps({"host": text}).encode()).decode(),
    "url of base64": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
}


def seen() -> tuple[Stack, list[dict[str, Any]]]:
    stack, nodes = Stack(), in_order(good())
    for node in nodes:
        stack.show(resource(node))
    return stack, [dict(node) for node in nodes if node["type"] != ENVIRONMENT]


def planted(inputs: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """A copy with one value replaced; only what lies on the way is copied."""
    if not path:
        return value
    result = copy.copy(inputs)
    result[path[0]] = planted(inputs[path[0]], path[1:], value)
    return result


def written(identity: Identity) -> str:
    """A name as somebody would write it; of a namespace an address, because the bare word may be a mode (``NODE_ENV``)."""
    if identity.kind == "label":
        return f"cockroachdb.{identity.value}.svc"
    return identity.value.replace("/28", "") if identity.kind == "network" else identity.value


def test_every_name_of_production_is_seen_everywhere(capsys: Any) -> None:
    stack, nodes = seen()
    names = rule("isolation-foreign-names")
    foreign = [identity for identity in stack.names.foreign if identity.environment == "production"]
    assert len(foreign) >= 7
    tried = blocked = 0
    for node in nodes:
        for number, (path, _) in enumerate(strings(node["inputs"])):
            if "[secret]" in path:
                continue
            for index, identity in enumerate(foreign):
                # plain everywhere; of the encodings one after the other, so that each meets each kind of place
                chosen = list(ENCODINGS)[1 + (number + index) % (len(ENCODINGS) - 1)]
                for encoding in ("plain", chosen):
                    value = written(identity)
                    spoiled = {**node, "inputs": planted(node["inputs"], path, ENCODINGS[encoding](value))}
                    tried += 1
                    blocked += bool(names.judge(resource(spoiled), stack))
    with capsys.disabled():
        print(f"\nnames of production: {tried} planted, {blocked} blocked")
    assert tried > 10_000
    assert blocked == tried


SIZES = {"cpu": "7777m", "memory": "7777M", "storage": "7777G"}


def test_every_changed_size_is_seen(capsys: Any) -> None:
    stack, nodes = seen()
    rules = [rule(f"ratios-{name}") for name in ("amounts", "replicas", "storage", "quota")]
    tried = blocked = 0
    for node in nodes:
        for path, value in sizes(node["inputs"]):
            spoiled = resource({**node, "inputs": planted(node["inputs"], path, value)})
            tried += 1
            blocked += any(found.judge(spoiled, stack) for found in rules)
    with capsys.disabled():
        print(f"\nsizes: {tried} changed, {blocked} blocked")
    assert tried > 100
    assert blocked == tried


def sizes(value: Any, path: tuple[str | int, ...] = ()) -> Any:
    """Path and another value of everything that says how much or how many."""
    if isinstance(value, dict):
        for key, item in value.items():
            here = (*path, key)
            if key in SIZES and "resources" in path:
                yield from ((here, other) for other in (SIZES[key], "1", "77k") if other != item)
            elif key in ("replicas", "minReplicas", "maxReplicas"):
                yield from ((here, other) for other in (item + 1, item - 1, 77))
            elif path[-1:] == ("hard",):
                yield from ((here, other) for other in ("7777", "1") if other != item)
            elif "volumeClaimTemplates" not in here:
                yield from sizes(item, here)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from sizes(item, (*path, index))
