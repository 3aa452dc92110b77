"""Proves data outside of tables: definitions, views' rows, statistics, large objects, foreign passwords."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import psycopg

from jobs.sanitize.dialect import literal, quoted

from . import detectors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jobs.sanitize.connection import Connection

Found = tuple[str, str]
"""A finding with its place, and without the value."""
PATIENCE = "10min"
"""Time limit for reading a view, after which it is refused."""


def definitions(
    connection: Connection, statements: Iterable[str], canaries: tuple[str, ...], unchecked: Mapping[str, str]
) -> list[Found]:
    """Returns findings in statements: canaries, detected data, and addresses of other databases."""
    request = [statement for statement in statements if title(statement) not in unchecked]
    texts = [spelled(statement) for statement in request]
    rows = [
        ("canary", at)
        for at, text in enumerate(texts)
        if _planted(text, canaries) or _planted(_COMMAS.sub("", text), canaries)
    ]
    for detector in (*detectors.DETECTORS, *detectors.OF_DEFINITIONS):
        detected = detector.condition("v").replace("%", "%%")
        query = f"SELECT n - 1 FROM unnest(%s::text[]) WITH ORDINALITY t(v, n) WHERE {detected}"
        rows += [(detector.name, int(at)) for (at,) in connection.execute(query.encode(), [texts])]
    named = {at: title(request[at]) for _, at in rows}
    suspicious = _suspicious(connection, list(named.values()), canaries)
    return sorted({(what, f"definition {at + 1}" if named[at] in suspicious else named[at]) for what, at in rows})


def _suspicious(connection: Connection, names: list[str], canaries: tuple[str, ...]) -> set[str]:
    """Returns the names that are themselves findings, and must not be printed."""
    detected = " OR ".join(f"({detector.condition('v')})" for detector in detectors.DETECTORS).replace("%", "%%")
    rows = connection.execute(f"SELECT v FROM unnest(%s::text[]) v WHERE {detected}".encode(), [names])
    return {name for (name,) in rows} | {name for name in names if _planted(name, canaries)}


def _planted(text: str, canaries: tuple[str, ...]) -> bool:
    low = text.casefold()
    return any(form in low for canary in canaries for form in (canary.casefold(), canary.casefold().replace("'", "''")))


_NAME = r'(?:"(?:[^"]|"")+"|[^\s("]+)'
_MADE = re.compile(
    rf"CREATE (?:OR REPLACE |UNLOGGED |MATERIALIZED |UNIQUE |CONSTRAINT )*(\w+) ({_NAME})", re.IGNORECASE
)
_ADDED = re.compile(rf"ALTER TABLE (?:ONLY )?({_NAME}) ADD CONSTRAINT ({_NAME})")


def title(statement: str) -> str:
    """Returns a short name of a statement's object, such as ``view admins`` or ``constraint adults of users``."""
    if match := _ADDED.match(statement):
        return f"constraint {_bare(match[2])} of {_bare(match[1])}"
    if match := _MADE.match(statement):
        return f"{match[1].lower()} {_bare(match[2])}"
    return " ".join(statement.split()[:3])


_QUOTES = re.compile(r"\$(?:function|procedure)x*\$")
"""The quotes around a function's text in ``pg_get_functiondef``."""
_JOINED = re.compile(r"'(?:::[a-z ]+)?\)?\s*\|\|\s*\(?[Ee]?'")
_COMMAS = re.compile(r"'(?:::[a-z ]+)?\s*,\s*[Ee]?'")
"""The separator of the arguments of ``concat`` and similar functions."""
_CHARACTER = re.compile(r"\bchr\((\d{1,6})\)", re.IGNORECASE)
_OCTAL = re.compile(r"\\([0-7]{3})")
_HEXADECIMAL = re.compile(
    r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{1,2})|\+([0-9A-Fa-f]{6})|([0-9A-Fa-f]{4}))"
)


def spelled(statement: str) -> str:
    """Returns the statement, and again with its constants concatenated and unescaped.

    Octal escapes and those of ``U&''`` begin alike, so each has a reading of its own.
    """
    statement = _QUOTES.sub(" ", statement)
    plain = _JOINED.sub("", _CHARACTER.sub(lambda match: f"'{_character(int(match[1]))}'", statement))
    octal = _OCTAL.sub(lambda match: _character(int(match[1], 8)), plain)
    hexadecimal = _HEXADECIMAL.sub(
        lambda match: _character(int(next(part for part in match.groups() if part), 16)), plain
    )
    octal_last = _HEXADECIMAL.sub(
        lambda match: _character(int(next(part for part in match.groups() if part), 16)), octal
    )
    return "\x1f".join(dict.fromkeys((statement, plain, octal_last, hexadecimal))).replace("\0", "")


def _character(number: int) -> str:
    """Returns the character of that number; a space where there is none."""
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else " "


_VIEWS = """
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum), array_agg(t.typname::text ORDER BY a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
WHERE n.nspname = %s AND c.relkind IN ('v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
GROUP BY c.oid, c.relname ORDER BY c.relname
"""
_TEXTLESS = (
    *("int2", "int4", "int8", "numeric", "float4", "float8", "money", "oid", "bool", "uuid"),
    *("date", "time", "timetz", "timestamp", "timestamptz", "interval"),
)


def views(
    target: Connection, schema: str, canaries: tuple[str, ...], unchecked: Mapping[str, str]
) -> Iterator[tuple[str, str, int]]:
    """Yields findings in the rows of views and materialised views: check, view, and number of rows."""
    for name, columns, types in target.execute(_VIEWS, [schema]).fetchall():
        if f"view {_plain(name)}" in unchecked:
            continue
        texts = [
            f"encode(v.{quoted(column)}, 'escape')" if type_ == "bytea" else f"v.{quoted(column)}::text"
            for column, type_ in zip(columns, types, strict=True)
            if type_ not in _TEXTLESS
        ]
        everything = f"concat_ws(chr(31), {', '.join(texts)})" if texts else "''"
        counts = [f"count(*) FILTER (WHERE {detectors.planted('t.v', canaries)})"]
        counts += [f"count(*) FILTER (WHERE {detector.condition('t.v')})" for detector in detectors.DETECTORS]
        query = f"SELECT {', '.join(counts)} FROM (SELECT {everything} AS v FROM {quoted(schema)}.{quoted(name)} v OFFSET 0) t"
        try:
            with target.transaction():
                target.execute(f"SET LOCAL statement_timeout = {literal(PATIENCE)}")
                row = target.execute(query.encode()).fetchone()
        except psycopg.Error as error:
            yield f"can be read ({type(error).__name__})", name, 1
            continue
        assert row is not None, "an aggregate has a row"
        checks = ["no canary", *(f"no {detector.name}" for detector in detectors.DETECTORS)]
        for check, count in zip(checks, row, strict=True):
            yield check, name, count


def _plain(name: str) -> str:
    return _bare(quoted(name))


def _bare(name: str) -> str:
    """Returns a name without unnecessary quotes."""
    return name[1:-1] if re.fullmatch(r'"[a-z_][a-z0-9_$]*"', name) else name


_FOREIGN = "FROM pg_user_mappings WHERE EXISTS (SELECT FROM unnest(umoptions) o WHERE o ~ '^password=')"
_SAMPLES = (
    ("pg_stats", "concat_ws(chr(31), most_common_vals::text, histogram_bounds::text, most_common_elems::text)"),
    ("pg_stats_ext", "concat_ws(chr(31), most_common_vals::text, most_common_val_nulls::text)"),
    (
        "pg_stats_ext_exprs",
        "concat_ws(chr(31), most_common_vals::text, histogram_bounds::text, most_common_elems::text)",
    ),
)


def elsewhere(target: Connection, schema: str, canaries: tuple[str, ...]) -> Iterator[tuple[str, str, int]]:
    """Yields statistics, large objects, credentials of other servers: the check, the place, and the number of findings."""
    if canaries:
        for place, text in _SAMPLES:
            anywhere = detectors.planted(text, canaries)
            yield (
                "no canary",
                place,
                _count(target, f"FROM {place} WHERE schemaname = {literal(schema)} AND ({anywhere})"),
            )
    text = "encode(lo_get(oid), 'escape')"
    suspicious = " OR ".join(
        [f"({detector.condition(text)})" for detector in detectors.DETECTORS] + [detectors.planted(text, canaries)]
    )
    count = _count(target, f"FROM pg_largeobject_metadata WHERE pg_has_role(lomowner, 'USAGE') AND ({suspicious})")
    yield "no personal data", "pg_largeobject", count
    yield "no password of another server", "pg_user_mappings", _count(target, _FOREIGN)


def _count(target: Connection, rest: str) -> int:
    row = target.execute(f"SELECT count(*) {rest}".encode()).fetchone()
    assert row is not None, "an aggregate has a row"
    return int(row[0])
