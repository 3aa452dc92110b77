"""The process that records graphs in forks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from review.graph import ROOT
from review.recorder import request
from tests.servers import until
from tests.systems import write

CLIENT = """
import sys, time
from pathlib import Path
from review.recorder import request
print(request(Path.cwd(), "staging").code, flush=True)
time.sleep(float(sys.argv[1]))
"""


def in_new_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "review.record", str(ROOT), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("stack", ["staging", "quikapp-staging"])
def test_a_recording_equals_one_in_a_new_process(stack: str) -> None:
    expected = in_new_process(stack)
    first, second = request(ROOT, stack), request(ROOT, stack)
    assert (first.code, json.loads(first.stdout)) == (0, json.loads(expected.stdout))
    assert second == first


@pytest.mark.parametrize(
    ("replacement", "message"),
    [(("uses: [db]", "uses: [nothing]"), "nothing"), (("system: shop", "system: ["), "not YAML")],
)
def test_a_mistake_is_reported_as_by_a_new_process(tmp_path: Path, replacement: tuple[str, str], message: str) -> None:
    system = write(tmp_path, replacement)
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(f"config:\n  understudy:system: {system}\n  understudy:environment: staging\n", encoding="utf-8")
    expected = in_new_process("test", str(file))
    result = request(ROOT, "test", file)
    assert expected.returncode == 2
    assert (result.code, result.stdout, result.stderr) == (2, "", expected.stderr)
    assert message in result.stderr


def test_a_stack_that_does_not_exist() -> None:
    result, expected = request(ROOT, "qa"), in_new_process("qa")
    assert (result.code, result.stderr) == (expected.returncode, expected.stderr)
    assert "there is no stack 'qa'" in result.stderr


def test_it_sees_the_environment_of_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    request(ROOT, "qa")
    monkeypatch.setenv("TMPDIR", "/does/not/exist")
    monkeypatch.setenv("UNDERSTUDY_TEST", "set later")
    assert request(ROOT, "qa").code == 1


@pytest.mark.parametrize("ending", [0, signal.SIGKILL])
def test_it_ends_with_the_process_that_started_it(tmp_path: Path, ending: int) -> None:
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, "600" if ending else "0"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with client:
        assert client.stdout is not None
        assert client.stdout.readline() == "0\n"
        if ending:
            assert list(tmp_path.glob("understudy-recorder-*"))
            client.send_signal(ending)
    until(lambda: not list(tmp_path.glob("understudy-recorder-*")), 30, str)
