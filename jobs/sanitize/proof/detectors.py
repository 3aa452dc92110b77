"""Detectors of personal data and secrets: SQL conditions over a text.

They examine each text, JSON, array, tsvector, bytea and large number column whose values are not all proved to have a
mask's form, the rows of views, large objects and definitions. The formats are published ones: E.164 and national
telephone numbers, ISO/IEC 7812 and the schemes' card ranges, ISO 13616's IBAN lengths, and the token prefixes that
services publish. The expressions are PostgreSQL's advanced regular expressions
(https://www.postgresql.org/docs/15/functions-matching.html).
"""

from __future__ import annotations

import json
import string
from dataclasses import dataclass

from jobs.sanitize.catalog import Column
from jobs.sanitize.dialect import literal

_TOKENS = r"(user_|staging_user_|staging_|revoked_|tok_staging_|\[staging\] |Staging-|Staging Street )[0-9a-f]{20}"
"""Texts that masks write into documents and forms; twenty hexadecimal digits would match telephone numbers."""


@dataclass(frozen=True)
class Detector:
    """A kind of value that must not be in staging."""

    name: str
    trigger: str
    """A regular expression that every such value matches, without look-around and quick. Most texts do not match."""
    pattern: str = ""
    """The exact expression, for the text without ``harmless``; default ``trigger``."""
    harmless: str = ""
    """Values of the same format that are reserved and belong to no person."""
    further: str = ""
    """A condition over ``{match}``, for each match."""

    def condition(self, text: str) -> str:
        """Returns the condition that ``text``, an expression, contains such a value.

        The costly part runs only where the trigger matches.
        """
        cleaned = f"regexp_replace({text}, {literal(_TOKENS)}, '', 'g')"
        if self.harmless:
            cleaned = f"regexp_replace({cleaned}, {literal(self.harmless)}, ' ', 'g')"
        exact = f"{cleaned} ~ {literal(self.pattern or self.trigger)}"
        if self.further:
            matches = f"regexp_matches({cleaned}, {literal(f'({self.pattern})')}, 'g')"
            further = self.further.replace("{match}", "g.m[1]")
            exact = f"EXISTS (SELECT FROM (SELECT {matches} AS m) g WHERE {further})"
        return f"CASE WHEN {text} ~ {literal(self.trigger)} THEN {exact} ELSE false END"


def planted(text: str, canaries: tuple[str, ...]) -> str:
    """Returns the condition that ``text``, an expression, contains a canary."""
    return " OR ".join(f"strpos({text}, {literal(canary)}) > 0" for canary in canaries) or "false"


_AT = r"(@|%40|\\+u0040|\\+x40|&#(64|[xX]40);|&commat;)"
_RESERVED = r"([[:alnum:]-]+\.)*(example\.(com|net|org)|[[:alnum:]-]+\.(test|example|invalid|localhost|local)|localhost|example|invalid|test)"
_NOT_WITHIN = "(?<![[:alnum:]])"
_NOT_GOING_ON = "(?![[:alnum:]])"
_APART = r"[ ()./_-]{0,3}"
_CODES = (
    "(1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|21[1-368]|2[2-46-9][0-9]|25[0-8]|3[578][0-9]|42[013]|50[0-9]"
    "|59[0-9]|6[789][0-9]|80[08]|85[02356]|87[08]|88[0-368]|96[0-8]|97[0-79]|99[2-68])"
)
"""The country codes that ITU-T E.164 has assigned."""
_NUMBER = f"^(1[2-9][0-9]{{2}}[2-9][0-9]{{6}}|(?!1){_CODES}[0-9]{{8,11}})$"
"""A telephone number with its country code, as a whole number of eleven digits and more."""


def number(column: Column, value: str) -> str | None:
    """Returns the text of a column of large numbers for detectors; None for other columns.

    Whole numbers of eleven to sixteen digits; where they could be telephone numbers, a second time with a plus sign.
    """
    if column.array or column.base not in ("int8", "numeric", "float8"):
        return None
    digits = f"trunc({value}::numeric)::text"
    text = f"{digits} || CASE WHEN {digits} ~ {literal(_NUMBER)} THEN ' +' || {digits} ELSE '' END"
    finite = f"{value} < 10000000000000000" if column.base == "int8" else f"{value} < 1e16 AND {value} = trunc({value})"
    return f"CASE WHEN {value} >= 10000000000 AND {finite} THEN {text} END"


_SCHEMES = (
    "^(4([0-9]{12}|[0-9]{15}|[0-9]{18})|(5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}|3[47][0-9]{13}"
    "|3(0[0-5]|[689][0-9])[0-9]{11}|(6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12,15}|35(2[89]|[3-8][0-9])[0-9]{12}|(62|81)[0-9]{14,17}"
    "|(50|5[6-9]|6[0-9])[0-9]{11,17})$"
)
"""First digits and lengths: Visa, Mastercard, American Express, Diners Club, Discover, JCB, UnionPay, Maestro."""


def _card() -> str:
    """Returns the check digit's condition (ISO/IEC 7812-1) for a number with a scheme's prefix and length."""
    digits = r"regexp_replace({match}, '\D', '', 'g')"
    value = "substr(reverse(d), n, 1)::integer"
    return (
        f"(SELECT d ~ {literal(_SCHEMES)} AND (SELECT sum(CASE WHEN n % 2 = 1 THEN {value} ELSE ({value} * 2) / 10 + ({value} * 2) % 10 END) "
        f"% 10 = 0 FROM generate_series(1, length(d)) n) FROM (SELECT {digits} AS d) c)"
    )


_LENGTHS = {
    15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST",
    26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV", 29: "BR EG PS QA UA",
    30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
"""Length of an IBAN by country (the registry of ISO 13616)."""


def _iban() -> str:
    """Returns the condition of ISO 13616.

    First four characters at the end, letters as numbers from 10, remainder by 97 is 1.
    """
    lengths = literal(json.dumps({country: length for length, some in _LENGTHS.items() for country in some.split()}))
    cut = f"left(c, ({lengths}::jsonb ->> left(c, 2))::integer)"
    rotated = "substr(i, 5) || substr(i, 1, 4)"
    for value, letter in enumerate(string.ascii_uppercase, 10):
        rotated = f"replace({rotated}, '{letter}', '{value}')"
    return (
        f"(SELECT ({rotated})::numeric % 97 = 1 FROM (SELECT {cut} AS i FROM (SELECT upper(regexp_replace({{match}}, '[ -]', '', 'g')) AS c) c "
        f"WHERE length(c) >= ({lengths}::jsonb ->> left(c, 2))::integer AND (regexp_replace({{match}}, '[ -]', '', 'g') <> {{match}} "
        f"OR length(c) = ({lengths}::jsonb ->> left(c, 2))::integer)) i)"
    )


_BYTE = "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_GROUP = "[0-9A-Fa-f]{1,4}"
_IP = (
    rf"\m({_BYTE}\.){{3}}{_BYTE}\M|{_NOT_WITHIN}(?<!:)[23][0-9A-Fa-f]{{3}}((:{_GROUP}){{7}}|(:{_GROUP}){{1,6}}::({_GROUP}(:{_GROUP}){{0,5}})?"
    rf"|::{_GROUP}(:{_GROUP}){{0,6}})(?![[:alnum:]:])"
)
_PHONE = (
    rf"(\+|%2B) ?\(?[1-9]({_APART}[0-9]){{7,14}}(?![0-9])|{_NOT_WITHIN}(?<![.,-])00 ?\(?[1-9]({_APART}[0-9]){{7,14}}{_NOT_GOING_ON}"
    rf"|{_NOT_WITHIN}(?<![.-])\(?[2-9][0-9]{{2}}\)?[ .-] ?[0-9]{{3}}[ .-][0-9]{{4}}{_NOT_GOING_ON}"
    rf"|{_NOT_WITHIN}(?<![.,:/+_-])\(?0[1-9]([ ()./-]{{0,2}}[0-9]){{7,10}}(?![[:alnum:]:]|[.,][0-9])"
    rf"|{_NOT_WITHIN}(?<![.-])[6-9][0-9]{{4}} [0-9]{{5}}{_NOT_GOING_ON}|\([1-9][0-9]\) ?9?[0-9]{{4}}[ -][0-9]{{4}}{_NOT_GOING_ON}"
    r"|^[2-9][0-9]{2}[2-9][0-9]{6}$"
)
_NOBODYS_PHONE = (
    r"\+1 ?\(?[2-9][0-9]{2}\)?[ .-]?555[ .-]?01[0-9]{2}\M|\(?[2-9][0-9]{2}\)?[ .-]555[ .-]01[0-9]{2}\M|\+999[0-9]{12,26}\M"
    r"|\m[0-3]?[0-9][./-][01]?[0-9][./-](19|20)[0-9]{2}\M|\m(19|20)[0-9]{2}[./-][01][0-9][./-][0-3][0-9]"
)
"""555-01xx of the North American plan, +999, and dates."""
_CARD = (
    rf"{_NOT_WITHIN}(?<![.+-])([2-6][0-9]{{12,18}}|[2-6][0-9]{{3}}([ ._-][0-9]{{4}}){{3}}([ ._-]?[0-9]{{3}})?|3[0-9]{{3}}[ ._-][0-9]{{6}}[ ._-][0-9]{{4,5}})"
    rf"{_NOT_GOING_ON}(?!-[0-9A-Fa-f])"
)
_TOKENS_OF = (
    r"\m[sprk]k_(live|test)_[A-Za-z0-9]{16,}", r"\mwhsec_[A-Za-z0-9]{24,}",  # Stripe
    r"\mgh[pousr]_[A-Za-z0-9]{36}", r"\mgithub_pat_[A-Za-z0-9_]{22,}", r"\mgl(pat|dt|rt|ptt|cbt|soat)-[A-Za-z0-9_-]{20,}",
    r"\mxox[abeprs]-[0-9A-Za-z-]{10,}", r"\mxapp-[0-9]-[0-9A-Z]+-[0-9]+-[0-9a-f]+",
    r"hooks\.slack\.com/(services|workflows)/[A-Z0-9]+/[A-Z0-9]+/[A-Za-z0-9]{8,}", r"discord(app)?\.com/api/webhooks/[0-9]+/[A-Za-z0-9_-]{20,}",
    r"\mAIza[0-9A-Za-z_-]{35}", r"\mya29\.[0-9A-Za-z_-]{20,}", r"\mGOCSPX-[0-9A-Za-z_-]{20,}", r"\m1//0[0-9A-Za-z_-]{30,}",  # Google
    r"\msk-(proj-|svcacct-|admin-|ant-[a-z0-9]+-)?[A-Za-z0-9_-]{20,}", r"\mSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{32,}",
    r"\m(SK|AC)[0-9a-f]{32}\M", r"\mnpm_[A-Za-z0-9]{36}", r"\mpypi-[A-Za-z0-9_-]{50,}", r"\mdckr_(pat|oat)_[A-Za-z0-9_-]{20,}",
    r"\mshp(at|ca|pa|ss)_[0-9a-fA-F]{32}", r"\mdo[opr]_v1_[0-9a-f]{64}", r"\mhf_[A-Za-z0-9]{30,}", r"\mhv[sbr]\.[A-Za-z0-9_-]{24,}",
    r"\mATATT3[A-Za-z0-9_=-]{40,}", r"\mNRAK-[A-Z0-9]{27}", r"\mPMAK-[0-9a-f]{24}-[0-9a-f]{34}", r"\mdapi[0-9a-f]{32}", r"\mlin_api_[A-Za-z0-9]{32,}",
    r"\mkey-[0-9a-f]{32}\M", r"\m[0-9]{8,10}:AA[A-Za-z0-9_-]{33}", r"\mEAA[A-Za-z0-9]{40,}", r"\mAGE-SECRET-KEY-1[0-9A-Z]{58}",
    r"\mglsa_[A-Za-z0-9]{32}_[0-9a-f]{8}", r"\msq0(atp|csp)-[0-9A-Za-z_-]{22,}", r"\mrubygems_[0-9a-f]{48}",
    r"\m(Basic|Bearer) [A-Za-z0-9+/._~-]{12,}=*",
)  # fmt: skip
_HASHES = (
    r"\$2[abxy]?\$[0-9]{2}\$[./A-Za-z0-9]{53}", r"\$(argon2|scrypt|pbkdf2|bcrypt|apr1|sha1|md5|y|gy|7)[^$[:space:]]*\$[^$[:space:]]+", r"\$[156]\$[^$[:space:]]{2,}\$[^$[:space:]]{3,}",
    r"(pbkdf2|argon2|bcrypt|scrypt)[_:$]?[[:alnum:]]*[:$]", r"SCRAM-SHA-(1|256|512)\$[0-9]+:", r"\{(SSHA|SHA|SMD5|CRYPT|PBKDF2)[0-9-]*\}[A-Za-z0-9+/$.]{8,}",
    r"\m(md5)[0-9a-f]{32}\M", r"(^|[^[:alnum:]*])\*[0-9A-F]{40}\M", r"\$[PH]\$[./A-Za-z0-9]{31}", r"\$S\$[./A-Za-z0-9]{52}",
)  # fmt: skip
"""bcrypt, crypt(3), Argon2, scrypt, PBKDF2, Django, SCRAM and MD5 of PostgreSQL, LDAP, MySQL, phpass, Drupal."""
_MARKS = r"\$|\*[0-9A-F]{4}|md5[0-9a-f]|\{[SCP]|SCRAM|pbkdf2|argon2|bcrypt|scrypt"
_PREFIXES = (
    r"k_live_|k_test_|whsec_|gh[pousr]_|github_pat|gl[a-z]+-|xox|xapp-|hooks\.slack|webhooks/|AIza|ya29|GOCSPX|1//0|sk-|SG\.|SK[0-9a-f]"
    r"|AC[0-9a-f]|npm_|pypi-|dckr_|shp[acps]|do[opr]_v1|hf_|hv[sbr]\.|ATATT|NRAK|PMAK|dapi|lin_api|key-|:AA|EAA|AGE-SECRET|glsa_|sq0|rubygems_"
    r"|Basic |Bearer "
)
_DIGITS = r"([0-9][ ()./_-]{0,3}){8}"
"""Eight digits with any separators."""
DETECTORS = (
    Detector(
        "email",
        rf"[[:alnum:]\"'._%+-]{_AT}[[:alnum:]-]",
        rf"[[:alnum:]\"'._%+-]{_AT}[[:alnum:]-]+(\.[[:alnum:]-]+)*\.(xn--[[:alnum:]-]+|[[:alpha:]]{{2,}})",
        rf"{_AT}{_RESERVED}(?![[:alnum:]_-]|\.[[:alnum:]])",
    ),
    Detector("phone", _DIGITS, _PHONE, _NOBODYS_PHONE),
    Detector(
        "IP",
        r"([0-9]{1,3}\.){3}[0-9]|[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]",
        _IP,
        r"\m(192\.0\.2|198\.51\.100|203\.0\.113)\.[0-9]{1,3}\M|\m(0|10|127)(\.[0-9]{1,3}){3}\M|\m192\.168(\.[0-9]{1,3}){2}\M"
        r"|\m172\.(1[6-9]|2[0-9]|3[01])(\.[0-9]{1,3}){2}\M|\m2001:0?[dD][bB]8:[0-9A-Fa-f:]*",
    ),
    Detector("card", _DIGITS, _CARD, further=_card()),
    Detector(
        "IBAN",
        r"[A-Za-z]{2}[0-9]{2}[ -]?[A-Za-z0-9]{4}[ -]?[A-Za-z0-9]{4}[ -]?[A-Za-z0-9]{3}",
        rf"{_NOT_WITHIN}[A-Za-z]{{2}}[0-9]{{2}}([A-Za-z0-9]{{11,30}}{_NOT_GOING_ON}|([ -][A-Za-z0-9]{{4}}){{2,7}}([ -][A-Za-z0-9]{{1,4}})?)",
        further=_iban(),
    ),
    Detector("social security number", _DIGITS, r"(?<![[:alnum:]-])[0-8][0-9]{2}([ -])[0-9]{2}[ -][0-9]{4}(?![[:alnum:]-])"),
    Detector(
        "national identity number",
        rf"{_DIGITS}|[A-Z]{{2}} ?([0-9]{{2}} ?){{3}}[A-D]",
        r"\m[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\M|\m[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?([0-9]{2} ?){3}[A-D]\M",
    ),
    Detector("JSON Web Token", r"\meyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    Detector("AWS access key", r"\m(AKIA|ASIA)[0-9A-Z]{16}\M"),
    Detector("private key", r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----|PuTTY-User-Key-File-[0-9]"),
    Detector("password hash", _MARKS, "|".join(_HASHES)),
    Detector("token", _PREFIXES, "|".join(_TOKENS_OF)),
    Detector("address with a password", r"://[^/[:space:]:@]*:[^/[:space:]@]+@"),
    Detector(
        "connection string",
        r"\m([Hh]ost|hostaddr|dbname|user|User Id|[Uu]id|[Ss]erver|[Dd]ata [Ss]ource) ?= ?[^[:space:];=]+[ ;]+([[:alnum:]_ ]+ ?= ?[^[:space:];=]*[ ;]+)*"
        r"([Pp]assword|[Pp]wd|PWD) ?= ?[^[:space:];]",
    ),
)  # fmt: skip
OF_DEFINITIONS = (
    Detector(
        "connection to another database",
        r"\mdblink(_[a-z_]+)?\"? *\(|\m(postgres(ql)?|mysql|mongodb(\+srv)?|rediss?|amqps?)://|postgres_fdw"
        r"|\m(host|hostaddr|port|dbname|user|password|sslmode|passfile|service) ?= ?[^[:space:]'\"=;,]+ +"
        r"(host|hostaddr|port|dbname|user|password|sslmode|passfile|connect_timeout) ?= ?[^[:space:]'\"=;,]",
    ),
)
"""Patterns that a definition must not contain, because they lead to other systems."""
PREFILTER = r"[@$%&:={*]|[0-9][0-9.]|[[:alnum:]_/+.=-]{16}|BEGIN|PuTTY|Basic |Bearer |[A-Z]{2} [0-9]"
"""A necessary condition of every detector; most values fail it and need no other."""
