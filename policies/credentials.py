"""Whether a value is a credential: by its shape, by its name, and by its entropy."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from .texts import readings

_SHAPES = {
    "an access key of AWS": r"(?:AKIA|ASIA)[A-Z0-9]{16}",
    "a key of Stripe": r"(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{10,}|whsec_[0-9A-Za-z+/=]{16,}",
    "a token of GitHub": r"gh[pousr]_[0-9A-Za-z]{30,}|github_pat_[0-9A-Za-z_]{30,}",
    "a token of GitLab": r"gl(?:pat|dt|rt|cbt|ptt|soat)-[0-9A-Za-z_-]{16,}",
    "a token of Slack": r"xox[abeoprs]-[0-9A-Za-z-]{10,}|xapp-[0-9A-Za-z-]{10,}",
    "a web hook": r"hooks\.slack\.com/(?:services|workflows)/[0-9A-Za-z/_-]{10,}|"
    r"discord(?:app)?\.com/api/webhooks/\d+/[\w-]{20,}",
    "a key of Google": r"AIza[0-9A-Za-z_-]{30,}|ya29\.[0-9A-Za-z_-]{20,}|GOCSPX-[0-9A-Za-z_-]{20,}",
    "a key of SendGrid": r"SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}",
    "a token of a package registry": r"npm_[0-9A-Za-z]{30,}|pypi-[0-9A-Za-z_-]{30,}|"
    r"dckr_(?:pat|oat)_[0-9A-Za-z_-]{20,}|rubygems_[0-9a-f]{40,}",
    "a token of Vault": r"hv[sbr]\.[0-9A-Za-z_-]{20,}",
    "a key of a model's provider": r"sk-(?:ant-|proj-|or-|svcacct-)?[0-9A-Za-z_-]{20,}|hf_[0-9A-Za-z]{30,}",
    "a token of a provider": r"dop_v1_[0-9a-f]{40,}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{30,}|lin_api_[0-9A-Za-z]{30,}|"
    r"NRAK-[0-9A-Z]{20,}|"
    r"ATATT3[0-9A-Za-z_=-]{20,}|sq0(?:csp|atp)-[0-9A-Za-z_-]{20,}|rzp_live_[0-9A-Za-z]{10,}|key-[0-9a-f]{32}|glsa_[0-9A-Za-z_]{30,}|"
    r""
    r"sntr[ysu]s?_[0-9A-Za-z+/=_-]{30,}|PMAK-[0-9a-f-]{40,}|tfp_[0-9A-Za-z]{30,}|EAAC[0-9A-Za-z]{30,}|SK[0-9a-f]{32}|AC[0-9a-f]{32}:[0-9a-f]{32}",
    "a signed token": r"eyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{10,}",
    "a private key": r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|"
    r"AGE-SECRET-KEY-1[0-9A-Z]{40,}|PuTTY-User-Key-File",
}
_SHAPE = re.compile("|".join(f"(?P<s{n}>(?<![0-9A-Za-z_-])(?:{shape}))" for n, shape in enumerate(_SHAPES.values())))
_KINDS = tuple(_SHAPES)
_USER = re.compile(r"[a-z][a-z0-9+.-]{1,20}://([^\s/@:\"'<>]{0,200})(?::([^\s/@\"'<>]{0,500}))?@", re.IGNORECASE)
_VALUE = r"(?:\"([^\"\n]{1,300})\"|'([^'\n]{1,300})'|([^\s\"',;&|(){}\[\]]{1,300}))"
_PAIR = re.compile(
    rf"(?:(?<![\w$({{-])|--)([A-Za-z][\w.-]{{0,80}})[\"']?\s{{0,4}}=>?\s{{0,4}}{_VALUE}"
    rf"|(?:^[ \t]{{0,80}}(?:-[ \t]+)?|[{{,]\s{{0,8}}|[\"'])([A-Za-z][\w.-]{{0,80}})[\"']?[ \t]{{0,4}}:"
    rf"[ \t]{{1,4}}{_VALUE}(?=[ \t]{{0,8}}(?:[,}}\]#]|$))"
    rf"|^[ \t]{{0,80}}(requirepass|masterauth|password|passwd)[ \t]+{_VALUE}[ \t]*$",
    re.MULTILINE,
)
"""A name and its value, in files of any format, in connection strings and in arguments."""
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PASSWORDS = frozenset(
    ["password", "passwd", "passwort", "pass", "passphrase", "pwd", "pw", "pin", "secret", "secrets", "passwords"]
)
_SETTINGS = ("requirepass", "masterauth")
_LAST = _PASSWORDS | frozenset(
    [
        "token",
        "tokens",
        "apikey",
        "apikeys",
        "apitoken",
        "authtoken",
        "accesskey",
        "secretkey",
        "privatekey",
        "credential",
        "credentials",
        "creds",
    ]
)
_KEYS = frozenset(
    [
        "api",
        "private",
        "secret",
        "access",
        "encryption",
        "encrypt",
        "signing",
        "signature",
        "sign",
        "master",
        "account",
        "auth",
        "authentication",
        "shared",
        "license",
        "service",
        "session",
        "hmac",
        "crypt",
        "cipher",
        "jwt",
        "app",
        "application",
        "storage",
        "ssh",
        "deploy",
        "webhook",
        "integration",
        "client",
        "root",
        "admin",
        "server",
        "subscription",
        "instrumentation",
        "consumer",
        "aes",
        "rsa",
        "des",
        "cookie",
        "salt",
        "fernet",
        "django",
        "flask",
        "write",
        "live",
    ]
)
"""Words before ``key`` that make it the name of a credential."""
_BEHIND = frozenset(
    [
        "previous",
        "old",
        "new",
        "current",
        "next",
        "live",
        "prod",
        "production",
        "staging",
        "test",
        "dev",
        "main",
        "primary",
        "secondary",
        "base64",
        "b64",
        "value",
    ]
)
_COUNTS = frozenset(
    [
        "max",
        "min",
        "limit",
        "count",
        "length",
        "len",
        "size",
        "num",
        "number",
        "ttl",
        "timeout",
        "expiry",
        "lifetime",
        "rotation",
        "rounds",
        "cost",
    ]
)
_SAYS = re.compile(
    r"(?:true|false|yes|no|on|off|none|null|nil|undefined|required|optional|enabled|disabled|default|auto|basic|bearer|always|never|"
    r"prefer|strict|lax|token|password|secret|header|cookie|query|env|file|vault|x-[a-z-]{1,60}|_?csrf[a-z_-]{0,20}|changeme-not-set)",
    re.IGNORECASE,
)
"""Values that state how a credential is handled, and are not credentials."""
_ELSEWHERE = re.compile(
    r"\$|\{\{|<[^<>]{1,80}>$|%[({a-z]|(?:/|\./|~/|file:|vault:|ssm:|secretsmanager:|sops:|op://|arn:aws[a-z-]*:(?:secretsmanager|ssm|kms):|ENC\[|AgA[A-Za-z0-9+/]{20})"
    r"|[*.xX]{3,}$|process\.env|os\.environ|ENV\["
)
"""Values that state where a credential is stored."""


def shape(text: str) -> str | None:
    """Returns the kind of credential in the text, also inside its encodings, whatever its key is called."""
    for reading in _readings(text):
        if match := _SHAPE.search(reading):
            return next(kind for n, kind in enumerate(_KINDS) if match[f"s{n}"])
        for user, password in _USER.findall(reading):
            if (password and not _ELSEWHERE.match(password)) or (not password and chance(user)):
                return "a user's password in a URL"
    return None


def named(name: str) -> bool:
    """Returns whether this is the name of a credential: ``DB_PASSWORD``, ``stripe.secretKey``; not ``PUBLIC_KEY``."""
    words = [word.lower() for word in _WORDS.findall(name[-120:])]
    while len(words) > 1 and (words[-1] in _BEHIND or words[-1].isdigit()):
        words.pop()
    if not words:
        return False
    if words[-1] in _LAST or any(
        words[-1].endswith(end) for end in ("password", "passwd", "secret", "apikey", "passphrase")
    ):
        return True
    return words[-1] in ("key", "keys") and len(words) > 1 and words[-2] in _KEYS and "public" not in words


def credential(name: str, value: str) -> bool:
    """Returns whether a value with that name is a credential.

    Values that state how a credential is handled or where it is stored are not.
    """
    text = value.strip()
    if not text or not named(name) or _SAYS.fullmatch(text) or _ELSEWHERE.match(text):
        return False
    words = [word.lower() for word in _WORDS.findall(name[-120:])]
    if text.replace(".", "").isdigit():
        return bool(_PASSWORDS & set(words[-2:])) and not _COUNTS & set(words)
    if {"csrf", "xsrf"} & set(words):
        return chance(text)
    return True


def inside(text: str) -> str | None:
    """Returns the name of a credential to which the text assigns a value, as files and connection strings do."""
    for reading in _readings(text):
        if ("=" in reading or ":" in reading) and (pair := _pair(reading)):
            return pair
    return None


def _pair(text: str) -> str | None:
    for groups in _PAIR.findall(text):
        parts = [part for part in groups if part]
        if len(parts) != 2 or parts[1].startswith(("$", "{", "[", "|", ">", "&", "*", "!", "/")):
            continue
        name, value = parts
        if credential("password" if name in _SETTINGS else name, value):
            return str(name)
    return None


def chance(text: str) -> bool:
    """Returns whether the text is one word of high entropy, such as 32 random bytes in base64."""
    if not 20 <= len(text) <= 512 or not re.fullmatch(r"[A-Za-z0-9+/=_-]+", text):
        return False
    if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", text):
        return len(text) >= 32 and _bits(text) > 3.0
    kinds = sum(bool(re.search(kind, text)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return kinds == 3 and _bits(text) > 3.8


def _bits(text: str) -> float:
    """Returns the entropy of each letter in bits."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def _readings(text: str) -> tuple[str, ...] | Iterator[str]:
    return _short(text) if len(text) < 4096 else readings(text)


@lru_cache(maxsize=65536)
def _short(text: str) -> tuple[str, ...]:
    return tuple(readings(text))
