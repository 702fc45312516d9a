"""What a translation carries along: the variant, the local files, and what there is to say."""

from ignition.config import origins
from ignition.config.report import ERROR, WARNING, Path
from ignition.config.text.placing import Finding
from ignition.transpile.butane.local_files import LocalFiles, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.record import Record
    from ignition.transpile.butane.variants import Variant

_THIS = origins.Source("", b"")  # there is only one document


class Work:
    """One translation of one document."""

    def __init__(self, variant: "Variant", files: LocalFiles, found: list[Finding]) -> None:
        self.variant, self.files, self.found = variant, files, found

    @property
    def failed(self) -> bool:
        """Whether an error was found."""
        return any(one.level == ERROR for one in self.found)

    def error(self, path: Path, message: str, fix: str = "") -> None:
        """Note what makes the document useless."""
        self.found.append(Finding(ERROR, path, message, fix))

    def warning(self, path: Path, message: str, fix: str = "") -> None:
        """Note what is probably not meant."""
        self.found.append(Finding(WARNING, path, message, fix))

    def read(self, name: str, path: Path) -> bytes | None:
        """A local file; None, with an error at that path, if there is none."""
        try:
            return self.files.read(name)
        except Unreadable as error:
            self.error(path, str(error), error.fix)
            return None


def mark(value: "str | int | bool", path: Path) -> "Any":
    """The value, which remembers the path in the YAML that it comes from, also when configs are merged."""
    return origins.marked(value, origins.Origin(_THIS, 0, 0, path))


def marked(members: "dict[str, Any]", path: Path) -> "dict[str, Any]":
    """All of these come from one place. Records and their lists are marked already."""
    return {name: mark(value, path) if isinstance(value, str | int) else value for name, value in members.items()}


def made(cls: "type[Record]", place: Path, /, **members: "Any") -> "Any":
    """A record that one place of the document stands for."""
    return cls.of(marked({name: value for name, value in members.items() if value is not None}, place))
