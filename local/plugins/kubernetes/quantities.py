"""Kubernetes' canonical form of quantities, which the official plugin gives inputs of built-in kinds.

Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ and the recorded case
``quota-limits-netpol`` (``4000m`` becomes ``4``, ``0.3`` becomes ``300m``).
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from .client import Object

_WRITTEN = re.compile(r"([+-]?\d*\.?\d+)(|n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)")
_DECIMAL = {
    s: Fraction(1000) ** e for s, e in zip(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), range(-3, 7), strict=True)
}
_BINARY = {s: Fraction(1024) ** e for s, e in zip(("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), range(7), strict=True)}
_AMOUNTS = {
    "requests",
    "limits",
    "hard",
    "default",
    "defaultRequest",
    "max",
    "min",
    "maxLimitRequestRatio",
    "capacity",
    "overhead",
}
_PARENTS = {"resources", "spec", "limits", "status"}
_BUILT_IN = re.compile(r"v1|(apps|batch|autoscaling|policy|node\.k8s\.io|storage\.k8s\.io)/v\d+")


def canonical(written: Any) -> Any:
    """``0.5`` -> ``500m``, ``1024Mi`` -> ``1Gi``; what is no quantity stays as it is."""
    match = _WRITTEN.fullmatch(str(written)) if isinstance(written, str | int | float) else None
    if match is None or isinstance(written, bool):
        return written
    number, suffix = match.groups()
    binary = suffix.endswith("i")
    units = _BINARY if binary else _DECIMAL
    value = Fraction(number) * units[suffix]
    if value == 0:
        return "0"
    if binary and value.denominator != 1:
        units = _DECIMAL
    fitting = [s for s, unit in units.items() if (value / unit).denominator == 1]
    return f"{value / units[fitting[-1]]}{fitting[-1]}" if fitting else written


def normalize(inputs: Object) -> Object:
    """The inputs with the quantities of built-in kinds in canonical form."""
    if not _BUILT_IN.fullmatch(str(inputs.get("apiVersion"))) or inputs.get("kind") in ("ConfigMap", "Secret"):
        return inputs
    return {**inputs, "spec": _walk(inputs["spec"], "spec")} if isinstance(inputs.get("spec"), dict) else inputs


def _walk(node: Any, name: str) -> Any:
    if isinstance(node, list):
        return [_walk(item, name) for item in node]
    if not isinstance(node, dict):
        return node
    result = {}
    for key, value in node.items():
        if key in _AMOUNTS and name in _PARENTS and isinstance(value, dict):
            result[key] = {resource: canonical(amount) for resource, amount in value.items()}
        else:
            result[key] = canonical(value) if key == "sizeLimit" else _walk(value, key)
    return result
