"""Changes of a declaration that would shrink an existing volume, which Kubernetes does not allow."""

from __future__ import annotations

from collections.abc import Iterator

from config.system import Resolved


def shrunk(before: Resolved, after: Resolved) -> Iterator[tuple[str, str]]:
    """Yields component and message for every volume that would have to shrink; for each component the first one."""
    for name, component in after.components.items():
        old = before.components.get(name)
        if old is None or old.kind != component.kind:
            continue
        sizes = old.volumes(name)
        for claim, size in component.volumes(name).items():
            if claim in sizes and size < sizes[claim]:
                yield name, f"volume {claim} would shrink from {sizes[claim]} to {size}"
                break
