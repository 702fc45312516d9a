"""The exceptions of the agent. A subclass exists only where a caller branches on it; nobody compares messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from traceback import FrameSummary


class Failure(Exception):
    """Provisioning cannot go on: what happened, where in the config or on the machine, and what the operator can do.

    No field ever holds a secret or a whole config: all three are journalled and shown on the console.

    `lasting`: the config is at fault, and the same one fails at every boot, however often it is tried (see `refusing`).
    Everything else may pass: a server that is down, a device that comes up late, a page that is not there yet.
    """

    lasting = False

    def __init__(self, what: str, *, where: str = "", fix: str = "", lasting: bool = False) -> None:
        super().__init__(what)
        self.what, self.where, self.fix = what, where, fix
        if lasting:
            self.lasting = True

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} (fix: {self.fix})" if self.fix else text


class NeedsNetwork(Failure):
    """The work is possible, but only with a network: the offline stage hands over to the online one."""


class Unmet(Failure):
    """What the config asks for and this machine cannot have, without which it is still one to log in to: a warning, recorded."""


class NotFound(Failure):
    """The server answered that the resource does not exist; some platforms read that as "no config"."""


class NotHere(Exception):
    """The machine lacks one of several places that metadata may be in: a drive with a label, a DHCP lease. Not yet a failure."""


class CommandFailed(Failure):
    """A program ended with a status that was not expected. `status` is negative for a signal, None if it never ran."""

    def __init__(self, what: str, *, status: int | None, stderr: str = "", fix: str = "") -> None:
        super().__init__(what, fix=fix)
        self.status, self.stderr = status, stderr


class RootInMemory(Failure):
    """A failure while ROOT's contents are in memory only: switching the machine off would lose them."""


class InvalidConfig(Failure):
    """A config that breaks the rules of its spec. `report` has a row for every error, `digest` says which text it is of."""

    lasting = True

    def __init__(self, what: str, *, report: object, where: str = "", fix: str = "", digest: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.report, self.digest = report, digest


def unforeseen(error: BaseException, program: str) -> Failure:
    """An error that nobody foresaw, as the last line of defence of a program shows it to people: one line, no trace.

    The machine's own reasons are no fault of the program. Of all others only type and place are shown: the text may be a secret
    ("invalid literal for int(): …").
    """
    if isinstance(error, MemoryError):
        return Failure("out of memory", fix="give the machine more memory")
    # Those of requests and ssl are OSErrors without a number: their text may hold a URL.
    if isinstance(error, OSError) and error.errno is not None and error.strerror:
        place = error.filename if isinstance(error.filename, (str, bytes)) else b""
        raw = place if isinstance(place, bytes) else place.encode("utf-8", "surrogateescape")
        return Failure(error.strerror, where=raw.decode("utf-8", "backslashreplace"))
    frames = _frames(error)
    where = f" ({frames[-1].filename.rpartition('/')[2]}, line {frames[-1].lineno})" if frames else ""
    fix = f"this is a fault of {program}, please report it"
    return Failure(f"{type(error).__name__}{where}", where=f"{program} itself", fix=fix)


def trace(error: BaseException) -> str:
    """Where such an error comes from, for the log. Frames without values, and no text: either could be a secret."""
    import traceback

    return "".join([*traceback.format_list(_frames(error)), type(error).__name__])


def _frames(error: BaseException) -> list[FrameSummary]:
    import traceback  # 8 ms

    return list(traceback.extract_tb(error.__traceback__))


@contextmanager
def at(place: str) -> Iterator[None]:
    """Prefix `place` to the place of any Failure raised inside: nested uses give `$.storage.files.3` step by step."""
    try:
        yield
    except Failure as failure:
        failure.where = f"{place}.{failure.where}" if failure.where else place
        raise


@contextmanager
def refusing() -> Iterator[None]:
    """Around planning, also as its decorator: what the rules refuse, they refuse again in the next boot with the same config."""
    try:
        yield
    except Failure as failure:
        failure.lasting = True
        raise
