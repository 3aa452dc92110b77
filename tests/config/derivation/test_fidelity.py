"""What an environment cannot tell about production."""

from __future__ import annotations

from config.derivation.derive import derive
from config.derivation.fidelity import statement
from tests.systems import system


def test_names_what_is_not_deployed_scaled_and_changed() -> None:
    sentences = statement(*derive(system(), "staging"), {"service"})
    assert sentences[0].endswith("do not exist yet: db.")
    scales = "cpu at 50% of production; memory at 50% of production; storage at 25% of production"
    assert f"Capacity and latency under load are not production's: {scales}." in sentences
    assert any("(find mistakes before users do): configuration.data.LOG_LEVEL" in s for s in sentences)


def test_production_with_everything_deployed_has_nothing_to_say() -> None:
    assert statement(*derive(system(), "production"), {"service", "postgresql"}) == []


def test_what_others_run_is_said() -> None:
    existing = (
        '    version: "16.4"\n',
        '    version: "16.4"\n    existing: {host: pg.example.com, port: 5432, cidr: 192.0.2.0/24}\n',
    )
    sentences = statement(*derive(system(existing), "production"), {"service"})
    assert "Run by somebody else, so nothing here proves them: db." in sentences
