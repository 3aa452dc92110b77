"""Every check, by its id, in the order of the report; one file for each subject."""

from __future__ import annotations

from ..result import Check
from . import (
    addresses,
    admission,
    capacity,
    dns,
    identity,
    kinds,
    metrics,
    network,
    rights,
    scheduling,
    storage,
    version,
)

CHECKS: dict[str, Check] = {
    check.id: check
    for module in (
        identity,
        version,
        kinds,
        rights,
        admission,
        storage,
        scheduling,
        capacity,
        metrics,
        network,
        dns,
        addresses,
    )
    for check in module.CHECKS
}
