"""A stand-in for the official random plugin: ``python -m local.plugins.random``.

It has every type of pulumi-random 4.21 but ``RandomUuid4`` and ``RandomUuid7``; state and errors are those of
``tests/local/fidelity/random.json``. Any change of an input replaces the resource, as in the official plugin.
"""

from __future__ import annotations

import base64
import random
import secrets
import string
import uuid
from collections.abc import Callable
from typing import Any

import bcrypt
from coolname import generate
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from .serve import Provider, fail, serve
from .values import UNKNOWN, Path, has_unknowns, read, write

VERSION = "4.21.4"
SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
"""Terraform's default special characters."""
_BCRYPT_BYTES = 72
_DELTA = "__pulumi_raw_state_delta"

Values = dict[str, Any]


def _text(inputs: Values) -> Values:
    """Returns the inputs with defaults and the result of RandomString and RandomPassword."""
    number = inputs.get("numeric", inputs.get("number", True))
    flags = {"lower": True, "upper": True, "special": True, **inputs, "number": number, "numeric": number}
    minimums = {name: inputs.get(name, 0) for name in ("minLower", "minUpper", "minNumeric", "minSpecial")}
    sets = {
        "minLower": string.ascii_lowercase if flags["lower"] else "",
        "minUpper": string.ascii_uppercase if flags["upper"] else "",
        "minNumeric": string.digits if number else "",
        "minSpecial": inputs.get("overrideSpecial", SPECIAL) if flags["special"] else "",
    }
    everything = "".join(sets.values())
    chosen = [secrets.choice(sets[name] or everything) for name, count in minimums.items() for _ in range(count)]
    chosen += [secrets.choice(everything) for _ in range(inputs["length"] - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    return {**flags, **minimums, "result": "".join(chosen)}


def _string(inputs: Values) -> tuple[str, Values]:
    outputs = _text(inputs)
    return outputs["result"], {**outputs, "__meta": '{"schema_version":"2"}', "id": outputs["result"]}


def _password(inputs: Values) -> tuple[str, Values]:
    outputs = _text(inputs)
    hashed = bcrypt.hashpw(outputs["result"].encode()[:_BCRYPT_BYTES], bcrypt.gensalt(rounds=10)).decode()
    return "none", {**outputs, "bcryptHash": hashed, "__meta": '{"schema_version":"3"}', "id": "none"}


def _bytes(inputs: Values) -> tuple[str, Values]:
    value = secrets.token_bytes(inputs["length"])
    return "none", {**inputs, "base64": base64.b64encode(value).decode(), "hex": value.hex()}


def _id(inputs: Values) -> tuple[str, Values]:
    value = secrets.token_bytes(inputs["byteLength"])
    prefix = inputs.get("prefix", "")
    url = base64.urlsafe_b64encode(value).decode().rstrip("=")
    texts = {
        "b64Std": base64.b64encode(value).decode(),
        "b64Url": url,
        "dec": str(int.from_bytes(value, "big")),
        "hex": value.hex(),
    }
    return url, {**inputs, **{name: prefix + text for name, text in texts.items()}, "id": url}


def _pet(inputs: Values) -> tuple[str, Values]:
    length, separator = inputs.get("length", 2), inputs.get("separator", "-")
    words = [word for _ in range(length) for word in generate(2)][:length]
    name = separator.join([*([inputs["prefix"]] if "prefix" in inputs else []), *words])
    return name, {"length": length, "separator": separator, **inputs, "id": name}


def _generator(inputs: Values) -> random.Random:
    return random.Random(inputs["seed"]) if "seed" in inputs else secrets.SystemRandom()


def _integer(inputs: Values) -> tuple[str, Values]:
    result = _generator(inputs).randint(inputs["min"], inputs["max"])
    return str(result), {**inputs, "result": result, "id": str(result)}


def _uuid(inputs: Values) -> tuple[str, Values]:
    result = str(uuid.uuid4())
    return result, {**inputs, "result": result, "id": result}


def _shuffle(inputs: Values) -> tuple[str, Values]:
    items, count = list(inputs["inputs"]), inputs.get("resultCount")
    generator = _generator(inputs)
    results: list[Any] = []
    while items and len(results) < (len(items) if count is None else count):
        results += generator.sample(items, len(items))
    return "-", {**inputs, "results": results[:count], "id": "-"}


MAKERS: dict[str, Callable[[Values], tuple[str, Values]]] = {
    "RandomString": _string,
    "RandomPassword": _password,
    "RandomBytes": _bytes,
    "RandomId": _id,
    "RandomPet": _pet,
    "RandomInteger": _integer,
    "RandomUuid": _uuid,
    "RandomShuffle": _shuffle,
}
OPTIONAL = {
    "RandomString": ("keepers", "overrideSpecial"),
    "RandomPassword": ("keepers", "overrideSpecial"),
    "RandomBytes": ("keepers",),
    "RandomId": ("keepers", "prefix"),
    "RandomPet": ("keepers", "prefix"),
    "RandomInteger": ("keepers", "seed"),
    "RandomUuid": ("keepers",),
    "RandomShuffle": ("inputs", "keepers", "resultCount", "results", "seed"),
}
"""Properties in the bridge's state delta: absent ones, maps and lists."""
SECRET_OUTPUTS = {"RandomPassword": ("result", "bcryptHash"), "RandomBytes": ("base64", "hex")}


def _delta(kind: str, outputs: Values) -> Values:
    """Returns the data with which the Terraform bridge restores Terraform's state from Pulumi's."""
    properties: Values = {}
    for name in OPTIONAL[kind]:
        if name not in outputs:
            properties[name] = {"replace": {"raw": None}}
        elif isinstance(outputs[name], dict | list):
            properties[name] = {"map": {}} if isinstance(outputs[name], dict) else {"arr": {}}
    renamed = {"renamed": {"inputs": "input", "results": "result"}} if kind == "RandomShuffle" else {}
    return {"obj": {"ps": properties, **renamed}}


def _problem(kind: str, name: str, inputs: Values) -> str | None:
    length = inputs.get("length")
    if kind in ("RandomString", "RandomPassword", "RandomBytes") and isinstance(length, int):
        least = sum(inputs.get(part, 0) for part in ("minUpper", "minLower", "minNumeric", "minSpecial"))
        minimum = "1" if length < 1 else "sum of min_upper + min_lower + min_numeric + min_special"
        if length < max(1, least):
            return (
                f"Invalid Attribute Value. Attribute length value must be at least {minimum}, got: {length}. "
                f"Examine values at '{name}.length'."
            )
    return None


class Random(Provider):
    """Values that are generated once and kept in the state."""

    version = VERSION

    def Check(self, request: Any, context: Any) -> Any:
        inputs, _ = read(request.news)
        kind, name = _kind(request.urn)
        if kind not in MAKERS:
            return fail(context, f"the stand-in for pulumi-random has no {kind}; install the official plugin")
        problem = _problem(kind, name, inputs)
        failures = [provider_pb2.CheckFailure(reason=problem)] if problem else []
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def Diff(self, request: Any, context: Any) -> Any:
        (old, _), (new, _) = read(request.old_inputs), read(request.news)
        changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        some = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=some, diffs=changed, replaces=changed)

    def Create(self, request: Any, context: Any) -> Any:
        inputs, hidden = read(request.properties)
        kind, _ = _kind(request.urn)
        identity, outputs = ("", self._preview(kind, inputs)) if request.preview else MAKERS[kind](inputs)
        own: set[Path] = hidden | {(name,) for name in SECRET_OUTPUTS.get(kind, ())}
        if not request.preview:
            outputs[_DELTA] = _delta(kind, outputs)
        return provider_pb2.CreateResponse(id=identity, properties=write(outputs, own))

    def _preview(self, kind: str, inputs: Values) -> Values:
        if has_unknowns(inputs):
            return inputs
        _, outputs = MAKERS[kind](inputs)
        names = inputs.keys() | {"separator", "length", "lower", "upper", "special", "number", "numeric"}
        names |= {"minLower", "minUpper", "minNumeric", "minSpecial"}
        return {key: value if key in names else UNKNOWN for key, value in outputs.items() if key != "__meta"}

    def Read(self, request: Any, context: Any) -> Any:
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Update(self, request: Any, context: Any) -> Any:
        return fail(context, "random values are replaced, never updated")

    def Delete(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


def _kind(urn: str) -> tuple[str, str]:
    """Returns kind and name, from the URN."""
    return urn.split("::")[2].rpartition(":")[2], urn.rpartition("::")[2]


if __name__ == "__main__":
    serve(Random())
