"""An environment together with everything that was derived for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from config.system import Resolved, System

from .derive import derive
from .identity import Identity, identities
from .provenance import BASE, Derived


@dataclass(frozen=True)
class Resolution:
    """One environment of a system, with production and the provenance of each value."""

    system: System
    production: Resolved
    resolved: Resolved
    """The environment; the same object as ``production`` where the environment is production."""
    provenance: Mapping[str, Derived]
    """Path of a value, such as ``redis.storage``, to where the value comes from."""

    @cached_property
    def identities(self) -> tuple[Identity, ...]:
        """The names of the system's other environments, which must not appear in this one."""
        return tuple(identities(self.system, self.resolved.environment.name))


def resolve(system: System, environment: str) -> Resolution:
    """Returns the environment with production, provenance and identities; raises ``ConfigError`` as ``derive`` does."""
    resolved, provenance = derive(system, environment)
    production, _ = derive(system, BASE)
    return Resolution(system, production, resolved, provenance)
