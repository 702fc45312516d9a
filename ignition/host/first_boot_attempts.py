"""The records of failed attempts of a first boot: `failed-attempt.0` to `failed-attempt.4`, beside the first-boot flag.

A shell script writes them (dracut/35coreos-ignition/esp), and copies them to /run/ignition at the next boot, where stages and the
real root read them. Without a flag (PXE, `coreos.first_boot=1`) there are none.
"""

from __future__ import annotations

from contextlib import suppress

from ignition.errors import Failure
from ignition.host import paths
from ignition.host.printable import message, printable
from ignition.host.reading import read_text
from ignition.host.root import Root

NAMES = tuple(f"failed-attempt.{slot}" for slot in range(5))
BESIDE_FLAG = tuple(f"/coreos/{name}" for name in NAMES)
OUTSIDE = "-"  # the stage of a failure outside the stages
_MOST_NUMBER = 1_000_000
_TIME = len("2026-11-30T03:12:07Z")


class FailedAttempt:
    """`number` counts from 1, `at` is in RFC 3339 and UTC, `stage` is "" outside of the stages, `screen` begins the screen."""

    def __init__(self, number: int, at: str, stage: str, screen: str) -> None:
        self.number, self.at, self.stage, self.screen = number, at, stage, screen

    @property
    def cause(self) -> str:
        """The reason in one line, as the script extracts it for its notice."""
        lines = [line.strip() for line in self.screen.split("\n")]
        named = (line.removeprefix("what:").strip() for line in lines if line.startswith("what:"))
        others = (line for line in lines if line and not line.startswith(("===", "The first boot failed")))
        return next(named, "") or next(others, "")

    def plain(self) -> dict[str, object]:
        """For JSON."""
        return {"attempt": self.number, "at": self.at, "stage": self.stage, "screen": self.screen}


def of_boot(run: str = paths.RUN) -> list[FailedAttempt]:
    """The earlier attempts, as copied to this directory at the start of this boot, the oldest first."""
    return read(Root(run), tuple(f"/{name}" for name in NAMES))


def read(top: Root, files: tuple[str, ...] = BESIDE_FLAG) -> list[FailedAttempt]:
    """The whole records among these files of a root or boot directory, the oldest first. Others are skipped."""
    found = []
    for name in files:
        with suppress(Failure):
            one = parse(read_text(top, name) or "")
            if one:
                found.append(one)
    return sorted(found, key=lambda one: one.number)


def parse(text: str) -> FailedAttempt | None:
    """One record; None if it was not written to its end. The file may be longer than the record."""
    header, _, rest = text.partition("\n")
    match header.split(" "):
        case ["attempt", number, at, stage, size] if _count(number) and len(at) == _TIME and size.isascii() and size.isdigit():
            screen = rest.encode("utf-8", "surrogateescape")[: int(size[:5])].decode("utf-8", "replace")
            return FailedAttempt(_count(number), printable(at), "" if stage == OUTSIDE else printable(stage), message(screen))
    return None


def _count(text: str) -> int:
    number = int(text[:9]) if text.isascii() and text.isdigit() else 0
    return number if number <= _MOST_NUMBER else 0
