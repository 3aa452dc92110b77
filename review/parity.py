"""Compares two graphs: an environment equals production when every differing leaf is explained by the declaration.

The explanation comes only from the derivation, which the ``Environment`` component carries, and never from the place of a
leaf: a difference that a component makes by reading the environment's name is not explained.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

from config.derivation.provenance import BASE
from config.model.charts import chart_name
from config.paths import parse, render

from .alignment import ENVIRONMENT, Key, Path, aligned, body, components, flat, shown
from .graph import RELEASE, Node
from .statements import Statements, declared_path
from .words import ABSENT, Entry, exact, explained, same_stem

Class = Literal["scaled", "changed", "identity", "missing", "extra", "unexplained", "pending promotion"]
FAILING: frozenset[Class] = frozenset({"missing", "extra", "unexplained"})
_ZONE = "topology.kubernetes.io/zone"
_DIGEST = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Difference:
    """A leaf or a resource that differs."""

    kind: Class
    resource: str
    path: str
    production: Any
    staging: Any
    because: str | None = None


@dataclass(frozen=True)
class Declaration:
    """The declaration in the inputs of a stack's ``Environment`` component."""

    entries: tuple[Entry, ...]
    peaks: tuple[Mapping[str, Any], Mapping[str, Any]] = field(default=({}, {}))
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Component to the components that it uses."""
    images: tuple[Mapping[str, str], Mapping[str, str]] = field(default=({}, {}))
    """Component to tag or digest, of production's stack and of the other."""
    statements: Statements = field(default_factory=dict)
    charts: tuple[str | None, str | None] = (None, None)
    """Sources of Helm charts of the two stacks, where they differ from the system's file."""

    @classmethod
    def read(cls, production: Iterable[Node], staging: Iterable[Node]) -> Declaration:
        """Returns the declaration of two graphs; raises ``ValueError`` when a stack has none."""
        base, other = (
            next((node["inputs"] for node in nodes if node["type"] == ENVIRONMENT), None)
            for nodes in (production, staging)
        )
        if base is None or other is None:
            raise ValueError("the stack has no Environment component: it carries the derivation")
        names = Entry.__dataclass_fields__.keys()
        entries = ({name: item.get(name) for name in names} for item in other["derivation"])
        peaks = (other.get(f"{BASE}Peak", {}), other.get("peak", {}))
        declared = other["resolved"]["components"]
        uses = {name: tuple(component.get("uses", ())) for name, component in declared.items()}
        images = (base.get("images", {}), other.get("images", {}))
        charts = (base.get("charts"), other.get("charts"))
        statements = other.get("statements", {})
        return cls(tuple(_split(Entry(**entry) for entry in entries)), peaks, uses, images, statements, charts)

    @cached_property
    def _by_component(self) -> dict[str, list[Entry]]:
        by_component: dict[str, list[Entry]] = {}
        for entry in self.entries:
            by_component.setdefault(entry.component, []).append(entry)
        return by_component

    @cached_property
    def by_path(self) -> dict[str, Entry]:
        """Declared path to the difference that is declared there."""
        return {entry.path: entry for entry in self.entries}

    @cached_property
    def everywhere(self) -> list[Entry]:
        """Differences of the environment itself, which affect every resource."""
        return [entry for entry in self.entries if entry.component in ("environment", "configuration", "secrets")]

    @cached_property
    def zones(self) -> bool:
        """Whether the environments declare different numbers of zones."""
        return any(entry.path == "environment.cluster.nodes.zones" for entry in self.entries)

    def near(self, components: Iterable[str]) -> list[Entry]:
        """Returns entries that may explain a resource of these components.

        Theirs, those of used components, the environment's.
        """
        names = set(components)
        names |= {used for name in names for used in self.uses.get(name, ())}
        return [entry for name in sorted(names) for entry in self._by_component.get(name, ())] + self.everywhere

    def canary_entry(self, text: str) -> Entry | None:
        """Returns the entry of the canary that the text names, as a host or at its beginning."""
        canaries = (e for e in self.entries if parse(e.path)[1:2] == ("canary",) and e.because)
        return next((e for e in canaries if text == e.component or f"{e.component}." in text), None)

    def added_or_removed_entry(self, component: str, rule: str) -> Entry | None:
        """Returns the entry that explains why a component is in one environment only."""
        return next((e for e in self._by_component.get(component, ()) if e.rule == rule and e.because), None)


def _split(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Splits an entry for a list into one for each position; lists of different lengths stay one entry."""
    for entry in entries:
        both = (entry.production, entry.value)
        if all(isinstance(value, list) for value in both) and len(both[0]) == len(both[1]):
            for old, new in zip(*both, strict=True):
                yield Entry(entry.path, old, new, entry.rule, entry.ratio, entry.because)
        else:
            yield entry


def compare(production: list[Node], staging: list[Node], plain: list[Node] | None = None) -> list[Difference]:
    """Returns every difference, in the order of the resources' names.

    Raises ``ValueError`` for a stack without a declaration.

    ``plain`` is the environment without its scale and changes, where ``staging`` is a rendered graph: a value without
    another explanation was computed from scaled and changed values, when production's and ``plain``'s differ only by
    names.
    """
    declaration = Declaration.read(production, staging)
    left, right = aligned(production), aligned(staging)
    own = None if plain is None else {(d.resource, d.path) for d in compare(production, plain) if d.kind in FAILING}
    result: list[Difference] = []
    for key in sorted(left.keys() | right.keys()):
        if key in left and key in right:
            differences = list(_leaves(key, left[key], right[key], declaration))
        else:
            differences = [_one_sided(key, declaration, present_in_staging=key in right)]
        result += differences if own is None else [_computed(key, d, declaration, own) for d in differences]
    return result


def _computed(key: Key, difference: Difference, declaration: Declaration, own: set[tuple[str, str]]) -> Difference:
    """Explains a difference without another explanation; ``own`` are the differences without scale and changes."""
    if difference.kind not in FAILING or {(difference.resource, difference.path), (difference.resource, "")} & own:
        return difference
    candidates = [e for e in declaration.near(components(key)) if e.rule != "identity"]
    sources = candidates or [e for e in declaration.entries if e.rule != "identity"]
    if not sources:
        return difference
    kind: Class = "scaled" if all(e.rule == "scaled" for e in sources) else "changed"
    paths = ", ".join(dict.fromkeys(e.path for e in sources[:3])) + (" and others" if len(sources) > 3 else "")
    return replace(difference, kind=kind, because=f"computed by the program from {paths}")


def _one_sided(key: Key, declaration: Declaration, *, present_in_staging: bool) -> Difference:
    kind: Class = "extra" if present_in_staging else "missing"
    for component in components(key):
        if entry := declaration.added_or_removed_entry(component, "added" if present_in_staging else "removed"):
            return Difference("changed", shown(key), "", *_sides(present_in_staging=present_in_staging), entry.because)
    called = key[-1].partition("::")[2]
    if entry := declaration.canary_entry(called.removesuffix("-canary")):
        return Difference("changed", shown(key), "", *_sides(present_in_staging=present_in_staging), entry.because)
    if key[-1].endswith((" (before)", "-rotation")):
        return Difference(
            "identity",
            shown(key),
            "",
            *_sides(present_in_staging=present_in_staging),
            "each environment has its own rotation",
        )
    return Difference(kind, shown(key), "", *_sides(present_in_staging=present_in_staging))


def _sides(*, present_in_staging: bool) -> tuple[str, str]:
    return (ABSENT, "there") if present_in_staging else ("there", ABSENT)


def _leaves(key: Key, left: Node, right: Node, declaration: Declaration) -> Iterator[Difference]:
    entries = declaration.near(components(key))
    sides = [dict(flat(body(node))) for node in (left, right)]
    # a canary receives its share of the requests wherever they are routed to its service
    hosts = " ".join(str(value) for path, value in sides[1].items() if path[-1] == "host")
    for path in dict.fromkeys((*sides[0], *sides[1])):
        production, staging = sides[0].get(path, ABSENT), sides[1].get(path, ABSENT)
        if production == staging:
            continue
        kind, because = _explain(key, path, production, staging, entries, declaration)
        if kind == "unexplained" and {"route", "subsets"} & set(path) and (entry := declaration.canary_entry(hosts)):
            kind, because = "changed", entry.because
        yield Difference(kind, shown(key), render(path), production, staging, because)


def _explain(
    key: Key, path: Path, production: Any, staging: Any, entries: list[Entry], declaration: Declaration
) -> tuple[Class, str | None]:
    old, new = str(production), str(staging)
    if own := _own(key, path, (old, new), declaration):
        return own
    if (stated := declared_path(key, path, declaration.statements)) and ABSENT not in (old, new):
        entry = declaration.by_path.get(stated)
        same = entry is not None and exact(old, new, [entry]) is entry
        return (_class(entry), entry.because) if entry is not None and same else ("unexplained", None)
    if entry := exact(old, new, entries):
        return _class(entry), entry.because
    if ABSENT in (old, new) and (entry := _names_added_or_removed(new if old == ABSENT else old, declaration)):
        return "changed", entry.because
    if _is_digest(path, old, new):
        return "changed", "a digest of what differs as declared"
    return _text(old, new, entries)


def _names_added_or_removed(text: str, declaration: Declaration) -> Entry | None:
    """Returns the entry of a component in one environment only, which a leaf in one graph only names."""
    entries = (e for e in declaration.entries if e.rule in ("added", "removed") and e.because)
    return next((e for e in entries if re.search(rf"(^|[^a-z0-9]){re.escape(e.component)}$", text)), None)


def _own(key: Key, path: Path, sides: tuple[str, str], declaration: Declaration) -> tuple[Class, str | None] | None:
    """Explains a value that belongs to the stack itself, or is computed from the whole environment."""
    last = str(path[-1])
    rotated = last == "understudy.dev/origins" and _origins(sides[0]) == _origins(sides[1])
    if "[secret]" in path or last == "rotation" or rotated:
        return "identity", "each environment has its own value and rotation"
    if ("topologySpreadConstraints", _ZONE) in pairwise(path) and ABSENT in sides and declaration.zones:
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
    """Returns whether both images are from one repository, each with the tag or digest that its stack names."""
    for component in components(key):
        tags = [images.get(component) for images in declaration.images]
        if all(tags):
            names = [text.removesuffix(str(tag)) for text, tag in zip((old, new), tags, strict=True)]
            return names[0].rstrip(":@") == names[1].rstrip(":@") and names[0] != old and names[1] != new
    return False


def _placed(key: Key, path: Path, sides: tuple[str, str], declaration: Declaration) -> bool:
    """Returns whether both are the same chart from different sources."""
    if not key[-1].startswith(RELEASE) or declaration.charts[0] == declaration.charts[1]:
        return False
    same = path == ("chart",) and chart_name(sides[0]) == chart_name(sides[1])
    return same or path[0] == "repositoryOpts"


def _origins(text: str) -> dict[str, str]:
    """Returns the origins of the current values, without the rotation."""
    origins = json.loads(text) if text != ABSENT else {}
    return {key: re.sub(r"-\d+$", "", maker) for key, maker in origins.items() if not key.endswith("-previous")}


def _class(entry: Entry) -> Class:
    return "scaled" if entry.rule == "scaled" else "identity" if entry.rule == "identity" else "changed"


def _is_digest(path: Path, old: str, new: str) -> bool:
    """Returns whether a value is a digest of content whose leaves are compared as well."""
    if path[-1] in ("understudy.dev/configuration", "understudy.dev/secrets"):
        return all(_DIGEST.fullmatch(text) for text in (old, new))
    return path[-2:] == ("metadata", "name") and same_stem(old, new)


def _text(old: str, new: str, entries: list[Entry]) -> tuple[Class, str | None]:
    """Explains a text by its words; returns the most specific reason."""
    order: list[Class] = ["scaled", "changed", "identity"]
    explanations: list[tuple[Class, str | None]] = [
        (_class(entry) if entry else "changed", because) for entry, because in explained(old, new, entries)
    ]
    return min(explanations, key=lambda item: order.index(item[0]), default=("unexplained", None))
