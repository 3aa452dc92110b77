"""What a run with a real node says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from local.images import STANDS_IN, proves, statement


@dataclass(frozen=True)
class Lot:
    component: str
    ran: bool
    images: tuple[str, ...]
    because: tuple[str, ...]
    pods: int


REDIS = Lot("redis (node)", True, ("redis:7.2.6", "e:1"), ("redis 7.0.15 (Debian)", "redis_exporter 1.45.0"), 3)
GAME = Lot("game-server", True, ("registry.test/game-server:1",), (STANDS_IN,), 3)
STORE = Lot("cockroachdb", False, ("cockroachdb/cockroach:v23",), ("its licence",), 3)
STRAY = Lot("redis (node)", False, ("redis:7.2.6",), ("it asks for a node that the real one is not",), 1)


def test_each_lot_has_its_sentence() -> None:
    simulated, placeholder, ran = statement([REDIS, GAME, STORE])
    assert simulated == "Simulated, so this run says nothing about them: cockroachdb, 3 pods (its licence)."
    assert placeholder.endswith("nothing about the application: game-server, 3 pods.")
    assert "redis (node), 3 pods (redis:7.2.6: redis 7.0.15 (Debian), e:1: redis_exporter 1.45.0)" in ran


def test_nothing_is_said_of_nothing() -> None:
    assert statement([]) == []


def test_only_what_ran_whole_and_as_itself_is_evidence() -> None:
    assert proves([REDIS, GAME, STORE]) == {"redis (node)"}
    assert proves([REDIS, STRAY]) == set()
