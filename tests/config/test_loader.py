"""Every mistake is answered with its line and a sentence that helps; nothing is a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from config.derivation.capacity import unfit
from config.derivation.derive import derive
from config.errors import ConfigError, Problem
from config.loader import load, parse
from config.reading.files import MAX_BYTES
from tests.systems import MINIMAL, minimal, system

ROOT = Path(__file__).resolve().parent.parent.parent

Mistake = tuple[str, str, str, str]
"""What is wrong, the text replaced, its replacement, and what the answer must say."""
MISTAKES: list[Mistake] = [
    ("misspelt key", "replicas: {min: 2", "replica: {min: 2", "did you mean 'replicas'?"),
    ("misspelt top key", "environments:", "enviroments:", "did you mean 'environments'?"),
    ("misspelt nested key", "requests: {cpu: 500m", "request: {cpu: 500m", "did you mean 'requests'?"),
    ("misspelt environment key", "domain: shop.example.com", "domian: shop.example.com", "did you mean 'domain'?"),
    ("misspelt change key", "- because: find", "- becuase: find", "did you mean 'because'?"),
    ("misspelt cluster key", "apiServerCidrs: [10.0.0.1/32]", "apiServerCIDR: [10.0.0.1/32]", "apiServerCidrs"),
    ("snake case key", "min: 2, max: 4}", "min: 2, max: 4}\n    min_availabel: 1", "did you mean 'minAvailable'?"),
    ("unknown kind", "kind: postgresql", "kind: postgres", "did you mean 'postgresql'?"),
    ("kind missing", "    kind: postgresql\n", "", "'kind' is missing"),
    ("wrong memory unit", "memory: 512Mi}", "memory: 512 megs}", "unknown unit 'megs'"),
    ("memory without unit", "memory: 512Mi}", "memory: 512}", "write 512M or 512G"),
    ("lower-case unit", "storage: 20Gi", "storage: 20gb", "unknown unit 'gb'"),
    ("cpu with a unit of memory", "cpu: 500m,", "cpu: 5Gi,", "such as 500m or 2"),
    ("cpu in words", "cpu: 500m,", "cpu: half,", "such as 500m or 2"),
    ("negative cpu", "cpu: 500m,", "cpu: -1,", "such as 500m or 2"),
    ("cpu finer than a millicore", "cpu: 500m,", "cpu: 0.0001,", "finer than m"),
    ("boolean cpu", "cpu: 500m,", "cpu: true,", "such as 500m or 2"),
    ("storage as a list", "storage: 20Gi", "storage: [20Gi]", "such as 50Gi"),
    ("request above limit", "requests: {cpu: 500m", "requests: {cpu: 4", "the request 4 is above the limit 1"),
    ("min above max", "{min: 2, max: 4}", "{min: 5, max: 4}", "min 5 is above max 4"),
    ("no replicas", "{min: 2, max: 4}", "{min: 0, max: 4}", "greater than or equal to 1"),
    ("replicas in words", "{min: 2, max: 4}", "{min: two, max: 4}", "expected a whole number"),
    ("half a replica", "{min: 2, max: 4}", "{min: 2.5, max: 4}", "expected a whole number"),
    ("replicas not a mapping", "replicas: {min: 2, max: 4}", "replicas: 2", "expected keys and values"),
    ("missing key", "    image: registry.example.com/web\n", "", "add 'image:'"),
    ("missing system", "system: shop\n", "", "add 'system:'"),
    ("missing title", "title: Shop\n", "", "add 'title:'"),
    ("missing liveness", "    liveness: {path: /live}\n    configuration: [LOG", "    configuration: [LOG", "add 'liveness:'"),
    ("capital in a name", "system: shop", "system: Shop", "'shop' would do"),
    ("capital in a component", "  worker:", "  Worker:", "'worker' would do"),
    ("underscore in a namespace", "namespace: shop-staging", "namespace: shop_staging", "'shop-staging' would do"),
    ("capital in a domain", "domain: shop.example.com", "domain: Shop.example.com", "'shop.example.com' would do"),
    ("a reserved name", "  worker:\n", "  secrets:\n", "reserved word"),
    ("dangling uses", "uses: [db]", "uses: [dbs]", "did you mean 'db'?"),
    ("uses itself", "uses: [db]", "uses: [web]", "uses itself"),
    ("uses as text", "uses: [db]", "uses: db", "expected a list"),
    ("unknown secret", "{secret: app, key: token}", "{secret: apps, key: token}", "did you mean 'app'?"),
    ("unknown secret key", "{secret: app, key: token}", "{secret: app, key: tokn}", "did you mean 'token'?"),
    ("unknown password key", "{secret: app, key: db}", "{secret: app, key: dbx}", "did you mean 'db'?"),
    ("unknown configuration key", "configuration: [LOG_LEVEL]", "configuration: [LOG_LEVL]", "did you mean 'LOG_LEVEL'?"),
    ("probe of an unknown port", "readiness: {path: /ready}", "readiness: {path: /ready, port: htp}", "did you mean 'http'?"),
    ("relative probe path", "readiness: {path: /ready}", "readiness: {path: ready}", "does not match ^/"),
    ("port too large", "http: 8080", "http: 80800", "less than or equal to 65535"),
    ("port as text", "http: 8080", "http: web", "expected a whole number"),
    ("secret both ways", "token: {bytes: 32}", "token: {bytes: 32, length: 32}", "give one of length"),
    ("secret too short", "db: {length: 24}", "db: {length: 4}", "greater than or equal to 16"),
    ("change without a reason", "      - because: find mistakes before users do\n        set:", "      - set:", "add 'because:'"),
    ("empty reason", "because: find mistakes before users do", "because: ' '", "at least 8"),
    ("short reason", "because: find mistakes before users do", "because: why not", "at least 8"),
    ("change of nothing", "        set:\n          configuration.data.LOG_LEVEL: debug\n", "        set: {}\n", "changes nothing"),
    ("change of an unknown path", "configuration.data.LOG_LEVEL: debug", "web.image.tag: x", "unknown path"),
    ("change of a misspelt path", "configuration.data.LOG_LEVEL: debug", "web.replica.min: 1", "did you mean 'replicas'?"),
    ("a path that is none", "configuration.data.LOG_LEVEL: debug", "'web..min': 1", "is no path"),
    ("removal of nobody", "        set:\n          configuration.data.LOG_LEVEL: debug", "        remove: [cache]", "not declared"),
    ("removal of what is used", "        set:\n          configuration.data.LOG_LEVEL: debug", "        remove: [db]", "which 'web' uses"),
    ("change with a wrong value", "configuration.data.LOG_LEVEL: debug", "db.storage: lots", "such as 50Gi"),
    ("scale above production", "cpu: 50%", "cpu: 150%", "never larger than production"),
    ("scale of zero", "cpu: 50%", "cpu: 0%", "never larger than production"),
    ("scale without percent", "cpu: 50%", "cpu: 0.5", "the unit is missing"),
    ("unknown scale", "{cpu: 50%, memory", "{gpu: 50%, memory", "did you mean 'cpu'?"),
    ("topology without a reason", "storage: 25%}", "storage: 25%, members: 50%}", "changes the topology"),
    ("production scaled", "    protect: true\n", "    protect: true\n    scale: {cpu: 50%}\n", "what the others differ from"),
    ("no production", "  production:\n", "  prod:\n", "'production' is missing"),
    ("same namespace", "namespace: shop-staging", "namespace: shop", "has the same namespace"),
    ("an IP for a network", "[10.0.0.1/32]", "[10.0.0.300/32]", "10.0.0.300"),
    ("host bits set", "[10.0.0.1/32]", "[10.0.0.1/8]", "host bits"),
    ("no API server", "apiServerCidrs: [10.0.0.1/32]", "apiServerCidrs: []", "at least one"),
    ("a fingerprint too short", "      apiServerCidrs: [10.0.0.1/32]", "      caSha256: abc\n      apiServerCidrs: [10.0.0.1/32]", "0-9a-f"),
    ("truth in words", "protect: true", "protect: certainly", "true or false"),
    ("assumed path that is none", "secrets:\n  app:", "assumed:\n  - because: nobody said so\n    paths: [db.storge]\nsecrets:\n  app:", "did you mean 'db.storage'?"),
    ("an even quorum", "kind: postgresql\n", "kind: cockroachdb\n    nodes: 4\n", "odd number of members"),
    ("nodes too small", "count: 3, cpu: 4", "count: 1, cpu: 1", "find no room"),
    ("existing without its network", "    storage: 20Gi\n", "    storage: 20Gi\n    existing: {host: pg.example.com, port: 5432}\n", "existing.cidr is missing"),
    ("duplicate key", "title: Shop\n", "title: Shop\ntitle: Shop again\n", "keep one of the two"),
    ("duplicate component", "  worker:\n", "  web: {}\n  worker:\n", "keep one of the two"),
    ("tab", "  worker:\n    kind", "  worker:\n\tkind", "indent with spaces"),
    ("open bracket", "uses: [db]", "uses: [db", "not YAML"),
    ("open quote", "title: Shop", "title: 'Shop", "not YAML"),
    ("wrong indent", "  worker:\n    kind", "  worker:\n   kind", "not YAML"),
    ("control character", "title: Shop", "title: Sh\x07op", "not YAML"),
    ("two documents", "title: Shop\n", "title: Shop\n---\n", "2 YAML documents"),
    ("unknown alias", "title: Shop", "title: *shop", "not YAML"),
    ("number as a key", "    LOG_LEVEL: info", "    7: info", "is no text"),
    ("null component", "kind: postgresql\n", "kind: ~\n", "unknown kind"),
    ("a date", "LOG_LEVEL: info", "LOG_LEVEL: [2026-01-01]", "expected text"),
]  # fmt: skip


def everything(text: str) -> None:
    """All that ``check`` looks at."""
    declared = parse(text, "shop.yaml")
    for environment in declared.environments:
        resolved, _ = derive(declared, environment)
        if problems := unfit(resolved):
            raise ConfigError(*(Problem("shop.yaml", 1, "", problem) for problem in problems))


def answer(text: str) -> str:
    """What a person is told."""
    with pytest.raises(ConfigError) as caught:
        everything(text)
    return str(caught.value)


def test_there_are_enough_mistakes() -> None:
    assert len(MISTAKES) >= 60
    assert len({name for name, *_ in MISTAKES}) == len(MISTAKES)


@pytest.mark.parametrize(("name", "old", "new", "said"), MISTAKES, ids=[name for name, *_ in MISTAKES])
def test_mistake(name: str, old: str, new: str, said: str) -> None:
    found = answer(minimal((old, new)))
    assert said in found
    first = found.splitlines()[0]
    assert first.startswith("shop.yaml:")
    line = int(first.split(":")[1])
    where = MINIMAL[: MINIMAL.index(old)].count("\n") + 1
    ends = minimal((old, new)).count("\n") + 1
    assert 1 <= line <= ends
    if name in LINE_IS_THE_MISTAKE:
        assert line == where


LINE_IS_THE_MISTAKE = {
    "misspelt key",
    "misspelt nested key",
    "wrong memory unit",
    "min above max",
    "dangling uses",
    "unknown secret",
    "unknown configuration key",
    "port too large",
    "scale above production",
    "unknown scale",
    "truth in words",
    "change of a misspelt path",
    "half a replica",
    "same namespace",
}
"""Where the answer names the very line."""


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    found = answer(minimal(("cpu: 500m,", "cpu: x,"), ("min: 1, max: 2", "min: 3, max: 2")))
    assert "x" in found
    assert "min 3 is above max 2" in found


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"# only a comment\n", "the file is empty"),
        (b"- a\n- b\n", "start with 'system: <name>'"),
        (b"just text\n", "start with 'system: <name>'"),
        ("title: Caf\u00e9\n".encode("latin-1"), "save the file as UTF-8"),
        (b"a: &a [x]\n" + b"b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n", "unknown key"),
        (b"[" * 3000, "not YAML"),
    ],
    ids=["empty", "comment", "list", "text", "latin-1", "aliases", "deep"],
)
def test_files_that_are_no_declaration(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        load(str(file))


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than 4 MiB"):
        load(str(file))


def test_nested_aliases_do_not_explode(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    file = tmp_path / "shop.yaml"
    file.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match="more than 500000 values"):
        load(str(file))


@pytest.mark.parametrize(
    ("name", "said"),
    [("spacetim", "did you mean 'spacetime'"), ("nowhere/x.yaml", "no such file"), ("config", "no such system")],
)
def test_names_that_lead_nowhere(name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load(name)


def test_the_command_answers_all_of_them_without_a_traceback(tmp_path: Path) -> None:
    files = []
    for index, (_, old, new, _) in enumerate(MISTAKES):
        file = tmp_path / f"mistake-{index:03}.yaml"
        file.write_text(minimal((old, new)), encoding="utf-8")
        files.append(file)
    command = [sys.executable, "-m", "cli", "check", *map(str, files)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    for file in files:
        assert f"{file}:" in result.stderr


def test_the_declaration_itself_is_right() -> None:
    assert set(system().components) == {"web", "worker", "db"}
    assert parse(MINIMAL, "shop.yaml") == system()
