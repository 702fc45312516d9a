"""The exceptions of the agent. A subclass exists only where a caller branches on it; messages are never compared.

`at` adds the place in the config on the way up, `refusing` marks failures that every boot would repeat. `unforeseen` and `trace`
word the errors that no code expected, without the values they carry; `missing_module` names the package of a missing library.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from traceback import FrameSummary
    from typing import Any

# Library → its package on PyPI and in Debian, where these are not called `library` and `python3-library`.
_PACKAGES = {
    "dissect": ("dissect", ""),  # not in Debian
    "jinja2": ("Jinja2", "python3-jinja2"),
    "parted": ("pyparted", "python3-parted"),
    "systemd": ("systemd-python", "python3-systemd"),
    "urllib3": ("requests", "python3-requests"),
    "yaml": ("PyYAML", "python3-yaml"),
}


class Failure(Exception):
    """Provisioning cannot go on: what happened, where in the config or on the machine, and what the operator can do.

    No field ever holds a secret or a whole config: all three are written to the journal and shown on the console.

    `lasting`: the config is at fault, and the same config fails on every boot, however often it is retried (see `refusing`).
    Every other failure may be temporary: a server that is down, a device that appears late, a page that is not published yet.
    """

    lasting = False

    def __init__(self, what: str, *, where: str = "", fix: str = "", lasting: bool = False) -> None:
        super().__init__(what)
        self.what, self.where, self.fix = what, where, fix
        if lasting:  # False leaves it to the class: every InvalidConfig is lasting
            self.lasting = True

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} (fix: {self.fix})" if self.fix else text


class NeedsNetwork(Failure):
    """The work is possible, but only with a network: the offline stage hands over to the online one."""


class Unmet(Failure):
    """A part of the config that this machine cannot have, and does not need for a login: a warning, which is recorded."""


class StaysSealed(Failure):
    """A sealed value that only the machine itself opens, met by a command that people run."""


class NotFound(Failure):
    """The resource does not exist; some platforms treat that as "no config"."""


class NotHere(Exception):
    """The machine lacks one of several places that metadata may be in: a drive with a label, a DHCP lease. Not yet a failure."""


class CommandFailed(Failure):
    """A program ended with an unexpected status. `status` is negative for a signal, None if the program never ran."""

    def __init__(self, what: str, *, status: int | None, stderr: str = "", fix: str = "") -> None:
        super().__init__(what, fix=fix)
        self.status, self.stderr = status, stderr


class RootInMemory(Failure):
    """A failure while the contents of ROOT are in memory only: powering the machine off would lose them."""


class InvalidConfig(Failure):
    """A config that breaks the rules of its spec. `report` has an entry for every error, `digest` identifies the text.

    `found`: (name of the text, entry, text) of each error, for the failure screen, which masks secrets of the text
    (cli/excerpt.py); nothing else shows the text.
    """

    lasting = True

    def __init__(self, what: str, *, report: object, where: str = "", fix: str = "", digest: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.report, self.digest = report, digest
        self.found: tuple[tuple[str, Any, bytes], ...] = ()


def unforeseen(error: BaseException, program: str) -> Failure:
    """An unexpected error, as the last line of defence of a program shows it to people: one line, without a traceback.

    An error of the operating system is reported as such, and so is a library that is not installed. Of any other only type and
    place are shown: the text may be a secret ("invalid literal for int(): …").
    """
    if isinstance(error, MemoryError):
        return Failure("out of memory", fix="add memory to the machine")
    if isinstance(error, ModuleNotFoundError) and is_foreign(error):
        return missing_module(error)
    # The errors of requests and ssl are OSErrors without a number: their text may contain a URL.
    if isinstance(error, OSError) and error.errno is not None and error.strerror:
        place = error.filename if isinstance(error.filename, (str, bytes)) else b""
        raw = place if isinstance(place, bytes) else place.encode("utf-8", "surrogateescape")
        return Failure(error.strerror, where=raw.decode("utf-8", "backslashreplace"))
    frames = _frames(error)
    where = f" ({frames[-1].filename.rpartition('/')[2]}, line {frames[-1].lineno})" if frames else ""
    fix = f"this is a bug in {program}, please report it"
    return Failure(f"{type(error).__name__}{where}", where=f"{program} itself", fix=fix)


def is_foreign(error: ImportError) -> bool:
    """Whether the module that could not be imported is neither ours nor of the standard library."""
    import sys

    top = (error.name or "").partition(".")[0]
    return top not in ("", "ignition", "coreos_metadata") and top not in sys.stdlib_module_names


def missing_module(error: ImportError) -> Failure:
    """What to install. Libraries are imported where they are needed, so nobody who does without one misses it."""
    library, _, part = (error.name or "").partition(".")
    package, debian = _PACKAGES.get(library, (library, f"python3-{library}"))
    if library == "dissect" and part:  # a namespace: each of its parts is a package
        package = f"{library}.{part.partition('.')[0]}"
    fix = f"pip install {package}" + (f", or apt install {debian}" if debian else "")
    return Failure(f"the Python library {error.name} is missing", fix=fix)


def trace(error: BaseException) -> str:
    """The traceback of an unexpected error, for the log: without values and without the text, since either could be a secret."""
    import traceback

    return "".join([*traceback.format_list(_frames(error)), type(error).__name__])


def _frames(error: BaseException) -> list[FrameSummary]:
    import traceback  # 8 ms

    return list(traceback.extract_tb(error.__traceback__))


@contextmanager
def at(place: str) -> Iterator[None]:
    """Prefix `place` to the place of any Failure raised inside: nested uses build `$.storage.files.3` step by step."""
    try:
        yield
    except Failure as failure:
        failure.where = f"{place}.{failure.where}" if failure.where else place
        raise


@contextmanager
def refusing() -> Iterator[None]:
    """Around planning, also as a decorator: a config that the rules refuse now, they refuse again in the next boot."""
    try:
        yield
    except Failure as failure:
        failure.lasting = True
        raise
