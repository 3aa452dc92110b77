"""A class for a column that nobody classified: a guess from its name and type, for a person to judge."""

from __future__ import annotations

import re

from config.contract import Class

from .catalog import Column
from .masks import can

_NAMES: tuple[tuple[str, Class], ...] = (
    (r"pass(word|wd|phrase|code)|secret|token|api_?key|salt|otp|mfa|webhook|cookie|session_?key|private_?key|hash$", Class.CREDENTIAL),
    (r"e_?mail", Class.EMAIL),
    (r"phone|mobile|msisdn|fax|tel$", Class.PHONE),
    (r"iban|card|pan$|cvc|cvv|last_?4|stripe|paypal|payment|account_?number", Class.PAYMENT),
    (r"birth|dob$", Class.BIRTH_DATE),
    (r"(^|_)ip(_|$)|ip_?addr|remote_?addr", Class.IP),
    (r"addr|street|city|zip|postal|postcode|latitude|longitude|(^|_)(lat|lng|lon)$|location", Class.ADDRESS),
    (r"user_?name|login|nick|handle|screen_?name|slug", Class.USERNAME),
    (r"(first|last|full|given|family|middle|real|display|maiden|sur)_?name|^name$", Class.PERSON_NAME),
    (r"avatar|image|photo|picture|file|attachment|blob|thumbnail", Class.BLOB),
    (r"note|comment|message|body|text|bio|description|content|subject|title|feedback|reason|about|transcript|user_?agent",
     Class.FREE_TEXT),
)  # fmt: skip
_TYPES = {
    "inet": Class.IP,
    "json": Class.FREE_TEXT,
    "bytes": Class.BLOB,
    "tsvector": Class.FREE_TEXT,
    "text": Class.FREE_TEXT,
    "uuid": Class.IDENTIFIER,
    "other": Class.DROP,
}


def suggest(column: Column) -> Class:
    """Deny by default: a text of an unknown name is free text, never public."""
    flat = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column.name).lower()
    for pattern, cls in _NAMES:
        if re.search(pattern, flat) and can(cls, column):
            return cls
    return _TYPES.get(column.category, Class.PUBLIC)


def line(column: Column) -> str:
    """The line of the contract that classifies it."""
    name = column.name if re.fullmatch(r"[A-Za-z_]\w*", column.name) else f'"{column.name}"'
    return f"{name}: {suggest(column).value} ({column.type})"
