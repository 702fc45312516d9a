"""Checks of specs 1 and 2.x only, in a file of their own: stages after the fetch read 3.x alone and do not load them."""

from __future__ import annotations

from ignition.config.checks import Check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.checks import Constraint, Problem


class MultipleOf(Check):
    """An aligned number of sectors."""

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
    """A member that later versions replace: a warning if it has a rule id, else only marked in schemas and tables."""

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
