"""Encryption keys and log groups that components create for themselves."""

from __future__ import annotations

from pulumi_aws import cloudwatch, kms

from .context import PlatformComponent


def encryption_key(component: PlatformComponent, purpose: str) -> kms.Key:
    """Creates the component's own key, rotated each year; a deleted key can be restored for a month."""
    key = kms.Key(
        component.key,
        description=f"{component.name_in_account()}: {purpose}",
        enable_key_rotation=True,
        deletion_window_in_days=30,
        tags=component.tags(),
        opts=component.child_options(protect=protected(component)),
    )
    alias = f"alias/{component.name_in_account()}"
    kms.Alias(component.key, name=alias, target_key_id=key.key_id, opts=component.child_options())
    return key


def log_group(component: PlatformComponent, name: str, days: int, logical: str = "") -> cloudwatch.LogGroup:
    """Makes the log group of a service before the service, so that its entries expire."""
    return cloudwatch.LogGroup(
        f"{component.key}-{logical}" if logical else component.key,
        name=name,
        retention_in_days=days,
        tags=component.tags(),
        opts=component.child_options(),
    )


def protected(component: PlatformComponent) -> bool:
    """Returns whether the engine refuses to delete or replace what holds the component's data.

    This applies to every environment, because a change such as another subnet would replace a database by an empty one.
    The stack's ``unprotected`` setting permits it.
    """
    return component.key not in component.context.unprotected and "*" not in component.context.unprotected
