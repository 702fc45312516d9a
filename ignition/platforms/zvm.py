"""z/VM: a file in the virtual card reader. Source: docs/reference/platforms.md §3.5; vmur(8) and chccwdev(8) of s390-tools."""

from __future__ import annotations

import os

from ignition.errors import CommandFailed
from ignition.host import paths
from ignition.host.command import run
from ignition.host.reading import lines
from ignition.metadata.config_source import ConfigSource
from ignition.platforms import Platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.fetch.engine import Fetcher

READER = "000c"
TYPE = "ign"  # file type
_ID, _NAME, _TYPE = 1, 9, 10  # fields of a line of `vmur li`, counted from 0


def fetch(_: Fetcher) -> bytes:
    """The first file of type `ign` in the reader; `b""` if there is none. Raises CommandFailed."""
    import tempfile

    run(["modprobe", "vmur"], why="load the driver of z/VM's unit record devices")
    try:
        run(["chccwdev", "-e", READER], why="set the reader online")
    except CommandFailed:
        run(["cio_ignore", "-r", READER], why="stop the kernel from ignoring the reader")
        run(["chccwdev", "-e", READER], why="set the reader online")
    run(["udevadm", "settle"], why="wait for the reader's device")
    found = find(run(["vmur", "li"], why="list the files in the reader"))
    if found is None:
        return b""
    spool, name = found
    with tempfile.TemporaryDirectory(dir=paths.RUN) as directory:
        file = os.path.join(directory, name)
        run(["vmur", "re", "-f", spool, file], why=f"read {name}")
        with open(file, "rb") as opened:
            return opened.read().strip(b"\0")


def find(listing: str) -> tuple[str, str] | None:
    """(spool id, NAME.TYPE) of the first config in the output of `vmur li`, whose first line is a heading."""
    for line in lines(listing)[1:]:
        fields = line.split()
        if len(fields) <= _ID:
            break
        if len(fields) > _TYPE and fields[_TYPE] == TYPE:
            return fields[_ID], f"{fields[_NAME]}.{fields[_TYPE]}"
    return None


PLATFORM = Platform(
    "z/VM",
    closing="reading it removes it: `vmur receive` only keeps a file with `--hold`",
    config=ConfigSource(f"a file of type {TYPE} in the reader", fetch, needs_network=False),
)
