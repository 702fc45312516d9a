"""Checks that only specs 1 and 2.x need, apart from the others: stages, which know 3.x alone, do not load them."""

from __future__ import annotations

from ignition.config.checks import Check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.checks import Constraint, Problem


class MultipleOf(Check):
    """A number of sectors that must be aligned."""

    def __init__(self, rule: str, what: str, divisor: int) -> None:
        super().__init__(rule)
        self.what, self.divisor = what, divisor

    def problem(self, value: int, version: str) -> Problem | None:
        if not value % self.divisor:
            return None
        following = (value // self.divisor + 1) * self.divisor
        return f"{self.what} is not a multiple of {self.divisor} sectors", f"the next one is {following}", self.rules[0]

    def constraint(self, version: str) -> Constraint:
        return {"multipleOf": self.divisor}

    def says(self, version: str) -> str:
        return f"multiple of {self.divisor}"


class Deprecated(Check):
    """A member that later versions replace: a warning with an id, silent without one."""

    warns = True

    def __init__(self, *rules: str, since: str, message: str, fix: str) -> None:
        super().__init__(*rules, since=since)
        self.message, self.fix = message, fix

    def problem(self, value: object, version: str) -> Problem | None:
        return (self.message, self.fix, self.rules[0]) if self.rules else None

    def constraint(self, version: str) -> Constraint:
        return {"deprecated": True}

    def says(self, version: str) -> str:
        return f"deprecated: {self.fix}"
