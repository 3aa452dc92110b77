"""The parts of a schema without rows: labels, attributes, views, functions. New ones stop a refresh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from config.errors import Problem
from config.model.contract import Contract
from jobs.sanitize.connection import Connection

Parts = dict[str, dict[str, list[str]]]
"""By kind (``labels``, ``attributes``, ``views``, ``functions``) and name:

the labels, the attributes with their types, or an empty list.
"""

_MEMBER = "EXISTS (SELECT FROM pg_depend e WHERE e.objid = {}.oid AND e.deptype = 'e')"
_QUERIES = {
    "labels": f"""
SELECT t.typname::text, array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
WHERE t.typnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s) AND NOT {_MEMBER.format("t")} GROUP BY t.oid, t.typname""",
    "attributes": f"""
SELECT t.typname::text, array_agg(a.attname || ': ' || format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c' JOIN pg_attribute a ON a.attrelid = c.oid
WHERE t.typnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s) AND a.attnum > 0 AND NOT a.attisdropped
  AND NOT {_MEMBER.format("t")} GROUP BY t.oid, t.typname""",
    "views": f"""
SELECT c.relname::text, ARRAY[]::text[] FROM pg_class c WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)
  AND c.relkind IN ('v', 'm') AND NOT {_MEMBER.format("c")}""",
    "functions": """
SELECT DISTINCT p.proname::text, ARRAY[]::text[] FROM pg_proc p WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)
  AND p.prokind IN ('f', 'p') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = p.oid AND e.deptype IN ('e', 'i'))""",
}
_WORDS = {"labels": "the label", "attributes": "the attribute", "views": "the view", "functions": "the function"}


def read(connection: Connection, schema: str) -> Parts:
    """Reads the parts of the schema."""
    return {
        kind: {name: list(some) for name, some in connection.execute(query.encode(), [schema])}
        for kind, query in _QUERIES.items()
    }


def unnamed(
    contract: Contract, database: str, source_tables: Parts, last: Mapping[str, Any] | None
) -> Iterator[Problem]:
    """Yields parts that neither the contract nor, where it is silent, the last refresh names; ``last`` is None at first."""
    declared = contract.databases[database]
    named: dict[str, Any] = {
        "labels": declared.labels and {name: list(labels) for name, labels in declared.labels.items()},
        "attributes": declared.attributes
        and {name: [f"{key}: {type_}" for key, type_ in some.items()] for name, some in declared.attributes.items()},
        "views": None if declared.views is None else dict.fromkeys(declared.views, ()),
        "functions": None if declared.functions is None else dict.fromkeys(declared.functions, ()),
    }
    for kind, members in source_tables.items():
        given = getattr(declared, kind)
        known = named[kind] if given else {} if given is not None else (last or {}).get(kind)
        if known is None:
            continue
        since = "" if given is not None else ", and was not there at the last refresh"
        for name, some in sorted(members.items()):
            for message in _new(kind, name, some, known):
                yield contract.problem(
                    ("databases", database, kind),
                    f"{message} is not named{since}",
                    f"judge it, and add {_line(kind, members, name)}",
                )


def _new(kind: str, name: str, some: list[str], known: Mapping[str, list[str]]) -> Iterator[str]:
    if kind in ("views", "functions"):
        if not any(fnmatchcase(name, pattern) for pattern in known):
            yield f"{_WORDS[kind]} {name!r}"
        return
    for item in some:
        if item not in known.get(name, ()):
            # a label is a value and may name a person, so it is not repeated in a log
            which = f"number {some.index(item) + 1}" if kind == "labels" else repr(item.partition(":")[0])
            yield f"{_WORDS[kind]} {which} of {name!r}"


def _line(kind: str, members: Mapping[str, list[str]], name: str) -> str:
    if kind in ("views", "functions"):
        return f"{name!r} to '{kind}: [{', '.join(sorted(members))}]'"
    if kind == "labels":
        return f"it to 'labels: {{{name}: […]}}'"
    return f"it: 'attributes: {{{name}: {{{', '.join(members[name])}}}}}'"
