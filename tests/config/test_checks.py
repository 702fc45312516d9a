"""What the checks tell JSON Schema is never stricter than the checks themselves."""

import random
from collections.abc import Iterator

import jsonschema
import pytest

from ignition.config.checks import Check
from ignition.config.record import Field, Record
from ignition.config.schema import VERSIONS, root

PIECES = [
    "/",
    ".",
    "..",
    "a",
    "é",
    "\n",
    "-",
    ":",
    ";",
    " ",
    "%",
    "@",
    "http",
    "https://",
    "data:",
    "s3:",
    "ARN:",
    "gzip",
    "ext4",
]
PIECES += [".conf", ".service", ".network", "sha512-", "a" * 128, "sha256-", "f" * 64, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"]
NUMBERS = [-4096, -1, 0, 1, 420, 2047, 2048, 4095, 4096, 2**40]


def fields(cls: type[Record]) -> Iterator[Field]:
    for field in cls.FIELDS.values():
        yield field
        if issubclass(field.element, Record):
            yield from fields(field.element)


def checks(version: str) -> dict[str, tuple[Check, list[str] | list[int]]]:
    """Those with a constraint, by what they say, each with values to try."""
    texts = ["".join(pieces) for pieces in random_pieces()]
    found: dict[str, tuple[Check, list[str] | list[int]]] = {}
    for field in fields(root(version)):
        for check in (*field.checks, *field.each):
            if field.element in (str, int) and check.holds_in(version) and not check.warns and check.constraint(version):
                found[f"{type(check).__name__} {check.constraint(version)}"] = check, NUMBERS if field.element is int else texts
    return found


def random_pieces() -> Iterator[list[str]]:
    chance = random.Random(20)
    for _ in range(300):
        yield chance.choices(PIECES, k=chance.randint(0, 4))


@pytest.mark.parametrize("version", VERSIONS)
def test_constraint_accepts_what_the_check_accepts(version: str) -> None:
    found = checks(version)
    assert len(found) > 5
    for name, (check, values) in found.items():
        validator = jsonschema.Draft7Validator(check.constraint(version))
        accepted = [value for value in values if check.problem(value, version) is None]
        assert [value for value in accepted if not validator.is_valid(value)] == [], name
