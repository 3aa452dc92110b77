"""What Prometheus and Alertmanager read, as files: of the shipped systems, and of the small one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from components.core.rendered import as_yaml
from components.kinds.contributions import contributions
from components.kinds.prometheus.configuration import Configuration, configuration
from components.kinds.prometheus.rules import rules
from components.monitoring.contribution import Alert, Monitoring
from config.derivation.derive import derive
from config.kinds import Prometheus
from config.loader import load
from config.system import Resolved
from tests.systems import QUEUED, WATCHED, system

SYSTEMS = ("spacetime", "quikapp", "shop", "broker")


@dataclass(frozen=True)
class Watched:
    """An environment, and what its components bring."""

    resolved: Resolved
    brought: dict[str, Monitoring]

    @property
    def name(self) -> str:
        """Of its Prometheus."""
        return next(key for key, found in self.resolved.components.items() if isinstance(found, Prometheus))

    def declared(self, name: str) -> Any:
        """A component's declaration, of whatever kind the test knows it to be."""
        return self.resolved.components[name]

    def configuration(self, folder: str) -> Configuration:
        return configuration(self.name, self.declared(self.name), self.resolved, self.brought, folder)

    def rules(self) -> dict[str, str]:
        """Component to its rule file."""
        runbooks = self.declared(self.name).runbooks
        found = {key: rules(key, monitoring, runbooks) for key, monitoring in self.brought.items()}
        return {key: as_yaml(file) for key, file in found.items() if file}

    def write(self, folder: Path) -> Path:
        """``rules/*.yml`` and ``prometheus.yml``; its path."""
        (folder / "rules").mkdir(parents=True)
        for key, text in self.rules().items():
            (folder / "rules" / f"{key}.yml").write_text(text)
        file = folder / "prometheus.yml"
        file.write_text(as_yaml(self.configuration(str(folder / "rules"))))
        return file


@cache
def watched(name: str, environment: str = "staging") -> Watched:
    small = {"shop": WATCHED, "broker": (*QUEUED, *WATCHED)}
    declared = system(*small[name]) if name in small else load(name)
    resolved, production = derive(declared, environment)[0], derive(declared, "production")[0]
    return Watched(resolved, contributions(resolved, production))


def alerts() -> list[tuple[str, str, Alert]]:
    """System, component, alert: all that they bring."""
    return [
        (name, component, alert)
        for name in SYSTEMS
        for component, found in watched(name).brought.items()
        for alert in found.alerts
    ]
