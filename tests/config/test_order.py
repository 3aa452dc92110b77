"""What is made before what."""

from __future__ import annotations

from config.loader import load
from config.order import order


def test_the_platform_is_made_from_the_ground_up() -> None:
    found = order(load("quikapp").components)
    place = {name: index for index, name in enumerate(found)}
    assert place["network"] < place["cluster"] < min(place[store] for store in ("postgres", "redis", "kafka"))
    assert place["logs"] < min(place[name] for name in ("uploads", "assets", "ingress", "cdn"))
    assert place["assets"] < place["cdn"]
    assert place["names"] < min(place["ingress"], place["cdn"], place["cluster"])
    assert len(found) == len(load("quikapp").components)
