"""`ignition from-cloud-config [FILE|-]`: a cloud-config of cloud-init → Butane, and a list of the rest on standard error.

Exit statuses: 0 all of it is translated, 1 it cannot be read or is not a cloud-config, 2 usage, 3 translated except for the
listed leftovers. No message shows a value of the document: it may hold passwords.
"""

from __future__ import annotations

import re
import sys

from ignition.cli.flags import FILES, GO_ANYWHERE, Flag, UsageError
from ignition.cli.program import IGNITION, Program
from ignition.errors import Failure
from ignition.host.printable import message, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.cli.program import Values
    from ignition.config.report import Entry

WHOLE, FAILED, USAGE, LEFTOVERS = 0, 1, 2, 3
STDIN = "-"
_MIB = {"": 1 << 20, "M": 1, "MIB": 1, "G": 1 << 10, "GIB": 1 << 10, "T": 1 << 20, "TIB": 1 << 20}


def _disk_size(text: str) -> tuple[str, int]:
    device, _, size = text.rpartition("=")
    found = re.fullmatch(r"([0-9]+)([MGT](?:iB)?)", size, re.IGNORECASE)
    if not device.startswith("/dev/") or not found:
        raise ValueError(f"{text!r} is not DEVICE=SIZE, such as /dev/sdb=100GiB")
    return device, int(found[1]) * _MIB[found[2].upper()]


FLAGS = (
    Flag("default-user", "", "name of the image's default user, which cloud-configs refer to as “default”", value="NAME"),
    Flag(
        "disk-size",
        (),
        "size of a disk in MiB, GiB or TiB, for partitions whose sizes are percentages; may be repeated",
        value="DEVICE=SIZE",
        parse=_disk_size,
    ),
    Flag("packages", False, "install packages at the first boot, by a unit that runs apt-get"),
)
PROGRAM = Program(
    "ignition from-cloud-config",
    "translate a cloud-config of cloud-init into Butane",
    FLAGS,
    manual="ignition-from-cloud-config(1)",
    usage=("[FILE|-] [options]",),
    dialect=GO_ANYWHERE,
    operands=FILES,
    original=IGNITION,
    statuses={
        WHOLE: "the whole document is translated",
        FAILED: "the document cannot be read, or is not a cloud-config",
        USAGE: "invalid usage",
        LEFTOVERS: "the document is translated, except for the listed leftovers",
    },
)


@PROGRAM
def main(values: Values, words: list[str]) -> int:
    """Translate one document."""
    from ignition.from_cloud_config import translate
    from ignition.from_cloud_config.work import Options

    if len(words) > 1:
        raise UsageError("more than one document")
    name = words[0] if words else STDIN
    options = Options(values["default-user"], packages=values["packages"], disk_sizes=dict(values["disk-size"]))
    shown = "standard input" if name == STDIN else name
    done = translate(_read(name), name=shown, options=options)
    for entry in done.report.entries:
        print(_line(shown, entry), file=sys.stderr)
    if done.text is None:
        raise Failure("the document is not translated")
    sys.stdout.write(done.text)
    return WHOLE if done.is_whole else LEFTOVERS


def _read(name: str) -> bytes:
    try:
        if name == STDIN:
            return sys.stdin.buffer.read()
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        raise Failure(f"{name}: {error.strerror}") from None


def _line(name: str, entry: Entry) -> str:
    place = [printable(name), *(str(one) for one in (entry.line, entry.column) if entry.line is not None)]
    path = f"{printable(entry.path.removeprefix('$.'))}: " if entry.path not in ("", "$") else ""
    fix = f" (fix: {entry.fix})" if entry.fix else ""
    return message(f"{':'.join(place)}: {entry.level}: {path}{entry.message}{fix}")


if __name__ == "__main__":
    sys.exit(main())
