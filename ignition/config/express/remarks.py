"""What expressing a config in spec 3.x has to say: what is lost, and what was assumed."""

from ignition.config import origins
from ignition.config.report import ERROR, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Path


class Remark:
    """One of them. `path` is the internal model's, `origin` (if the value is marked) where the text says it."""

    __slots__ = ("fix", "level", "message", "origin", "path")

    def __init__(self, level: str, path: "Path", origin: origins.Origin | None, message: str, fix: str) -> None:
        self.level, self.path, self.origin, self.message, self.fix = level, path, origin, message, fix


class Remarks:
    """Gathers them."""

    def __init__(self) -> None:
        self.entries: list[Remark] = []

    def unsaid(self, path: "Path", value: object, message: str, fix: str) -> None:
        """Something that 3.x cannot say; the result lacks it. `value` is what says it in 2.x."""
        self.entries.append(Remark(ERROR, path, origins.of(value), message, fix))

    def assumed(self, path: "Path", value: object, message: str, fix: str) -> None:
        """Something that the result says in a way that is right only if an assumption is."""
        self.entries.append(Remark(WARNING, path, origins.of(value), message, fix))
