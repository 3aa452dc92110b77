"""The random stand-in, without an engine."""

from __future__ import annotations

import base64
import string

import bcrypt
import pytest

from local.plugins.random import MAKERS, OPTIONAL, SPECIAL


def test_passwords_have_the_asked_for_length_and_characters() -> None:
    _, plain = MAKERS["RandomPassword"]({"length": 40, "special": False})
    assert len(plain["result"]) == 40
    assert set(plain["result"]) <= set(string.ascii_letters + string.digits)
    _, all_of_them = MAKERS["RandomPassword"](
        {"length": 30, "minUpper": 5, "minLower": 5, "minNumeric": 5, "minSpecial": 5}
    )
    for characters in (string.ascii_uppercase, string.ascii_lowercase, string.digits, SPECIAL):
        assert sum(character in characters for character in all_of_them["result"]) >= 5


def test_a_password_is_never_its_own_identity() -> None:
    identity, outputs = MAKERS["RandomPassword"]({"length": 20})
    assert identity == outputs["id"] == "none"
    assert MAKERS["RandomBytes"]({"length": 20})[0] == "none"


def test_the_hash_is_of_the_password() -> None:
    _, outputs = MAKERS["RandomPassword"]({"length": 20})
    assert bcrypt.checkpw(outputs["result"].encode(), outputs["bcryptHash"].encode())


def test_bytes_are_the_same_in_both_forms() -> None:
    _, outputs = MAKERS["RandomBytes"]({"length": 32})
    assert base64.b64decode(outputs["base64"]) == bytes.fromhex(outputs["hex"])
    assert len(bytes.fromhex(outputs["hex"])) == 32


def test_two_values_differ() -> None:
    first, second = (MAKERS["RandomPassword"]({"length": 32})[1]["result"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("RandomId", {"byteLength": 4, "prefix": "x-"}),
        ("RandomPet", {"length": 3, "separator": "_"}),
        ("RandomInteger", {"min": 1, "max": 3}),
        ("RandomUuid", {}),
        ("RandomShuffle", {"inputs": ["a", "b", "c"], "resultCount": 2}),
        ("RandomString", {"length": 8, "upper": False}),
    ],
)
def test_the_others(kind: str, inputs: dict[str, object]) -> None:
    identity, outputs = MAKERS[kind](inputs)
    assert identity
    assert inputs.items() <= outputs.items()
    if kind == "RandomInteger":
        assert 1 <= outputs["result"] <= 3
    if kind == "RandomShuffle":
        assert len(outputs["results"]) == 2
    if kind == "RandomPet":
        assert outputs["id"].count("_") >= 2
    if kind == "RandomId":
        assert outputs["hex"].startswith("x-")


def test_every_type_has_its_optional_properties() -> None:
    assert OPTIONAL.keys() == MAKERS.keys()
