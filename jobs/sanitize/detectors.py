"""What personal data and secrets look like, wherever they stand: conditions in SQL over a text.

They look at every text, JSON, array, tsvector and byte column whose values are not all proven to be of a mask's own form, and at
large objects. PostgreSQL's advanced regular expressions (https://www.postgresql.org/docs/15/functions-matching.html).
"""

from __future__ import annotations

import string
from dataclasses import dataclass

from .dialect import literal

_RESERVED = r"([[:alnum:]-]+\.)*(example\.(com|net|org)|[[:alnum:]-]+\.(test|example|invalid|localhost|local)|localhost|example|invalid|test)"
_TOKENS = r"(user_|staging_user_|staging_|revoked_|tok_staging_|\[staging\] |Staging-|Staging Street )[0-9a-f]{20}"
"""What masks write into documents and forms; twenty hexadecimal digits would look like telephone numbers."""
PREFILTER = r"[@$:0-9]|eyJ|BEGIN|_live_|_test_|gh[pousr]_|xox"
"""A necessary condition of every detector: most values fail it, and are looked at once."""


@dataclass(frozen=True)
class Detector:
    """A kind of value that must not be in staging."""

    name: str
    pattern: str
    harmless: str = ""
    """Of the same look, and nobody's."""
    further: str = ""
    """A condition over ``{match}``, the first match."""

    def condition(self, text: str) -> str:
        """Whether ``text``, an expression, holds such a value."""
        cleaned = f"regexp_replace({text}, {literal(_TOKENS)}, '', 'g')"
        if self.harmless:
            cleaned = f"regexp_replace({cleaned}, {literal(self.harmless)}, ' ', 'g')"
        if not self.further:
            return f"{cleaned} ~ {literal(self.pattern)}"
        matches = f"regexp_matches({cleaned}, {literal(f'({self.pattern})')}, 'g')"
        further = self.further.replace("{match}", "g.m[1]")
        return f"EXISTS (SELECT FROM (SELECT {matches} AS m) g WHERE {further})"


def _luhn() -> str:
    """Digits doubled from the right (ISO/IEC 7812-1)."""
    digits = r"regexp_replace({match}, '\D', '', 'g')"
    value = f"substr(reverse({digits}), n, 1)::integer"
    return (
        f"(SELECT sum(CASE WHEN n % 2 = 1 THEN {value} ELSE ({value} * 2) / 10 + ({value} * 2) % 10 END) % 10 = 0 "
        f"FROM generate_series(1, length({digits})) n)"
    )


def _mod97() -> str:
    """ISO 13616: the first four characters go to the end, letters are numbers from 10, and the remainder by 97 is 1."""
    moved = "replace({match}, ' ', '')"
    moved = f"substr({moved}, 5) || substr({moved}, 1, 4)"
    for number, letter in enumerate(string.ascii_uppercase, 10):
        moved = f"replace({moved}, '{letter}', '{number}')"
    return f"({moved})::numeric % 97 = 1"


DETECTORS = (
    Detector("email", r"[[:alnum:]._%+-]+@[[:alnum:]-]+(\.[[:alnum:]-]+)*\.[[:alpha:]]{2,}", rf"[[:alnum:]._%+-]+@{_RESERVED}\M"),
    Detector(
        "phone",
        r"(\+|\m00)[1-9][0-9 ().-]{7,18}[0-9]\M|(^|[^0-9.-])\(?[2-9][0-9]{2}\)?[ .-][0-9]{3}[ .-][0-9]{4}\M",
        r"\+1 ?\(?[2-9][0-9]{2}\)?[ .-]?555[ .-]?01[0-9]{2}\M|\(?[2-9][0-9]{2}\)?[ .-]555[ .-]01[0-9]{2}\M|\+999[0-9]{26}\M",
    ),
    Detector(
        "IP",
        r"\m((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\M",
        r"\m(192\.0\.2|198\.51\.100|203\.0\.113)\.[0-9]{1,3}\M|\m(0|10|127)(\.[0-9]{1,3}){3}\M|\m192\.168(\.[0-9]{1,3}){2}\M"
        r"|\m172\.(1[6-9]|2[0-9]|3[01])(\.[0-9]{1,3}){2}\M",
    ),
    Detector("card", r"\m[2-6][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{1,7}\M", further=_luhn()),
    Detector("IBAN", r"\m[A-Z]{2}[0-9]{2}( ?[A-Z0-9]{4}){2,7}( ?[A-Z0-9]{1,3})?\M", further=_mod97()),
    Detector("social security number", r"\m[0-9]{3}-[0-9]{2}-[0-9]{4}\M"),
    Detector("JSON Web Token", r"\meyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}"),
    Detector("AWS access key", r"\m(AKIA|ASIA)[0-9A-Z]{16}\M"),
    Detector("private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    Detector("password hash", r"\$2[abxy]?\$[0-9]{2}\$[./A-Za-z0-9]{53}|\$(argon2|scrypt|pbkdf2|[156]\$)|pbkdf2[_:]sha|scrypt:[0-9]"),
    Detector("token", r"\m[sprk]k_(live|test)_[A-Za-z0-9]{16,}|\mgh[pousr]_[A-Za-z0-9]{36}|\mxox[abprs]-[0-9A-Za-z-]{10,}"),
    Detector("address with a password", r"://[^/[:space:]:@]+:[^/[:space:]@]+@"),
)  # fmt: skip
