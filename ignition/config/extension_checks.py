"""Checks on one member of our extensions (model/extensions.py). Rules: E1 and following."""

from ignition.config.checks import Check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.checks import Constraint, Problem

# sfdisk's names for the bits that all types of partitions share (UEFI 2.10, table 5.8); 48 to 63 are each type's own.
BIT_NAMES = {"RequiredPartition": 0, "NoBlockIOProtocol": 1, "LegacyBIOSBootable": 2}
_OF_THE_TYPE = "GUID:"
_BITS = (0, 1, 2, *range(48, 64))
_BIT_FIX = f"one of {', '.join(BIT_NAMES)}, or the bit's number as a string, with or without GUID: before it"


def attribute_bit(name: str) -> int | None:
    """The number of a GPT attribute bit: `LegacyBIOSBootable`, `GUID:59` or `59`; None for what is none."""
    if name in BIT_NAMES:
        return BIT_NAMES[name]
    digits = name.removeprefix(_OF_THE_TYPE)
    lowest = 48 if digits != name else 0
    if not (digits.isascii() and digits.isdigit()) or str(int(digits[:4])) != digits:
        return None
    return int(digits) if int(digits) in _BITS and int(digits) >= lowest else None


class AttributeBit(Check):
    """A GPT attribute bit by sfdisk's name for it, or by number. 3 to 47 are reserved: they must be 0."""

    def problem(self, value: str, version: str) -> "Problem | None":
        return None if attribute_bit(value) is not None else ("no GPT attribute bit", _BIT_FIX, self.rules[0])

    def constraint(self, version: str) -> "Constraint":
        return {"pattern": f"^(?:{'|'.join(BIT_NAMES)}|[0-2]|(?:{_OF_THE_TYPE})?(?:4[89]|5[0-9]|6[0-3]))$"}

    def says(self, version: str) -> str:
        return f"{', '.join(BIT_NAMES)}, 0 to 2, 48 to 63 or GUID:48 to GUID:63"


class Between(Check):
    """A number within limits, both included."""

    def __init__(self, rule: str, what: str, least: int, most: int, *, demands: bool = False) -> None:
        super().__init__(rule)
        self.what, self.least, self.most, self.demands = what, least, most, demands

    def problem(self, value: int | None, version: str) -> "Problem | None":
        fix = f"give a number from {self.least} to {self.most}"
        if value is None:
            return f"{self.what} is not given", fix, self.rules[0]
        is_right = self.least <= value <= self.most
        return None if is_right else (f"{self.what} is not between {self.least} and {self.most}", fix, self.rules[0])

    def constraint(self, version: str) -> "Constraint":
        return {"minimum": self.least, "maximum": self.most}

    def says(self, version: str) -> str:
        return f"{self.least} to {self.most}"
