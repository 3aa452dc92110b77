"""What a run with a real node says of itself."""

from __future__ import annotations

from local.images import STANDS_IN, statement
from local.node.report import Row

REDIS = Row("redis (node)", True, (("redis:7.2.6", "redis 7.0.15 (Debian)"), ("e:1", "redis_exporter 1.45.0")), 3, 3)
GAME = Row("game-server", True, (("registry.test/game-server:1", STANDS_IN),), 3, 3)
STORE = Row("cockroachdb", False, (("cockroachdb/cockroach:v23", "its licence"), ("b:1", "its licence")), 3, 3)


def test_each_lot_has_its_sentence() -> None:
    simulated, placeholder, ran = statement([REDIS, GAME, STORE])
    assert simulated == "Simulated, so this run says nothing about them: cockroachdb, 3 pods (its licence)."
    assert placeholder.endswith("nothing about the application: game-server, 3 pods.")
    assert "redis (node), 3 pods (redis:7.2.6: redis 7.0.15 (Debian), e:1: redis_exporter 1.45.0)" in ran


def test_nothing_is_said_of_nothing() -> None:
    assert statement([]) == []
