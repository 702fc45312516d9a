"""The state of a translation: the variant, the local files, and the findings."""

from __future__ import annotations

import os

from ignition.config import origins
from ignition.config.report import ERROR, WARNING, Finding, Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.record import Record
    from ignition.transpile.butane.variants import Variant


# The files directory, the only place of local files that a document may include. Source: docs/reference/config-transpiler.md §B5.

NO_DIRECTORY = "local file paths are relative to a files directory that must be specified with -d/--files-dir"
ESCAPES = "local file path traverses outside the files directory"


class Unreadable(Exception):
    """A local file cannot be included."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


class LocalFiles:
    """`directory`: None if local files are not available."""

    def __init__(self, directory: str | None) -> None:
        self._directory = directory

    @property
    def are_available(self) -> bool:
        """Whether there is a files directory."""
        return bool(self._directory)

    def path(self, name: str) -> str:
        """The path of a name, checked lexically: symbolic links may lead anywhere. Raises Unreadable."""
        if not self._directory:
            raise Unreadable(NO_DIRECTORY, "use -d DIRECTORY; on the machine itself: write the contents inline, or set a source")
        if "\0" in name:
            raise Unreadable("the name of a local file contains a NUL character", "remove it")
        base = os.path.abspath(self._directory)
        path = os.path.normpath(f"{base}/{name}")
        if path != base and not path.startswith(base.rstrip("/") + "/"):
            raise Unreadable(ESCAPES, "move the file below that directory")
        return path

    def read(self, name: str) -> bytes:
        """Raises Unreadable."""
        return contents(self.path(name))


def contents(path: str) -> bytes:
    """Raises Unreadable, with Go's message."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise unreadable("open", path, error) from None


def unreadable(what: str, path: str, error: OSError) -> Unreadable:
    """The exception for a failed system call."""
    reason = error.strerror or str(error)
    return Unreadable(f"{what} {path}: {reason[:1].lower()}{reason[1:]}", "correct the path, or the files directory")


_THIS = origins.Source("", b"")  # there is only one document


class Work:
    """One translation of one document."""

    def __init__(self, variant: Variant, files: LocalFiles, found: list[Finding]) -> None:
        self.variant, self.files, self.found = variant, files, found

    @property
    def failed(self) -> bool:
        """Whether an error was found."""
        return any(one.level == ERROR for one in self.found)

    def error(self, path: Path, message: str, fix: str = "") -> None:
        """Report an error at a path of the document."""
        self.found.append(Finding(ERROR, path, message, fix))

    def warning(self, path: Path, message: str, fix: str = "") -> None:
        """Report a warning at a path of the document."""
        self.found.append(Finding(WARNING, path, message, fix))

    def read(self, name: str, path: Path) -> bytes | None:
        """A local file; None, with an error at that path, if it cannot be read."""
        try:
            return self.files.read(name)
        except Unreadable as error:
            self.error(path, str(error), error.fix)
            return None


def mark(value: str | int | bool, path: Path) -> Any:
    """The value with its origin, a path in the YAML, which it keeps when configs are merged."""
    return origins.marked(value, origins.Origin(_THIS, 0, 0, path))


def marked(members: dict[str, Any], path: Path) -> dict[str, Any]:
    """The values with a common origin. Records and their lists are marked already."""
    return {name: mark(value, path) if isinstance(value, str | int) else value for name, value in members.items()}


def made(cls: type[Record], place: Path, /, **members: Any) -> Any:
    """A record that is generated from one place in the document."""
    return cls.of(marked({name: value for name, value in members.items() if value is not None}, place))
