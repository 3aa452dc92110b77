"""Keys and logs, which many components have for themselves."""

from __future__ import annotations

from pulumi_aws import cloudwatch, kms

from .cloud import Part


def key(part: Part, purpose: str) -> kms.Key:
    """A key of the component's own, rotated each year, that is gone a month after its deletion; never by accident."""
    made = kms.Key(
        part.key,
        description=f"{part.named()}: {purpose}",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        tags=part.tags(),
        opts=part.under(protect=guarded(part)),
    )
    part.cloud.keys[part.key] = made.arn
    kms.Alias(part.key, name=f"alias/{part.named()}", target_key_id=made.key_id, opts=part.under())
    return made


def log_group(part: Part, name: str, days: int, logical: str = "") -> cloudwatch.LogGroup:
    """Makes the log group of a service before the service, so that its entries expire."""
    return cloudwatch.LogGroup(
        f"{part.key}-{logical}" if logical else part.key,
        name=name,
        retention_in_days=days,
        tags=part.tags(),
        opts=part.under(),
    )


def guarded(part: Part) -> bool:
    """Whether the engine refuses to delete or replace what holds the component's data.

    Everywhere, not in production only: a change of a subnet would give a database its successor, empty. The stack's
    ``unprotected`` is the way to say that it is meant.
    """
    return part.key not in part.cloud.unprotected and "*" not in part.cloud.unprotected
