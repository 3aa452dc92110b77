"""The context in which components are built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.monitoring.contribution import Monitoring
from config.stack import Stack
from config.system import Resolved

from .certificates import Certificates
from .configuration import Configuration
from .platform import Platform
from .secrets import Secrets


@dataclass(frozen=True)
class BuildContext:
    """One environment during its construction."""

    resolved: Resolved
    stack: Stack
    platform: Platform
    configuration: Configuration
    secrets: Secrets
    certificates: Certificates
    monitoring: Mapping[str, Monitoring]
    """The monitoring that each component contributes, by component."""
