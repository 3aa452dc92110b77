"""YAML scalars as they were written: a number or truth value that parsing would change stays a text."""

from __future__ import annotations

from typing import Any, Self

from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.nodes import ScalarNode

_CORE = "tag:yaml.org,2002:"


class Written(str):
    """A scalar whose text would be lost by parsing: ``16.10``, ``0777``, ``12e4567``, ``True``.

    A field of type text receives the text; ``value`` is the parsed value.
    """

    __slots__ = ("value",)
    value: Any

    def __new__(cls, text: str, value: Any) -> Self:
        written = super().__new__(cls, text)
        written.value = value
        return written

    def __getnewargs__(self) -> tuple[str, Any]:  # type: ignore[override] # copies are made with __new__'s two arguments
        return str(self), self.value


class UnknownTag(ValueError):
    """A tag such as ``!!python/object``, which stands for types other than YAML's own."""

    def __init__(self, tag: str, line: int) -> None:
        super().__init__(f"the tag {tag} is not taken")
        self.tag, self.line = tag, line


def plain(value: Any) -> Any:
    """Returns a tree with the parsed value of each scalar, for objects whose fields are numbers and booleans."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.value if isinstance(value, Written) else value


class _Constructor(RoundTripConstructor):
    def construct_object(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - ruamel's own signature
        tag = str(node.tag or "")
        if not tag.startswith(_CORE) or ":python/" in tag or tag.endswith((":omap", ":set", ":pairs", ":binary")):
            raise UnknownTag(tag.replace(_CORE, "!!"), node.start_mark.line + 1)
        return super().construct_object(node, deep)


def _kept(read: Any) -> Any:
    def construct(self: Any, node: ScalarNode) -> Any:
        try:
            value = read(self, node)
        except ValueError:  # not a number but, for example, a version with underscores
            return str(node.value)
        return value if _says_all(value, node.value) else Written(node.value, value)

    return construct


def _says_all(value: Any, text: str) -> bool:
    if isinstance(value, bool):
        return text == ("true" if value else "false")
    if isinstance(value, float):
        return float.__repr__(value) == text and not value.is_integer()
    return str(int(value)) == text


for _name in ("int", "float", "bool"):
    _Constructor.add_constructor(f"{_CORE}{_name}", _kept(getattr(RoundTripConstructor, f"construct_yaml_{_name}")))
_Constructor.add_constructor(f"{_CORE}timestamp", lambda _, node: str(node.value))


def reader() -> YAML:
    """Returns a reader of documents with lines and scalars as written; it raises ``UnknownTag`` beside ruamel's own errors."""
    yaml = YAML(typ="rt", pure=True)
    yaml.Constructor = _Constructor
    return yaml
