"""Whether an environment is production, but for what was declared: two graphs, aligned, every differing leaf explained.

A leaf is explained by the derivation alone (the ``Environment`` component carries it), never by where it stands: what a
component does on its own account with the environment's name finds no explanation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, cached_property
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise
from typing import Any, Literal

from config.charts import chart_name
from config.paths import parse, render
from config.provenance import BASE
from config.quantity import Bytes, Cpu, Duration, Percent

from .alignment import ENVIRONMENT, Key, Path, aligned, body, components, flat, shown
from .graph import RELEASE, Node

Class = Literal["scaled", "changed", "identity", "missing", "extra", "unexplained", "pending promotion"]
FAILING: frozenset[Class] = frozenset({"missing", "extra", "unexplained"})
_ABSENT = "(absent)"
_ZONE = "topology.kubernetes.io/zone"
_DIGEST = re.compile(r"[0-9a-f]{16}")
_JOB = re.compile(r"(.+)-[0-9a-f]{8}")
_WORD = re.compile(r"[A-Za-z0-9._:/@%+-]+|[^A-Za-z0-9._:/@%+-]+")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)([A-Za-z]*)")


@dataclass(frozen=True)
class Difference:
    """One leaf, or one resource, that is not the same."""

    kind: Class
    resource: str
    path: str
    production: Any
    staging: Any
    because: str | None = None


@dataclass(frozen=True)
class Entry:
    """A declared difference, from the derivation."""

    path: str
    production: Any
    value: Any
    rule: str
    ratio: str | None = None
    because: str | None = None

    @cached_property
    def component(self) -> str:
        return str(parse(self.path)[0])

    @cached_property
    def scale(self) -> Fraction | None:
        """Of a scaled size, as declared."""
        return Fraction(self.ratio.rstrip("%")) / 100 if self.rule == "scaled" and self.ratio else None

    @cached_property
    def bytes_ratio(self) -> Fraction | None:
        """Of an amount of bytes that was changed, to production's."""
        if self.rule != "changed":
            return None
        with suppress(ValueError, ZeroDivisionError):
            return Bytes.parse(self.value).value / Bytes.parse(self.production).value
        return None


@dataclass(frozen=True)
class Declaration:
    """What an environment's ``Environment`` component carries."""

    entries: tuple[Entry, ...]
    peaks: tuple[Mapping[str, Any], Mapping[str, Any]] = field(default=({}, {}))
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Component to what it uses."""
    images: tuple[Mapping[str, str], Mapping[str, str]] = field(default=({}, {}))
    """Component to tag or digest, of production's stack and of the other."""
    charts: tuple[str | None, str | None] = (None, None)
    """Where each of the two stacks takes its Helm charts from, if not where the system's file says."""

    @classmethod
    def read(cls, production: Iterable[Node], staging: Iterable[Node]) -> Declaration:
        """Raises ``ValueError`` when a stack has none."""
        base, found = (
            next((node["inputs"] for node in nodes if node["type"] == ENVIRONMENT), None)
            for nodes in (production, staging)
        )
        if base is None or found is None:
            raise ValueError("the stack has no Environment component: it carries the derivation")
        names = Entry.__dataclass_fields__.keys()
        entries = ({name: item.get(name) for name in names} for item in found["derivation"])
        peaks = (found.get(f"{BASE}Peak", {}), found.get("peak", {}))
        declared = found["resolved"]["components"]
        uses = {name: tuple(component.get("uses", ())) for name, component in declared.items()}
        images = (base.get("images", {}), found.get("images", {}))
        charts = (base.get("charts"), found.get("charts"))
        return cls(tuple(_split(Entry(**entry) for entry in entries)), peaks, uses, images, charts)

    @cached_property
    def _by_component(self) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.component, []).append(entry)
        return found

    @cached_property
    def everywhere(self) -> list[Entry]:
        """Differences of the environment itself, which reach every resource."""
        return [entry for entry in self.entries if entry.component in ("environment", "configuration", "secrets")]

    @cached_property
    def zones(self) -> bool:
        """Whether the environments declare different numbers of zones."""
        return any(entry.path == "environment.cluster.nodes.zones" for entry in self.entries)

    def near(self, components: Iterable[str]) -> list[Entry]:
        """Those that may explain a resource of these components: theirs and of what they use, then the environment's."""
        names = set(components)
        names |= {used for name in names for used in self.uses.get(name, ())}
        return [entry for name in sorted(names) for entry in self._by_component.get(name, ())] + self.everywhere

    def tried(self, text: str) -> Entry | None:
        """The canary of a component that the text names, as a host or at its beginning."""
        canaries = (e for e in self.entries if parse(e.path)[1:2] == ("canary",) and e.because)
        return next((e for e in canaries if text == e.component or f"{e.component}." in text), None)

    def moved(self, component: str, rule: str) -> Entry | None:
        """Why a component is in one environment only."""
        return next((e for e in self._by_component.get(component, ()) if e.rule == rule and e.because), None)


def _split(entries: Iterable[Entry]) -> Iterator[Entry]:
    """A list of values is as many values, position by position."""
    for entry in entries:
        both = (entry.production, entry.value)
        if all(isinstance(value, list) for value in both) and len(both[0]) == len(both[1]):
            for old, new in zip(*both, strict=True):
                yield Entry(entry.path, old, new, entry.rule, entry.ratio, entry.because)
        else:
            yield entry


def compare(production: list[Node], staging: list[Node]) -> list[Difference]:
    """Every difference, in the order of the resources' names. Raises ``ValueError`` for a stack without a declaration."""
    declaration = Declaration.read(production, staging)
    left, right = aligned(production), aligned(staging)
    found: list[Difference] = []
    for key in sorted(left.keys() | right.keys()):
        if key in left and key in right:
            found += _leaves(key, left[key], right[key], declaration)
        else:
            found.append(_one_sided(key, declaration, there=key in right))
    return found


def _one_sided(key: Key, declaration: Declaration, *, there: bool) -> Difference:
    kind: Class = "extra" if there else "missing"
    for component in components(key):
        if entry := declaration.moved(component, "added" if there else "removed"):
            return Difference("changed", shown(key), "", *_sides(there=there), entry.because)
    called = key[-1].partition("::")[2]
    if entry := declaration.tried(called.removesuffix("-canary")):
        return Difference("changed", shown(key), "", *_sides(there=there), entry.because)
    if key[-1].endswith((" (before)", "-rotation")):
        return Difference("identity", shown(key), "", *_sides(there=there), "each environment rotates by itself")
    return Difference(kind, shown(key), "", *_sides(there=there))


def _sides(*, there: bool) -> tuple[str, str]:
    return (_ABSENT, "there") if there else ("there", _ABSENT)


def _leaves(key: Key, left: Node, right: Node, declaration: Declaration) -> Iterator[Difference]:
    entries = declaration.near(components(key))
    sides = [dict(flat(body(node))) for node in (left, right)]
    # a canary takes its share of the requests wherever they are led to its service
    hosts = " ".join(str(value) for path, value in sides[1].items() if path[-1] == "host")
    for path in dict.fromkeys((*sides[0], *sides[1])):
        production, staging = sides[0].get(path, _ABSENT), sides[1].get(path, _ABSENT)
        if production == staging:
            continue
        kind, because = _explain(key, path, production, staging, entries, declaration)
        if kind == "unexplained" and {"route", "subsets"} & set(path) and (entry := declaration.tried(hosts)):
            kind, because = "changed", entry.because
        yield Difference(kind, shown(key), render(path), production, staging, because)


def _explain(
    key: Key, path: Path, production: Any, staging: Any, entries: list[Entry], declaration: Declaration
) -> tuple[Class, str | None]:
    old, new = str(production), str(staging)
    if own := _own(key, path, (old, new), declaration):
        return own
    if entry := _exact(old, new, entries):
        return _class(entry), entry.because
    if _ABSENT in (old, new) and (entry := _names_moved(new if old == _ABSENT else old, declaration)):
        return "changed", entry.because
    if _is_digest(path, old, new):
        return "changed", "a digest of what differs as declared"
    return _text(old, new, entries)


def _names_moved(text: str, declaration: Declaration) -> Entry | None:
    """Of a leaf that one side lacks: it names a component that only the other has."""
    moved = (e for e in declaration.entries if e.rule in ("added", "removed") and e.because)
    return next((e for e in moved if re.search(rf"(^|[^a-z0-9]){re.escape(e.component)}$", text)), None)


def _own(key: Key, path: Path, sides: tuple[str, str], declaration: Declaration) -> tuple[Class, str | None] | None:
    """What each stack has for itself, or the program computes of the whole environment."""
    last = str(path[-1])
    rotated = last == "understudy.dev/origins" and _origins(sides[0]) == _origins(sides[1])
    if "[secret]" in path or last == "rotation" or rotated:
        return "identity", "each environment has its own, and rotates it by itself"
    if ("topologySpreadConstraints", _ZONE) in pairwise(path) and _ABSENT in sides and declaration.zones:
        return "identity", "pods are spread over zones where the environment declares several"
    if last == "image" and _tagged(key, *sides, declaration):
        return "pending promotion", "each stack names the images that it runs"
    if _placed(key, path, sides, declaration):
        return "identity", "each stack says where its charts come from"
    peaks = tuple(str(peak.get(last)) for peak in declaration.peaks)
    if key[-1].startswith("kubernetes:core/v1:ResourceQuota") and peaks == sides:
        return "scaled", "the declared peak of what is scaled"
    return None


def _tagged(key: Key, old: str, new: str, declaration: Declaration) -> bool:
    """One repository, and on each side the tag or digest that its stack names."""
    for component in components(key):
        tags = [images.get(component) for images in declaration.images]
        if all(tags):
            names = [text.removesuffix(str(tag)) for text, tag in zip((old, new), tags, strict=True)]
            return names[0].rstrip(":@") == names[1].rstrip(":@") and names[0] != old and names[1] != new
    return False


def _placed(key: Key, path: Path, sides: tuple[str, str], declaration: Declaration) -> bool:
    """One chart, which the two stacks take from different places."""
    if not key[-1].startswith(RELEASE) or declaration.charts[0] == declaration.charts[1]:
        return False
    same = path == ("chart",) and chart_name(sides[0]) == chart_name(sides[1])
    return same or path[0] == "repositoryOpts"


def _origins(text: str) -> dict[str, str]:
    """Who makes the current values, without the rotation."""
    made = json.loads(text) if text != _ABSENT else {}
    return {key: re.sub(r"-\d+$", "", maker) for key, maker in made.items() if not key.endswith("-previous")}


def _class(entry: Entry) -> Class:
    return "scaled" if entry.rule == "scaled" else "identity" if entry.rule == "identity" else "changed"


def _exact(old: str, new: str, entries: list[Entry]) -> Entry | None:
    return next((e for e in entries if old in _forms(e.production, e.rule) and new in _forms(e.value, e.rule)), None)


def _forms(value: Any, rule: str) -> frozenset[str]:
    """How a declared value is written: an amount also in its base unit, a name also at the start of a sentence."""
    text = str(value)
    other = text.lower() if isinstance(value, bool) else text.capitalize() if rule == "identity" else text
    return _amounts(text) | {text, other}


@cache
def _amounts(text: str) -> frozenset[str]:
    return frozenset(form for base in _bases(text) for form in (f"{base:g}", str(base)))


def _bases(text: str) -> Iterator[float]:
    """What it is in cores, bytes, GiB, seconds, days, hundredths, or as a part of one; ``m`` may be minutes or millicores."""
    for quantity, larger in ((Cpu, 1), (Bytes, 2**30), (Duration, 86400), (Percent, Fraction(1, 100))):
        with suppress(ValueError):
            value = quantity.parse(text).value
            yield float(value)
            if value and value % larger == 0:
                yield float(value / larger)


def _is_digest(path: Path, old: str, new: str) -> bool:
    """Of content whose own leaves are compared too."""
    if path[-1] in ("understudy.dev/configuration", "understudy.dev/secrets"):
        return all(_DIGEST.fullmatch(text) for text in (old, new))
    return path[-2:] == ("metadata", "name") and _same_stem(old, new)


def _same_stem(old: str, new: str) -> bool:
    """Both are a name with a digest behind it, and the name is one."""
    stems = [match[1] for text in (old, new) if (match := _JOB.fullmatch(text.strip("'\"")))]
    return len(stems) == 2 and stems[0] == stems[1]


def _text(old: str, new: str, entries: list[Entry]) -> tuple[Class, str | None]:
    """Word by word: each that differs is a declared value, holds a declared name, or is a number at a declared ratio."""
    ours, theirs = _WORD.findall(old), _WORD.findall(new)
    if len(ours) != len(theirs) or _ABSENT in (old, new):
        return "unexplained", None
    used: list[tuple[Class, str | None]] = []
    for before, after in zip(ours, theirs, strict=True):
        if before != after:
            found = _word(before, after, entries)
            if found is None:
                return "unexplained", None
            used.append(found)
    order: list[Class] = ["scaled", "changed", "identity"]
    return min(used, key=lambda item: order.index(item[0]))


def _word(before: str, after: str, entries: list[Entry]) -> tuple[Class, str | None] | None:
    if entry := _exact(before, after, entries):
        return _class(entry), entry.because
    names = sorted(
        (
            e
            for e in entries
            if e.rule in ("identity", "changed") and isinstance(e.production, str) and len(e.production) > 2
        ),
        key=lambda e: len(str(e.production)),
        reverse=True,
    )
    if _same_stem(before, after):
        return "changed", "a digest of what differs as declared"
    replaced, last = before, None
    for entry in names:
        if str(entry.production) in replaced:
            replaced, last = replaced.replace(str(entry.production), str(entry.value)), entry
        if replaced == after and last is not None:
            return _class(last), last.because
    return _at_offset(before, after, entries) or _at_ratio(before, after, entries)


def _at_offset(before: str, after: str, entries: list[Entry]) -> tuple[Class, str | None] | None:
    """An address that was computed from a network that differs, such as its resolver's: the same one in both."""
    try:
        old, new = IPv4Address(before), IPv4Address(after)
    except ValueError:
        return None
    for entry in entries:
        with suppress(ValueError):
            networks = [IPv4Network(str(side)) for side in (entry.production, entry.value)]
            if old in networks[0] and int(old) - int(networks[0][0]) == int(new) - int(networks[1][0]):
                return _class(entry), entry.because
    return None


def _at_ratio(before: str, after: str, entries: list[Entry]) -> tuple[Class, str | None] | None:
    """A number that was computed from an amount that differs, such as Redis' maxmemory.

    Of what was changed, and not scaled, only bytes count, and only in a large number: a small one may be anything's fifth.
    """
    old, new = _NUMBER.fullmatch(before), _NUMBER.fullmatch(after)
    if old is None or new is None or old[2] != new[2] or not Fraction(old[1]):
        return None
    ratio = Fraction(new[1]) / Fraction(old[1])
    large = min(Fraction(old[1]), Fraction(new[1])) >= 1_000_000
    entry = next((e for e in entries if ratio == e.scale or (large and ratio == e.bytes_ratio)), None)
    return (_class(entry), entry.because) if entry else None
