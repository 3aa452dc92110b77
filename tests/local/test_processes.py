"""Processes that outlive the command that started them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import psutil

from local.processes import Processes, free_port

SLEEP = [sys.executable, "-c", "import time; print('started', flush=True); time.sleep(60)"]


def test_a_process_is_found_and_stopped(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.start("a", SLEEP)
    found = processes.find("a")
    assert found is not None
    assert Processes(tmp_path).find("a") is not None
    processes.stop("a")
    assert processes.find("a") is None
    assert not psutil.pid_exists(found.pid) or found.status() == psutil.STATUS_ZOMBIE


def test_another_process_of_the_same_id_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "pids.json").write_text(json.dumps({"a": [os.getpid(), 1.0]}))
    processes = Processes(tmp_path)
    assert processes.find("a") is None
    processes.stop("a")
    assert psutil.pid_exists(os.getpid())


def test_a_broken_record_is_nobody(tmp_path: Path) -> None:
    (tmp_path / "pids.json").write_text("{")
    assert Processes(tmp_path).find("a") is None


def test_the_log_is_kept(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.start("a", [sys.executable, "-c", "print('it broke')"])
    process = processes.find("a")
    if process is not None:
        psutil.wait_procs([process], timeout=10)
    assert "it broke" in processes.log("a")
    assert processes.log("never started") == ""


def test_free_ports_are_free() -> None:
    assert len({free_port() for _ in range(10)}) > 1
