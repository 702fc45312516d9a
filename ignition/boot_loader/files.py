"""The files of the boot loaders on mounted partitions: which there are, what they shall be, and writing them.

All new texts are made before the first is written: a wish that one file cannot fulfil changes none.
"""

from __future__ import annotations

import os

from ignition.boot_loader import bls, grub
from ignition.boot_loader.replace import replace
from ignition.errors import Failure, at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ignition.boot_loader.kernel_arguments import Wanted

GRUB_CONFIG, GRUB_KARGS = "grub/grub.cfg", "coreos/kargs.cfg"
ENTRIES = "loader/entries"
LARGEST = 1 << 20  # bytes; such files have some hundred


class Edit:
    """One file with its present text ("" if there is none yet) and the wanted one; `name` is for people: /coreos/kargs.cfg."""

    def __init__(self, path: str, name: str, before: str, after: str) -> None:
        self.path, self.name, self.before, self.after = path, name, before, after

    def needed(self) -> bool:
        """Whether the file is not yet as it shall be."""
        return self.before != self.after

    def write(self) -> None:
        """Replace the file. Raises Failure."""
        try:
            replace(self.path, self.after.encode(errors="surrogateescape"))
        except OSError as error:
            fix = "is its file system full, damaged or read-only?"
            raise Failure(f"cannot be written: {error.strerror}", where=self.name, fix=fix) from error


def plan(directories: Iterable[str], wanted: Wanted) -> list[Edit]:
    """All files of boot loaders below these mount points, each with what it shall be. Raises Failure."""
    return [edit for directory in directories for edit in (*_grub(directory, wanted), *_entries(directory, wanted))]


def _grub(directory: str, wanted: Wanted) -> Iterator[Edit]:
    config = _read(directory, GRUB_CONFIG)
    if GRUB_KARGS not in config:
        return  # not a GRUB whose arguments are where we look for them
    before = _read(directory, GRUB_KARGS)
    with at(f"/{GRUB_KARGS}"):
        present = before or grub.initial(config)
        after = grub.edited(present, wanted)
    yield Edit(os.path.join(directory, GRUB_KARGS), f"/{GRUB_KARGS}", before, before if after == present else after)


def _entries(directory: str, wanted: Wanted) -> Iterator[Edit]:
    folder = os.path.join(directory, ENTRIES)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    for name in names:
        # With its counters (name+3-0.conf): they are the boot loader's, and stay.
        if name.lower().endswith(bls.SUFFIX) and os.path.isfile(os.path.join(folder, name)):
            inside = f"{ENTRIES}/{name}"
            before = _read(directory, inside)
            with at(f"/{inside}"):
                after = bls.edited(before, wanted)
            yield Edit(os.path.join(directory, inside), f"/{inside}", before, after)


def _read(directory: str, inside: str) -> str:
    """The text of a file; "" if there is none. Raises Failure for what is no such file at all."""
    try:
        with open(os.path.join(directory, inside), "rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise Failure(f"cannot be read: {error.strerror}", where=f"/{inside}", fix="check the file system") from error
    if len(content) > LARGEST:
        raise Failure(f"has more than {LARGEST} bytes", where=f"/{inside}", fix="is it a file of the boot loader at all?")
    return content.decode(errors="surrogateescape")
