"""Sentences of the fidelity statement about components on a real node."""

from __future__ import annotations

from collections.abc import Iterable

from ..node.report import Row
from .maker import STANDS_IN


def statement(table_rows: Iterable[Row]) -> list[str]:
    """Returns sentences: what was simulated first, then the placeholders, then software in another version than requested."""
    table_rows = list(table_rows)
    simulated = [
        _told(each, "; ".join(dict.fromkeys(why for _, why in each.images))) for each in table_rows if not each.ran
    ]
    placeholders = [_told(each) for each in table_rows if _is_placeholder(each)]
    own = (each for each in table_rows if each.ran and not _is_placeholder(each))
    ran = [_told(each, ", ".join(f"{image}: {version}" for image, version in each.images)) for each in own]
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


def _told(each: Row, more: str = "") -> str:
    return f"{each.component}, {each.pods} pod{'s' * (each.pods != 1)}{f' ({more})' if more else ''}"


def _is_placeholder(each: Row) -> bool:
    return each.ran and STANDS_IN in (version for _, version in each.images)
