"""The order in which components are created."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter

from config.kinds.backend import PersistentBackend
from config.kinds.stateful import Stateful
from config.model.component import Component


def order(components: Mapping[str, Component]) -> list[str]:
    """Returns each component after the stores that it uses and the components that it needs; otherwise in declared order.

    Users of a store start, and are replaced, after it; no component waits for a service or a pipeline. Raises
    ``graphlib.CycleError`` when two components need each other.
    """
    kept = {name for name, component in components.items() if isinstance(component, Stateful | PersistentBackend)}
    graph = {
        name: [
            other
            for other in components
            if (other in kept and other in component.uses)
            or other in component.needs()
            or components[other].kind in component.after
        ]
        for name, component in components.items()
    }
    return list(TopologicalSorter(graph).static_order())
