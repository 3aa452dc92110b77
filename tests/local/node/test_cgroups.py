"""Control groups of both versions, in folders that look like theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.node import cgroups


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """Version 1: a folder for each hierarchy."""
    for name in ("cpuset", "memory", "pids"):
        (tmp_path / name).mkdir()
    (tmp_path / "cpuset" / "cpuset.cpus").write_text("0-1\n")
    (tmp_path / "cpuset" / "cpuset.mems").write_text("0\n")
    (tmp_path / "cpu").symlink_to("memory")
    return tmp_path


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """Version 2: one folder for all controllers."""
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("")
    return tmp_path


def test_version_1_has_a_group_in_each_hierarchy(first: Path) -> None:
    assert not cgroups.unified(first)
    cgroups.make("pods", first)
    assert {path.parent.name for path in first.glob("*/pods") if not path.parent.is_symlink()} == {
        "cpuset",
        "memory",
        "pids",
    }


def test_a_group_of_cpus_gets_those_of_its_parent(first: Path) -> None:
    (first / "cpuset" / "pods").mkdir()
    (first / "cpuset" / "pods" / "cpuset.cpus").write_text("\n")  # the kernel makes it empty
    cgroups.make("pods", first)
    assert (first / "cpuset" / "pods" / "cpuset.cpus").read_text() == "0-1\n"


def test_version_2_has_one_group_and_its_controllers_are_on(second: Path) -> None:
    assert cgroups.unified(second)
    cgroups.make("pods", second)
    assert (second / "pods").is_dir()
    assert (second / "cgroup.subtree_control").read_text() == "+cpu+cpuset+memory+pids+io"  # one write each


def test_processes_are_those_of_the_whole_tree(first: Path) -> None:
    for folder, ids in (("pods", "0\n1\n"), ("pods/kubepods", "2\n3\n"), ("pods/kubepods/pod-a", "")):
        (first / "pids" / folder).mkdir()
        (first / "pids" / folder / "cgroup.procs").write_text(ids)
    assert cgroups.processes("pods", first) == {1, 2, 3}
    assert cgroups.processes("none", first) == set()


def test_removal_takes_the_whole_tree_and_may_be_repeated(first: Path) -> None:
    for hierarchy in ("cpuset", "memory"):
        (first / hierarchy / "pods" / "kubepods" / "pod-a").mkdir(parents=True)
    cgroups.remove("pods", first)
    assert list(first.glob("*/pods")) == []
    cgroups.remove("pods", first)


def test_a_group_whose_processes_stay_is_an_error(first: Path) -> None:
    (first / "memory" / "pods").mkdir()
    (first / "memory" / "pods" / "busy").touch()  # rmdir fails as it does while there are processes
    with pytest.raises(OSError, match="not empty"):
        cgroups.remove("pods", first, seconds=0.2)
