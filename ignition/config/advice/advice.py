"""One piece of advice."""

from ignition.config.report import WARNING, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from ignition.config.advice.subject import Subject


class Advice:
    """A warning about a member of the model; it is told in the words of the text (see placing.Row)."""

    __slots__ = ("at", "fix", "inside", "level", "message", "path", "rule")

    def __init__(self, rule: str, path: Path, message: str, fix: str = "", inside: tuple[int, int] | None = None) -> None:
        self.level, self.rule, self.path, self.message, self.fix, self.inside = WARNING, rule, path, message, fix, inside
        self.at = "value"

    def placed(self, subject: "Subject") -> "Self":
        """With the path in the text."""
        self.path = subject.in_text(self.path)
        return self
