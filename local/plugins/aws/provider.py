"""The stand-in's side of the engine's protocol."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from ..serve import Provider, fail
from ..values import UNKNOWN, has_unknowns, read, write
from .account import Account
from .request import Mistake, at, merged
from .table import Call, Row, table

VERSION = "7.51.1"
REPORT = "UNDERSTUDY_AWS_REPORT"
"""Environment variable with a file in which the handling of each resource is recorded, one line of JSON each."""
Values = dict[str, Any]


class Aws(Provider):
    """Creates the resources of the table."""

    version = VERSION

    def __init__(self) -> None:
        self._account: Account | None = None
        self._lock = threading.Lock()

    @property
    def account(self) -> Account:
        assert self._account is not None, "the engine configures a provider before it uses it"
        return self._account

    def Configure(self, request: Any, context: Any) -> Any:
        settings, _ = read(request.args)
        allowed = settings.get("allowedAccountIds", [])
        allowed = json.loads(allowed) if isinstance(allowed, str) else allowed
        self._account = Account(settings.get("region", "us-east-1"), list(allowed))
        if reason := self._account.refused():
            return fail(context, reason)
        return super().Configure(request, context)

    def Check(self, request: Any, context: Any) -> Any:
        kind, _ = _named(request.urn)
        if kind not in table():
            return fail(context, f"the stand-in for pulumi-aws has no {kind}; install the official plugin")
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:
        (old, _), (new, _) = read(request.old_inputs), read(request.news)
        changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key) and key != "__defaults")
        row = table()[_named(request.urn)[0]]
        some = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        replaces = [place for place in row.replaces if _differ(at(old, place), at(new, place))]
        return provider_pb2.DiffResponse(changes=some, diffs=changed, replaces=replaces, deleteBeforeReplace=False)

    def Create(self, request: Any, context: Any) -> Any:
        inputs, hidden = read(request.properties)
        kind, name = _named(request.urn)
        row = table()[kind]
        if request.preview:
            unknown = {name: _unknown(template) for name, template in row.outputs.items()}
            unknown |= dict.fromkeys((*_picked(row), *(["arn"] if row.arn else [])), UNKNOWN)
            return provider_pb2.CreateResponse(id="", properties=write(merged(unknown, inputs), hidden))
        try:
            identity, outputs = self._create(kind, row, name, inputs)
        except (Mistake, ClientError, BotoCoreError) as error:
            return fail(context, f"{kind} {name}: {error}")
        return provider_pb2.CreateResponse(id=identity, properties=write(outputs, hidden))

    def _create(self, kind: str, row: Row, name: str, inputs: Values) -> tuple[str, Values]:
        if has_unknowns(inputs):
            raise Mistake("an input is unknown")
        own = self._own(name)
        own |= {word: template.format_map(own) for word, template in row.words.items()}
        own["id"] = row.id.format_map({**_flat(inputs), **own})
        picked: Values = {}
        call = row.creation(inputs)
        level = "recorded" if call is None else "validated"
        if call is not None:
            response = self._call(row, call, inputs, own)
            if response is not None:
                level = "real"
                own["id"] = str(at(response, call.id)) if call.id else own["id"]
                picked = {output: at(response, place) for output, place in call.picks.items()}
            self._follow((*row.once, *row.then), row, inputs, own)
        self._report(kind, name, level)
        return own["id"], self._outputs(row, inputs, own, picked)

    def _call(self, row: Row, call: Call, inputs: Values, own: dict[str, str]) -> Values | None:
        """Makes a call, and stores the parts of the answer that the row names."""
        response = self.account.call(row, call, inputs, own)
        if response is not None:
            kept = {word: at(response, place) for word, place in call.keeps.items()}
            own |= {word: str(value) for word, value in kept.items() if value is not None}
        return response

    def _follow(self, calls: Sequence[Call], row: Row, inputs: Values, own: dict[str, str]) -> None:
        for call in calls:
            if call.when is None or inputs.get(call.when):
                self._call(row, call, inputs, own)

    def _own(self, name: str) -> dict[str, str]:
        digits = hashlib.sha256(f"{name}{os.urandom(8).hex()}".encode()).hexdigest()[:17]
        return {
            "resource": name,
            "region": self.account.region,
            "account": self.account.id,
            "hex": digits,
            "eksEndpoint": os.environ.get("UNDERSTUDY_EKS_ENDPOINT") or f"https://{digits}.eks.amazonaws.com",
            "eksAuthority": os.environ.get("UNDERSTUDY_EKS_AUTHORITY") or "Y2VydGlmaWNhdGU=",
        }

    def _outputs(self, row: Row, inputs: Values, own: dict[str, str], picked: Values) -> Values:
        words = {**_flat(inputs), **own}
        filled = {output: _filled(template, words) for output, template in row.outputs.items()}
        arn = {"arn": row.arn.format_map(words)} if row.arn else {}
        tags = {"tagsAll": inputs["tags"]} if "tags" in inputs else {}
        answered = {key: value for key, value in picked.items() if value is not None}
        outputs: Values = merged({"region": own["region"], **arn, **filled, **answered, **tags}, inputs)
        return outputs

    def Read(self, request: Any, context: Any) -> Any:
        kind, name = _named(request.urn)
        row = table()[kind]
        inputs, _ = read(request.inputs)
        if row.read is not None:
            try:
                self.account.call(row, row.read, inputs, {**self._own(name), "id": request.id})
            except ClientError as error:
                if self.account.gone(error):
                    return provider_pb2.ReadResponse(id="")
                return fail(context, f"{kind} {name}: {error}")
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Update(self, request: Any, context: Any) -> Any:
        (old, _), (new, hidden) = read(request.olds), read(request.news)
        kind, name = _named(request.urn)
        row = table()[kind]
        if request.preview:
            return provider_pb2.UpdateResponse(properties=write({**old, **new}, hidden))
        own = {**self._own(name), "id": request.id}
        try:
            for call in row.update:
                if call.when is None or old.get(call.when) != new.get(call.when):
                    self.account.call(row, call, new, {**_flat(old), **own})
            self._follow(row.then, row, new, own)
        except (Mistake, ClientError, BotoCoreError) as error:
            return fail(context, f"{kind} {name}: {error}")
        kept = {key: value for key, value in old.items() if key in (*row.outputs, *_picked(row), "arn", "region")}
        tags = {"tagsAll": new["tags"]} if "tags" in new else {}
        return provider_pb2.UpdateResponse(properties=write(merged({**kept, **tags}, new), hidden))

    def Delete(self, request: Any, context: Any) -> Any:
        kind, name = _named(request.urn)
        row = table()[kind]
        state, _ = read(request.properties)
        if state.get("skipFinalSnapshot"):  # the row's identifier names the resource, as in the official plugin
            state.pop("finalSnapshotIdentifier", None)
        own = {**self._own(name), "id": request.id}
        for call in (*row.first, *([row.delete] if row.delete else []), *row.last):
            if call.when and not state.get(call.when):
                continue
            try:
                if row.empties and state.get("forceDestroy"):
                    self.account.empty(request.id)
                self.account.call(row, call, state, own)
            except ClientError as error:
                if not self.account.gone(error):
                    return fail(context, f"{kind} {name}: {error}")
            except (Mistake, BotoCoreError) as error:
                return fail(context, f"{kind} {name}: {error}")
        return empty_pb2.Empty()

    def _report(self, kind: str, name: str, level: str) -> None:
        file = os.environ.get(REPORT)
        if file:
            with self._lock, Path(file).open("a", encoding="utf-8") as report:
                report.write(json.dumps({"type": kind, "name": name, "level": level}) + "\n")


def _named(urn: str) -> tuple[str, str]:
    """Returns type token and name from the URN."""
    return urn.split("::")[2].rpartition("$")[2], urn.rpartition("::")[2]


def _picked(row: Row) -> tuple[str, ...]:
    return tuple(row.create.picks) if row.create else ()


def _flat(inputs: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in inputs.items() if isinstance(value, str | int)}


def _differ(old: Any, new: Any) -> bool:
    """Returns whether two values differ; an unknown value counts as different, as in Terraform."""
    return old != new or has_unknowns(new)


def _unknown(template: Any) -> Any:
    """Returns an output during a preview: its structure is known, its values are unknown."""
    if isinstance(template, Mapping):
        return {key: _unknown(item) for key, item in template.items()}
    return UNKNOWN


def _filled(template: Any, words: Mapping[str, str]) -> Any:
    if isinstance(template, Mapping):
        return {key: _filled(item, words) for key, item in template.items()}
    if isinstance(template, list):
        return [_filled(item, words) for item in template]
    return template.format_map(words) if isinstance(template, str) else template
