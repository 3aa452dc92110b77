"""The programs of the embedded default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from local import builds
from local.builds import Module, ensure, fetched
from local.tools import CONTROL_PLANE, NODE, PULUMI, PULUMI_KUBERNETES, without_typed_kinds

TOKEN = re.compile(r"ctx\.RegisterResource\((.*?), name, props")


@pytest.mark.servers
def test_the_provider_registers_the_same_types_with_one_go_type() -> None:
    [(name, (module, _))] = PULUMI_KUBERNETES.rewritten.items()
    original = (fetched(PULUMI_KUBERNETES, module) / name).read_text(encoding="utf-8")
    rewritten = without_typed_kinds(original)
    assert len(TOKEN.findall(original)) > 100
    assert TOKEN.findall(rewritten) == TOKEN.findall(original)
    assert set(re.findall(r"var res (\S+)", rewritten)) == {"apiextensions.CustomResource"}
    assert re.findall(r'sdk/v4/go/kubernetes/(\S+)"', rewritten) == ["apiextensions"]


def test_programs_of_one_go_mod_share_packages() -> None:
    assert len({module.sources for module in (*CONTROL_PLANE, NODE)}) == 1
    assert PULUMI.sources == PULUMI_KUBERNETES.sources


def test_long_builds_start_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(builds, "TOOLS", tmp_path)
    monkeypatch.setattr(builds, "_ensure", lambda module, position: started.append(f"{position}: {module.name}"))
    long, short = Module("kubernetes", "", {"long": ""}, order=1), Module("helm", "", {"short": ""})
    ensure(short, long)
    assert started == ["1 of 2: kubernetes", "2 of 2: helm"]


def test_another_rewriting_is_another_program() -> None:
    plain = Module("pulumi", "", {})
    assert plain.folder != Module("pulumi", "", {}, rewritten={"a.go": ("b", without_typed_kinds)}).folder
