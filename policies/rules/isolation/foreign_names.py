"""No resource contains the name of another environment, in any spelling."""

from __future__ import annotations

from collections.abc import Iterator

from ...origins import traced
from ...references import iso
from ...resource import Path, Resource, Unknown
from ...rule import Problem, Rule
from ...stack import ENVIRONMENT, Stack
from ...variables import expanded

_PART_OF = "app.kubernetes.io/part-of"


def check(resource: Resource, stack: Stack) -> Iterator[Problem]:
    if resource.type == ENVIRONMENT:  # the declaration contains all the names
        return
    names, system = stack.names, stack.declared("resolved", "system")
    for path, leaf in resource.leaves():
        if isinstance(leaf, Unknown):
            if not traced(resource, path, leaf, stack):
                yield (
                    path,
                    "its value is unknown and comes from no resource of this stack that was shown",
                )
        elif path[-1] == _PART_OF and leaf == system:
            continue  # the namespace of production often has the system's name
        elif isinstance(leaf, str) and (name := names.find(leaf, _called(path))):
            yield path, f"the {name.kind} {name.value!r} is {name.environment}'s"
    for path, text in expanded(resource, stack):
        if name := names.find(text):
            yield path, f"its variables say {text[:80]!r}: the {name.kind} {name.value!r} is {name.environment}'s"


def _called(path: Path) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "")


RULE = Rule(
    id="isolation-foreign-names",
    description="No namespace, host, network, account, bucket or other name of another environment stands in a resource, plain "
    "or inside URLs, base64, JSON or YAML; both directions.",
    severity="critical",
    remediation="Use {environment}, {namespace} or {domain} in the system's file; list what is really shared under 'shared'.",
    check=check,
    references=(iso("A.8.31", "Separation of development, test and production environments"),),
)
