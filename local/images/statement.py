"""What a run with a real node tells of each component, in sentences for its fidelity statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from .maker import STANDS_IN


class Pods(Protocol):
    """Pods of one component that ask for the same images and had the same lot."""

    @property
    def component(self) -> str:
        """The component's name."""

    @property
    def ran(self) -> bool:
        """Whether they ran on the real node."""

    @property
    def images(self) -> tuple[str, ...]:
        """As they ask for them."""

    @property
    def because(self) -> tuple[str, ...]:
        """For each image the version that ran, or why the pods were simulated."""

    @property
    def pods(self) -> int:
        """How many."""


def statement(found: Iterable[Pods]) -> list[str]:
    """Sentences: what was simulated first, then the placeholders, then what ran with another version than was asked for."""
    found = list(found)
    simulated = [_told(each, "; ".join(each.because)) for each in found if not each.ran]
    placeholders = [_told(each) for each in found if each.ran and STANDS_IN in each.because]
    ran = [_told(each, ", ".join(_versions(each))) for each in found if each.ran and STANDS_IN not in each.because]
    sentences = []
    if simulated:
        sentences.append(f"Simulated, so this run says nothing about them: {'; '.join(simulated)}.")
    if placeholders:
        sentences.append(
            "A placeholder ran, which shows that configuration, credentials and network are right, and nothing about the "
            f"application: {'; '.join(placeholders)}."
        )
    if ran:
        sentences.append(f"Ran, in the version that could be had: {'; '.join(ran)}.")
    return sentences


def proves(found: Iterable[Pods]) -> set[str]:
    """Components of which every pod ran its own software: only these may be named as evidence."""
    lots: dict[str, list[bool]] = {}
    for each in found:
        lots.setdefault(each.component, []).append(each.ran and STANDS_IN not in each.because)
    return {component for component, lot in lots.items() if all(lot)}


def _told(each: Pods, more: str = "") -> str:
    return f"{each.component}, {each.pods} pod{'s' * (each.pods != 1)}{f' ({more})' if more else ''}"


def _versions(each: Pods) -> list[str]:
    versions: Mapping[str, str] = dict(zip(each.images, each.because, strict=False))
    return [f"{image}: {version}" for image, version in versions.items()]
