"""Which instance classes AWS has: families, and the sizes that each is sold in, by what they are for.

From AWS' own lists, of those sizes that are twice the one before (so without 12xlarge and 24xlarge):
https://aws.amazon.com/ec2/instance-types/, https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.DBInstanceClass.Support.html,
https://docs.aws.amazon.com/documentdb/latest/developerguide/db-instance-classes.html,
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheNodes.SupportedTypes.html,
https://docs.aws.amazon.com/msk/latest/developerguide/broker-instance-sizes.html,
https://docs.aws.amazon.com/opensearch-service/latest/developerguide/supported-instance-types.html
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Literal

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

SIZES = ("micro", "small", "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge")
"""Sizes of instance classes; each is twice the size before it."""
Use = Literal["ec2", "aurora", "documentdb", "elasticache", "kafka", "opensearch"]
_FAMILIES: Mapping[Use, Mapping[str, tuple[str, str]]] = {
    "ec2": {
        "t3": ("micro", "2xlarge"),
        "t4g": ("micro", "2xlarge"),
        "m5": ("large", "16xlarge"),
        "m6i": ("large", "16xlarge"),
        "m6g": ("medium", "16xlarge"),
        "m7i": ("large", "16xlarge"),
        "m7g": ("medium", "16xlarge"),
        "c6i": ("large", "16xlarge"),
        "c7g": ("medium", "16xlarge"),
        "r6i": ("large", "16xlarge"),
        "r6g": ("medium", "16xlarge"),
        "r7g": ("medium", "16xlarge"),
    },
    "aurora": {
        "db.t3": ("medium", "large"),
        "db.t4g": ("medium", "large"),
        "db.r5": ("large", "16xlarge"),
        "db.r6g": ("large", "16xlarge"),
        "db.r6i": ("large", "16xlarge"),
        "db.r7g": ("large", "16xlarge"),
        "db.r7i": ("large", "16xlarge"),
    },
    "documentdb": {
        "db.t3": ("medium", "medium"),
        "db.t4g": ("medium", "medium"),
        "db.r5": ("large", "16xlarge"),
        "db.r6g": ("large", "16xlarge"),
    },
    "elasticache": {
        "cache.t3": ("micro", "medium"),
        "cache.t4g": ("micro", "medium"),
        "cache.m6g": ("large", "16xlarge"),
        "cache.m7g": ("large", "16xlarge"),
        "cache.r6g": ("large", "16xlarge"),
        "cache.r7g": ("large", "16xlarge"),
    },
    "kafka": {
        "kafka.t3": ("small", "small"),
        "kafka.m5": ("large", "16xlarge"),
        "kafka.m7g": ("large", "16xlarge"),
    },
    "opensearch": {
        "t3.search": ("small", "medium"),
        "m6g.search": ("large", "8xlarge"),
        "r6g.search": ("large", "8xlarge"),
        "r7g.search": ("medium", "16xlarge"),
    },
}


_INSTANCE = re.compile(
    r"(?P<prefix>(?:db|cache|kafka)\.)?(?P<family>[a-z]+\d+[a-z]*)\.(?P<size>\w+)(?P<suffix>\.search)?"
)


def bounds(name: str) -> tuple[str, str]:
    """Returns the smallest and largest size of a family; raises ``ValueError`` for an unknown family."""
    for families in _FAMILIES.values():
        if name in families:
            return families[name]
    raise ValueError(f"there is no family {name!r}")


class InstanceClass(str):
    """An AWS instance class such as ``db.r6g.2xlarge``; each size is twice the one before it."""

    __slots__ = ()

    @classmethod
    def parse(cls, written: object) -> InstanceClass:
        """Parses an instance class; raises ``ValueError`` when the form or the size is unknown."""
        match = _INSTANCE.fullmatch(str(written))
        if match is None or match["size"] not in SIZES:
            raise ValueError(f"write an instance class such as db.r6g.large (sizes: {', '.join(SIZES)})")
        return cls(written)

    @property
    def rank(self) -> int:
        """Returns the position of the size on the ladder, 0 = micro."""
        match = _INSTANCE.fullmatch(self)
        assert match is not None
        return SIZES.index(match["size"])

    @property
    def family(self) -> str:
        """Converts ``db.r6g.large`` to ``db.r6g``; ``r6g.large.search`` to ``r6g.search``."""
        return ".".join(part for part in self.split(".") if part not in SIZES)

    def step_down(self, ratio: Fraction) -> InstanceClass:
        """Returns the smallest class of the same family that is at least ``ratio`` of this one; never a larger one."""
        match = _INSTANCE.fullmatch(self)
        assert match is not None
        lowest = SIZES.index(bounds(self.family)[0])
        rank = self.rank
        while rank > lowest and Fraction(2) ** (rank - 1) >= ratio * Fraction(2) ** self.rank:
            rank -= 1
        return InstanceClass(f"{match['prefix'] or ''}{match['family']}.{SIZES[rank]}{match['suffix'] or ''}")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(str),
            json_schema_input_schema=core_schema.str_schema(
                pattern=f"^{re.sub(r'[?]P<[a-z]+>', '', _INSTANCE.pattern)}$"
            ),
        )


def check(instance: InstanceClass, use: Use) -> None:
    """Raises ``ValueError`` when AWS does not sell the class for this use."""
    families = _FAMILIES[use]
    name = instance.family
    if name not in families:
        close = difflib.get_close_matches(name, families, n=1, cutoff=0.5)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"{use} has no instance class {instance}{hint} Families: {', '.join(families)}")
    lowest, highest = families[name]
    if not SIZES.index(lowest) <= instance.rank <= SIZES.index(highest):
        raise ValueError(f"{use} has no instance class {instance}: {name} is sold from {lowest} to {highest}")
