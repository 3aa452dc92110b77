"""Masks: SQL expressions by class and type.

A mask of a unique text contains 80 bits of the keyed hash where the column is long enough, and a mark; whole numbers are
permuted into a range above production's. The others come from reserved ranges (555-01xx of the North American numbering plan, the addresses of RFC 5737 and RFC 3849, the domains
of RFC 2606). NULL stays NULL. This module reads no value: the expressions run in the source.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from config.model.contract import Class
from jobs.sanitize.catalog import Column
from jobs.sanitize.dialect import Dialect, literal

LOREM = "Lorem ipsum dolor sit amet, consectetur adipiscing elit. "
MARK = "[staging] "
GIVEN = (
    "Avery", "Blake", "Casey", "Devon", "Emery", "Haven", "Indie", "Jamie",
    "Kerry", "Logan", "Micah", "Paris", "Quinn", "Robin", "Sasha", "Terry",
)  # fmt: skip
"""Sixteen fictitious given names of five letters."""
BITS = 30
"""Identifiers that are whole numbers: below 2^30 in production, from 2^30 to 2^31 in staging; fits ``integer``."""
MONTHS = 600
"""Range of birth dates in staging, January 1950 to December 1999: all persons are adults."""
WIDE = 62
"""Bits of identifiers of 2^31 and above, as clocks make them: from 2^62 to 2^63 in staging; only ``bigint`` holds them."""
SHORTEST_TOKEN = 12
"""Hexadecimal digits of a token in a column that is too short for twenty."""
LONGEST_TEXT = 4000
"""Largest number of characters of a masked free text; up to it the mask is about as long as the value."""

Proof = Literal["unique", "rows", "shape"]
"""The proof of a mask:

no value is one of production's; no row keeps its own; or all values have a form without personal data.
"""


class Unmaskable(ValueError):
    """A class has no mask for a type; the message gives the reason and the possible classes."""


@dataclass(frozen=True)
class Mask:
    """The mask of a column."""

    expression: str
    """Template over ``{raw}``, ``{digest}`` (32 bytes) and ``{token}`` (20 hexadecimal digits of it)."""
    holds: str
    """Condition over ``{value}`` that holds for all masked values other than NULL, and for no others."""
    proof: Proof
    quick: str = ""
    """The same, quick where it is true, and an error where it is false for want of hexadecimal digits; default ``holds``.
    (Measured on a million masked rows: a regular expression with twenty digits takes 2.8 s, ``LIKE`` and ``decode`` 0.2 s.)"""
    wide: str = ""
    """A part of the condition that is quick where it is false, and raises no error.

    Only production's values that satisfy it are compared with the copy's. Default: all of ``holds``.
    """
    bits: int = 80
    """Bits of the hash in a mask that must differ between rows; fewer where the column is short."""

    def __post_init__(self) -> None:
        assert self.wide or not self.quick, (
            "else what ``quick`` lets pass and ``holds`` does not would never be compared"
        )

    def sql(self, raw: str, digest: str, token: str) -> str:
        """Returns the expression for these values."""
        return _fill(self.expression, raw=raw, digest=digest, token=token)

    def condition(self, value: str, *, quick: bool = False) -> str:
        """Returns the condition on a value; whatever satisfies it also satisfies ``suspicion``."""
        exact = _fill((quick and self.quick) or self.holds, value=value)
        return f"({_fill(self.wide, value=value)}) AND ({exact})" if self.wide else exact

    def suspicion(self, value: str) -> str:
        """Returns the condition that a value could be a masked one."""
        return _fill(self.wide or self.holds, value=value)


def _fill(template: str, **given: str) -> str:
    return re.sub(r"\{(raw|digest|token|value)\}", lambda match: given[match[1]], template)


def message(cls: Class, raw: str, column: Column) -> str:
    """Returns the bytes that are hashed; they contain the class, so an email and a username of one spelling differ."""
    if column.base == "bytea":
        return f"(convert_to({literal(cls.value + ':')}, 'UTF8') || {raw})"
    text = f"lower({raw}::text)" if column.folded or column.base == "citext" else f"{raw}::text"
    return f"convert_to({literal(cls.value + ':')} || {text}, 'UTF8')"


@dataclass(frozen=True)
class MaskRequest:
    """A request for a column's mask."""

    cls: Class
    column: Column
    dialect: Dialect
    distinct: bool = False
    """Whether a unique index uses it."""
    domain: str = "staging.invalid"
    """Domain of masked emails."""
    value: str | None = None
    """The value written instead of a mask."""
    bucket: int = 1
    """Characters that the length of a masked free text is rounded up to."""
    folds: frozenset[Class] = frozenset()
    """Classes with a column that ignores case: then the whole class does, so that equal values stay equal."""


Maker = Callable[[MaskRequest], Mask]


def mask(request: MaskRequest) -> Mask | None:
    """Returns the mask of a column, or None when it is copied unchanged; raises ``Unmaskable``."""
    if request.value is not None:
        return _constant(fixed(request.value), request)
    if request.cls is Class.PUBLIC:
        return None
    if request.cls is Class.DROP:
        return _dropped(request)
    return _array(request) if request.column.array else _scalar(request)


def _scalar(request: MaskRequest) -> Mask:
    maker = _MAKERS.get((request.cls, request.column.category))
    if maker is None:
        can = sorted({cls.value for cls, category in _MAKERS if category == request.column.category})
        raise Unmaskable(
            f"class {request.cls.value!r} cannot mask the type {request.column.type}; "
            f"classes that can: {', '.join(['public', 'drop', *can])}"
        )
    return maker(request)


def fixed(text: str) -> str:
    """Returns a text of the contract as a constant in a template; its braces are not taken for the template's."""
    return f"({literal(text).replace('{', chr(39) + ' || chr(123) || ' + chr(39))})" if "{" in text else literal(text)


def _constant(value: str, request: MaskRequest) -> Mask:
    if request.distinct:
        raise Unmaskable("a unique index looks at this column, so its rows cannot all have one value")
    expression = f"({value})::{request.column.plain}"
    return Mask(expression, f"{{value}}::text = ({expression})::text", "shape")  # the type json has no equality


_EMPTY = {
    "text": "''", "integer": "0", "number": "0", "json": "'{}'", "bytes": "''", "boolean": "false", "tsvector": "''", "date":
    "'2000-01-01'", "timestamp": "'2000-01-01'", "inet": "'192.0.2.1'", "uuid": "'00000000-0000-8000-8000-000000000000'",
}  # fmt: skip


def _dropped(request: MaskRequest) -> Mask:
    column = request.column
    if not column.not_null:
        return Mask(f"NULL::{column.plain}", "false", "shape")
    empty = "'{}'" if column.array else _EMPTY.get(column.category)
    if empty is None:
        raise Unmaskable(f"{column.type} is not NULL here and has no empty value; make it nullable, or give a value")
    return _constant(empty, request)


def _array(request: MaskRequest) -> Mask:
    """Masks each element separately, in its order."""
    column = request.column
    element = replace(column, array=False, type=column.base, plain=column.plain.removesuffix("[]"))
    one = _scalar(replace(request, column=element, distinct=False))
    digest = request.dialect.digest(message(request.cls, "u.e", element))
    masked = one.sql("u.e", digest, f"encode(substr({digest}, 1, 10), 'hex')")
    return Mask(
        f"CASE WHEN {{raw}} IS NOT NULL THEN coalesce("
        f"(SELECT array_agg(CASE WHEN u.e IS NOT NULL THEN {masked} END ORDER BY u.n)"
        f" FROM unnest({{raw}}) WITH ORDINALITY u(e, n)), '{{}}')::{column.plain} END",
        f"NOT EXISTS (SELECT FROM unnest({{value}}) u(e) WHERE NOT ({one.condition('u.e')}))",
        "shape",
    )


def _byte(index: int) -> str:
    return f"get_byte({{digest}}, {index})"


def _number(first: int, count: int) -> str:
    """Returns ``count`` bytes of the digest as a whole number."""
    return "(" + " + ".join(f"{_byte(first + n)}::bigint * {256 ** (count - 1 - n)}" for n in range(count)) + ")"


def _decimal(first: int) -> str:
    """Returns five bytes of the digest as thirteen decimal digits; different bytes give different digits."""
    return f"lpad({_number(first, 5)}::text, 13, '0')"


def _fits(column: Column, length: int, what: str) -> None:
    if column.length is not None and column.length < length:
        raise Unmaskable(
            f"{what} needs {length} characters, {column.type} has {column.length}; widen it, class it 'drop', or give a 'value'"
        )


def shaped(expression: str, pattern: str, proof: Proof, column: Column, quick: str = "", like: str = "") -> Mask:
    """Returns a mask of a text form: a regular expression; ``like`` is a pattern of ``LIKE`` that every such text matches."""
    wide = f"{{value}}::text LIKE {literal(like)}" if like else ""
    return Mask(f"({expression})::{column.plain}", f"{{value}}::text ~ {literal(pattern)}", proof, quick, wide)


def like(text: str) -> str:
    """Escapes a text for a pattern of ``LIKE``."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def hexadecimal(prefix: str, digits: int, suffix: str) -> str:
    """Returns the quick condition: ``digits`` hexadecimal digits between two texts."""
    pattern = literal(like(prefix) + "_" * digits + like(suffix))
    token = f"substr({{value}}::text, {len(prefix) + 1}, {digits})"
    return f"{{value}}::text LIKE {pattern} AND length(decode({token}, 'hex')) = {digits // 2}"


def _marked(prefix: str, suffix: str = "") -> Maker:
    def make(request: MaskRequest) -> Mask:
        affixes = len(prefix) + len(suffix)
        _fits(request.column, affixes + SHORTEST_TOKEN, "its mask")
        digits = min(20, (request.column.length or affixes + 20) - affixes) // 2 * 2
        pattern = f"^{re.escape(prefix)}[0-9a-f]{{{digits}}}{re.escape(suffix)} *$"
        token = "{token}" if digits == 20 else f"left({{token}}, {digits})"
        expression = f"{literal(prefix)} || {token}" + (f" || {literal(suffix)}" if suffix else "")
        quick = hexadecimal(prefix, digits, suffix)
        own_mask = shaped(expression, pattern, "unique", request.column, quick, f"{like(prefix)}%{like(suffix)}")
        return replace(own_mask, bits=4 * digits)

    return make


def _phone(request: MaskRequest) -> Mask:
    if request.distinct:  # no country has the code +999 (ITU-T E.164)
        _fits(request.column, 16, "a unique telephone number that is not assigned")
        digits = min(26, (request.column.length or 30) - 4)
        number = (
            f"right({_decimal(0)}, {digits})"
            if digits < 13
            else f"{_decimal(0)} || right({_decimal(5)}, {digits - 13})"
        )
        own_mask = shaped(f"'+999' || {number}", rf"^\+999[0-9]{{{digits}}} *$", "unique", request.column, like="+999%")
        return replace(own_mask, bits=39 + (digits - 12) * 3)
    _fits(request.column, 12, "a telephone number that is not assigned")
    first = f"'+' || (12025550100 + {_byte(3)} % 100)::text"
    # already of the masked form: another of the hundred, never the same
    other = f"'+' || (12025550100 + (substr({{raw}}::text, 11, 2)::integer + 1 + {_byte(3)} % 99) % 100)::text"
    ours = "{raw}::text LIKE '+120255501%' AND {raw}::text ~ '^.{10}[0-9]{2} *$'"
    expression = f"CASE WHEN {ours} THEN {other} ELSE {first} END"
    quick = "{value}::text LIKE '+120255501__'"
    return shaped(expression, r"^\+120255501[0-9]{2} *$", "rows", request.column, quick, "+120255501%")


def _name(request: MaskRequest) -> Mask:
    names = f"(ARRAY[{', '.join(map(literal, GIVEN))}])[1 + {_byte(6)} % {len(GIVEN)}]"
    if request.distinct:
        _fits(request.column, 34, "a unique invented name")
        pattern = r"^[A-Z][a-z]{4} Staging-[0-9a-f]{20} *$"
        return shaped(f"{names} || ' Staging-' || {{token}}", pattern, "unique", request.column, like="% Staging-%")
    if request.column.length is not None and request.column.length < 20:
        _fits(request.column, 11, "an invented name")
        return shaped(
            "'Staging' || substr({token}, 1, 4)", r"^Staging[0-9a-f]{4} *$", "rows", request.column, like="Staging%"
        )
    expression = f"{names} || ' Staging-' || substr({{token}}, 1, 6)"
    quick = (
        "{value}::text LIKE '_____ Staging-______' AND length(decode(right({value}::text, 6), 'hex')) = 3 "
        f"AND left({{value}}::text, 5) IN ({', '.join(map(literal, GIVEN))})"
    )
    return shaped(expression, r"^[A-Z][a-z]{4} Staging-[0-9a-f]{6} *$", "rows", request.column, quick, "% Staging-%")


def _address(request: MaskRequest) -> Mask:
    if request.distinct:
        _fits(request.column, 35, "a unique invented address")
        pattern = r"^Staging Street [0-9a-f]{20} *$"
        quick = hexadecimal("Staging Street ", 20, "")
        return shaped("'Staging Street ' || {token}", pattern, "unique", request.column, quick, "Staging Street %")
    if request.column.length is not None and request.column.length < 18:
        return _constant(literal("Staging" if request.column.length >= 7 else "X" * request.column.length), request)
    quick = "{value}::text LIKE '% Staging Street' AND length({value}::text) <= 18"  # three digits are free
    expression = f"(1 + {_byte(4)})::text || ' Staging Street'"
    return shaped(expression, r"^[0-9]{1,3} Staging Street *$", "rows", request.column, quick, "% Staging Street%")


def _ip(request: MaskRequest) -> Mask:
    text = request.column.category == "text"
    if request.distinct:
        if text:
            _fits(request.column, 39, "a unique address of RFC 3849")
        groups = " || ':' || ".join(f"encode(substr({{digest}}, {n}, 2), 'hex')" for n in (1, 3, 5, 7, 9, 11))
        address = f"('2001:db8:' || {groups})::inet"
        holds = "{value}::text ~ '^2001:db8:[0-9a-f:]+ *$'" if text else "{value} <<= '2001:db8::/32'"
        return Mask(f"({f'host({address})' if text else address})::{request.column.plain}", holds, "unique")
    if text:
        _fits(request.column, 15, "an address of RFC 5737")
    nets = f"(ARRAY['192.0.2.', '198.51.100.', '203.0.113.'])[1 + {_byte(7)} % 3]"
    first, second = (f"{nets} || (({_byte(8)} + {n}) % 256)::text" for n in (0, 1))
    if text:
        expression = f"coalesce(nullif({first}, {{raw}}::text), {second})::{request.column.plain}"
    else:
        expression = f"coalesce(nullif(({first})::inet, {{raw}}), ({second})::inet)::{request.column.plain}"
    networks = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
    pattern = r"^(192\.0\.2|198\.51\.100|203\.0\.113)\.[0-9]{1,3} *$"
    holds = f"{{value}}::text ~ '{pattern}'" if text else " OR ".join(f"{{value}} <<= '{net}'" for net in networks)
    return Mask(expression, f"({holds})", "rows")


def _birth(request: MaskRequest) -> Mask:
    if request.distinct:
        raise Unmaskable(
            "a unique index looks at this birth date, and there are fewer days than people; class it 'drop'"
        )
    # the first of a month: few people are born on one, so few values need the comparison by row
    month = f"(({_byte(9)} * 256 + {_byte(10)}) % {MONTHS})"
    first, second = _first_of(month), _first_of(f"(({month} + 1) % {MONTHS})")
    holds = "date_part('day', {value}) = 1 AND {value}::date BETWEEN date '1950-01-01' AND date '1999-12-01'"
    if request.column.category == "timestamp":
        holds += " AND {value}::date = {value}"
    return Mask(f"coalesce(nullif({first}, {{raw}}::date), {second})::{request.column.plain}", holds, "rows")


def _first_of(month: str) -> str:
    """Returns the first day of a month that is counted from January 1950."""
    return f"make_date(1950 + {month} / 12, 1 + {month} % 12, 1)"


def _free(request: MaskRequest) -> Mask:
    if request.distinct:
        return _marked(MARK)(request)
    _fits(request.column, len(MARK), "a text that is marked as replaced")
    most = min(LONGEST_TEXT, request.column.length or LONGEST_TEXT) - len(MARK)
    length = "length({raw}::text)"
    if request.bucket > 1:
        length = f"((length({{raw}}::text) + {request.bucket - 1}) / {request.bucket} * {request.bucket})"
    length_limit = f"greatest(0, least({length}, {most + len(MARK)}) - {len(MARK)})"
    lorem = LOREM * (most // len(LOREM) + 1)
    filling = f"left({literal(lorem[:most])}, {length_limit})"
    # the filling is a prefix of one text, so it is compared as one
    return Mask(
        f"({literal(MARK)} || {filling})::{request.column.plain}",
        f"{{value}}::text = left({literal((MARK + lorem)[: most + len(MARK)])}, length({{value}}::text))"
        f" AND length({{value}}::text) >= {len(MARK.rstrip())}",
        "shape",
    )


def _fixed(expression: str) -> Maker:
    def make(request: MaskRequest) -> Mask:
        return _constant(expression, request)

    return make


def _credential(request: MaskRequest) -> Mask:
    if request.distinct:
        return _marked("revoked_")(request)
    return _constant("'!'", request)  # a value that crypt(3) never returns


def _payment(request: MaskRequest) -> Mask:
    if not request.distinct and request.column.length is not None and request.column.length < 32:
        return _constant(literal("X" * min(4, request.column.length)), request)
    return _marked("tok_staging_")(request)


_UUID = "^.{8}-.{4}-8.{3}-8"


def _version_8() -> str:
    """Returns a UUID of version 8 (RFC 9562, for private use), which marks it, as text; 120 bits of the hash."""
    text = "encode(substr({digest}, 1, 15), 'hex')"
    parts = [f"substr({text}, {first}, {count})" for first, count in ((1, 8), (9, 4), (13, 3), (16, 3), (19, 12))]
    return f"({parts[0]} || '-' || {parts[1]} || '-8' || {parts[2]} || '-8' || {parts[3]} || '-' || {parts[4]})"


def _uuid(_: MaskRequest) -> Mask:
    return Mask(f"{_version_8()}::uuid", f"{{value}}::text ~ {literal(_UUID)}", "unique")


def _permuted(dialect: Dialect, raw: str, bits: int, name: str) -> str:
    """Returns ``raw``, of 0 … 2^bits - 1, as another such number, 2^bits above.

    Four rounds of Feistel, each a keyed hash; injective.
    """
    half = bits // 2
    full = (1 << half) - 1
    number_of = "get_byte(h, 0) * 128 + get_byte(h, 1) / 2"  # 15 bits
    if half == 31:
        number_of = (
            "get_byte(h, 0)::bigint * 8388608 + get_byte(h, 1) * 32768 + get_byte(h, 2) * 128 + get_byte(h, 3) / 2"
        )

    def turn(number: int, value: str) -> str:
        hashed = dialect.digest(f"convert_to('{name}/{number}:' || {value}::text, 'UTF8')")
        return f"(SELECT {number_of} FROM (SELECT {hashed} AS h OFFSET 0) f)"

    part = "integer" if half < 31 else "bigint"
    start = f"SELECT ({raw}::bigint >> {half})::{part} AS l, ({raw}::bigint & {full})::{part} AS r"
    for number in range(1, 5):
        start = f"SELECT r AS l, l # {turn(number, 'r')} AS r FROM ({start} OFFSET 0) s{number}"
    return f"(SELECT {1 << bits} + l::bigint * {1 << half} + r FROM ({start} OFFSET 0) s)"


def _integer(request: MaskRequest) -> Mask:
    """Maps a number to another, above all of production's; ``plan`` refuses columns without enough range."""
    if request.column.base == "int2":
        raise Unmaskable(
            "smallint has no room for identifiers that production does not have; make it integer, class it 'drop', "
            "or give a 'value'"
        )
    wide = request.column.base == "int8"
    expression = (
        f"CASE WHEN {{raw}} >= 0 AND {{raw}} < {1 << BITS} THEN "
        f"{_permuted(request.dialect, '{raw}', BITS, 'identifier')}::{request.column.plain}"
    )
    holds = f"{{value}} BETWEEN {1 << BITS} AND {(1 << BITS + 1) - 1}"
    if wide:
        expression += (
            f" WHEN {{raw}} >= {1 << BITS + 1} AND {{raw}} < {1 << WIDE} THEN "
            f"{_permuted(request.dialect, '{raw}', WIDE, 'identifier/wide')}"
        )
        holds = f"({holds} OR {{value}} >= {1 << WIDE})"
    expression += " WHEN {raw} IS NOT NULL THEN 1 / ({raw} - {raw}) END"  # refused before; an error all the same
    return Mask(expression, holds, "unique")


def _identifier(request: MaskRequest) -> Mask:
    """Masks a text that spells a whole number or a UUID as a column of that type would, so that both still join."""
    own_mask = _marked("staging_")(request)
    raw = "{raw}::text"
    number = _permuted(request.dialect, f"({raw})", BITS, "identifier")
    expression = (
        f"CASE WHEN {raw} ~ '^(0|[1-9][0-9]{{0,9}})$' THEN CASE WHEN ({raw})::bigint < {1 << BITS} THEN {number}::text "
        f"ELSE {own_mask.expression}::text END WHEN {raw} ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' "
        f"THEN {_version_8()} "
        f"ELSE {own_mask.expression}::text END"
    )
    numbers = "1[0-9]{9}|20[0-9]{8}|21[0-4][0-9]{7}"
    uuid = "[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}"
    digits = own_mask.bits // 4
    holds = f"{{value}}::text ~ '^(staging_[0-9a-f]{{{digits}}}|{numbers}|{uuid}) *$'"
    quick = rf"CASE WHEN {{value}}::text LIKE 'staging\_%' THEN {own_mask.quick} ELSE {holds} END"
    wide = (
        r"({value}::text LIKE 'staging\_%' OR {value}::text ~ '^[12][0-9]{9} *$' "
        r"OR {value}::text LIKE '________-____-8___-8___-%')"
    )
    return Mask(f"({expression})::{request.column.plain}", holds, "unique", quick, wide=wide, bits=own_mask.bits)


def _email(request: MaskRequest) -> Mask:
    return _marked("user_", f"@{request.domain}")(request)


_MAKERS: dict[tuple[Class, str], Maker] = {
    (Class.IDENTIFIER, "text"): _identifier,
    (Class.IDENTIFIER, "integer"): _integer,
    (Class.IDENTIFIER, "uuid"): _uuid,
    (Class.EMAIL, "text"): _email,
    (Class.USERNAME, "text"): _marked("staging_user_"),
    (Class.PERSON_NAME, "text"): _name,
    (Class.PHONE, "text"): _phone,
    (Class.PHONE, "integer"): _fixed("0"),
    (Class.ADDRESS, "text"): _address,
    (Class.ADDRESS, "number"): _fixed("0"),
    (Class.ADDRESS, "json"): _fixed("'{}'"),
    (Class.IP, "inet"): _ip,
    (Class.IP, "text"): _ip,
    (Class.BIRTH_DATE, "date"): _birth,
    (Class.BIRTH_DATE, "timestamp"): _birth,
    (Class.FREE_TEXT, "text"): _free,
    (Class.FREE_TEXT, "json"): _fixed("'{}'"),
    (Class.FREE_TEXT, "tsvector"): _fixed("''"),
    (Class.CREDENTIAL, "text"): _credential,
    (Class.CREDENTIAL, "uuid"): _uuid,
    (Class.CREDENTIAL, "bytes"): _fixed("''"),
    (Class.CREDENTIAL, "json"): _fixed("'{}'"),
    (Class.PAYMENT, "text"): _payment,
    (Class.PAYMENT, "integer"): _fixed("0"),
    (Class.PAYMENT, "number"): _fixed("0"),
    (Class.PAYMENT, "json"): _fixed("'{}'"),
    (Class.BLOB, "bytes"): _fixed("''"),
    (Class.BLOB, "text"): _marked("https://placeholder.staging.invalid/"),
    (Class.BLOB, "number"): _fixed("0"),
}


def can(cls: Class, column: Column) -> bool:
    """Returns whether there is a mask of that class for the column's type."""
    return (cls, column.category) in _MAKERS
