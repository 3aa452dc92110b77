"""The rules as policies of CrossGuard."""

from __future__ import annotations

from datetime import UTC, datetime

from pulumi_policy import (
    EnforcementLevel,
    PolicyComplianceFramework,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
)

from .exemptions import Ledger, read
from .resource import Resource
from .rule import Rule
from .rules import RULES
from .stack import Stack


def resource(args: ResourceValidationArgs) -> Resource:
    """Returns the resource as the engine shows it."""
    return Resource(
        urn=args.urn,
        type=args.resource_type,
        name=args.name,
        props=args.props,
        provider=args.provider.urn if args.provider else None,
        protect=args.opts.protect,
    )


def policy(rule: Rule, stack: Stack, ledger: Ledger) -> ResourceValidationPolicy:
    """Returns the rule as a mandatory policy; the offline check reports exemptions, and here they let the resource pass."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        shown = resource(args)
        stack.show(shown)
        for finding in rule.judge(shown, stack):
            if ledger.exempt(finding) is None:
                where = f"{finding.property}: " if finding.property else ""
                report(f"{where}{finding.message}", finding.urn)

    first = rule.references[0] if rule.references else None
    return ResourceValidationPolicy(
        name=rule.id,
        description=rule.description,
        validate=validate,
        enforcement_level=EnforcementLevel.MANDATORY,
        severity=Severity(rule.severity),
        remediation_steps=rule.remediation,
        framework=PolicyComplianceFramework(first.framework, first.version, first.id, first.title) if first else None,
        url=first.url if first else None,
        tags=[rule.id.partition("-")[0]],
    )


def start() -> None:
    """Serves the pack; does not return. Exemptions that cannot be read stop it, and with it the engine's operation."""
    ledger = Ledger(read(RULES), datetime.now(UTC).date())
    stack = Stack()
    PolicyPack(
        name="understudy",
        enforcement_level=EnforcementLevel.MANDATORY,
        policies=[policy(rule, stack, ledger) for rule in RULES.values()],
    )
