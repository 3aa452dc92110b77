"""Suggests a class for an unclassified column from its name and type, for a person to review."""

from __future__ import annotations

import re

from config.model.contract import Class
from jobs.sanitize.catalog import Column
from jobs.sanitize.dialect import Dialect
from jobs.sanitize.masks.expressions import MaskRequest, Unmaskable, can, mask

_NAMES: tuple[tuple[str, Class], ...] = (
    (r"pass(word|wd|phrase|code)|secret|token|api_?key|salt|(^|_)otp|mfa|webhook|cookie|session_?key|private_?key|hash$|(^|_)pin(_|$)", Class.CREDENTIAL),
    (r"e_?mail", Class.EMAIL),
    (r"phone|mobile|msisdn|fax|(^|_)tel(_|$)|whatsapp", Class.PHONE),
    (r"iban|(^|_)bic(_|$)|swift|card|(^|_)pan(_|$)|cvc|cvv|last_?4|stripe|paypal|payment|(account|routing|sort)_?(number|code|no$)", Class.PAYMENT),
    (r"birth|dob$", Class.BIRTH_DATE),
    (r"(^|_)ip(v?[46])?(_|$)|ip_?addr|remote_?addr", Class.IP),
    (r"addr|street|city|(^|_)zip|postal|postcode|latitude|longitude|(^|_)(lat|lng|lon|geo)(_|$)|location", Class.ADDRESS),
    (
        r"ssn|social_?sec|tax|passport|national|licen[cs]e|(^|_)nin(o|_|$)|insurance|salary|income|wage|bonus|balance|net_?worth|hiv|diagnos|medic"
        r"|health|disease|blood|allerg|disab|pregnan|religio|ethnic|(^|_)race(_|$)|gender|(^|_)sex(ual)?(_|$)|orientation|politic|union|convict|crimin"
        r"|marital|spouse|child|weight|height|bmi|credit|(^|_)age(_|$)|nationality|citizen|fingerprint|biometr|dna|genetic|plate|(^|_)vin(_|$)|device_?id|imei|mac_?addr",
        Class.DROP,
    ),
    (r"user_?name|login|nick|handle|screen_?name|slug", Class.USERNAME),
    (r"(first|last|full|given|family|middle|real|display|maiden|sur|donor|customer|contact)_?name|^name$", Class.PERSON_NAME),
    (r"avatar|image|photo|picture|file|attachment|blob|thumbnail", Class.BLOB),
    (r"note|comment|message|body|text|bio|description|content|subject|title|feedback|reason|about|transcript|user_?agent",
     Class.FREE_TEXT),
)  # fmt: skip
_HARMLESS = (
    r"^id$|_id$|^(is|has|can|was)_|_(at|on|count|number|no|total|status|state|type|kind|order|version|index|size|bytes|ms|seconds|days|percent)$"
    r"|^(created|updated|modified|deleted|published|started|finished|expires|sent|opened|seen|placed|joined|at|day|date|time|year|month|week|status|state"
    r"|type|kind|count|quantity|qty|amount|total|price|cost|currency|version|position|rank|level|score|rating|priority|enabled|active|visible|archived"
    r"|progress|size|width|duration|number|sequence|seq|order|sort|page|weekday|rate|percent|discount|stock|points|attempts|retries|flags?|[a-z])$"
)
"""Names of numbers, dates and flags that are unrelated to a person;

other columns are dropped until a person has reviewed them.
"""
_TYPES = {
    "inet": Class.IP,
    "json": Class.FREE_TEXT,
    "bytes": Class.BLOB,
    "tsvector": Class.FREE_TEXT,
    "text": Class.FREE_TEXT,
    "uuid": Class.IDENTIFIER,
    "enum": Class.PUBLIC,
    "boolean": Class.PUBLIC,
}
_PLAIN = re.compile(r"[A-Za-z_]\w*")
_YAML_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
"""Words that YAML does not read as a text."""


def suggest(column: Column) -> Class:
    """Returns a class.

    By default a text is free text and other values are dropped. Public is suggested for known names, enums and booleans.
    """
    if (cls := named(column)) is not None:
        return cls
    flat = _flat(column.name)
    if column.category in _TYPES and _possible(_TYPES[column.category], column):
        return _TYPES[column.category]
    if column.category in ("integer", "number", "date", "timestamp") and re.search(_HARMLESS, flat):
        return Class.PUBLIC
    return Class.DROP


def named(column: Column) -> Class | None:
    """Returns the class that the column's name suggests, or None."""
    classes = (cls for pattern, cls in _NAMES if re.search(pattern, _flat(column.name)) and _possible(cls, column))
    return next(classes, None)


def _flat(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _possible(cls: Class, column: Column) -> bool:
    """Returns whether a mask of the class fits the column."""
    if cls in (Class.PUBLIC, Class.DROP):
        return True
    try:
        return can(cls, column) and mask(MaskRequest(cls, column, Dialect("postgresql"))) is not None
    except Unmaskable:
        return False


def key(name: str) -> str:
    """Formats a name as a key of YAML, in quotes where necessary."""
    if _PLAIN.fullmatch(name) and name.lower() not in _YAML_WORDS:
        return name
    return "'" + name.replace("'", "''") + "'"


def line(column: Column) -> str:
    """Returns the line of the contract that classifies it."""
    written = f"{suggest(column).value} ({column.type})"
    return (
        f"{key(column.name)}: {written}"
        if not re.search(r": | #|[{}\[\]]$", written)
        else f"{key(column.name)}: '{written}'"
    )
