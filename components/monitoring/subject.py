"""The monitored component, with its counterpart in production."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from config.kinds import KubeStateMetrics
from config.model.quantity import Quantity
from config.system import Resolved

from .contribution import Size


@dataclass(frozen=True)
class Subject:
    """One component of an environment, with production's declaration."""

    name: str
    component: Any
    """The model of its kind."""
    resolved: Resolved
    production: Resolved

    @property
    def job(self) -> str:
        """The selector of its series: ``job="<name>"``."""
        return f'job="{self.name}"'

    @property
    def counted(self) -> bool:
        """Whether kube-state-metrics, which counts pods, is part of the environment."""
        return any(isinstance(other, KubeStateMetrics) for other in self.resolved.components.values())

    def size(self, path: str, value: object, expr: str = "{}", said: str = "{}") -> Size:
        """Returns a threshold from the value declared at ``path`` of the component.

        ``expr`` is PromQL with ``{}`` in the place of the value, in base units; ``said`` is the same for people.
        """
        same = self.production.components.get(self.name)
        before = same.declared(path) if same is not None else value
        derivation = f"{said.format(f'{self.name}.{path}')}, {value} (unscaled: {before})"
        return Size(expr.format(_number(value)), derivation)


def _number(value: object) -> str:
    number = value.value if isinstance(value, Quantity) else value
    exact = float(number)  # type: ignore[arg-type]  # a number, or a fraction
    return str(int(exact)) if exact.is_integer() else f"{exact:g}"
