"""The files directory, the one place that a document may take contents from. Source: docs/reference/config-transpiler.md §B5."""

import os

NO_DIRECTORY = "local file paths are relative to a files directory that must be specified with -d/--files-dir"
ESCAPES = "local file path traverses outside the files directory"


class Unreadable(Exception):
    """A local file cannot be taken; `fix` says what helps."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


class LocalFiles:
    """`directory`: None if the document must do without."""

    def __init__(self, directory: str | None) -> None:
        self._directory = directory

    @property
    def are_there(self) -> bool:
        """Whether there is a files directory at all."""
        return bool(self._directory)

    def path(self, name: str) -> str:
        """Where that name leads, lexically: symbolic links may lead anywhere. Raises Unreadable."""
        if not self._directory:
            raise Unreadable(NO_DIRECTORY, "give -d DIRECTORY; on a machine itself: write the contents inline, or give a source")
        if "\0" in name:
            raise Unreadable("the name of a local file has a NUL character in it", "take it out")
        base = os.path.abspath(self._directory)
        path = os.path.normpath(f"{base}/{name}")
        if path != base and not path.startswith(base.rstrip("/") + "/"):
            raise Unreadable(ESCAPES, "put the file below that directory")
        return path

    def read(self, name: str) -> bytes:
        """Raises Unreadable."""
        return contents(self.path(name))


def contents(path: str) -> bytes:
    """Raises Unreadable, worded as Go does."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise unreadable("open", path, error) from None


def unreadable(what: str, path: str, error: OSError) -> Unreadable:
    """The exception for a failed system call."""
    reason = error.strerror or str(error)
    return Unreadable(f"{what} {path}: {reason[:1].lower()}{reason[1:]}", "correct the path, or the files directory")
