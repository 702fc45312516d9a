"""Whether this process, or a program that it ran, may have changed a root since something was read from it.

In an initramfs nobody else changes the new root: who knows that can keep a reading until the count moves, instead of asking the
kernel each time. dentry.py and command.py count; contents and names matter here, owners and modes do not.
"""

from __future__ import annotations

from itertools import count as counting

_serial = counting(1)  # next() is atomic: threads never share a number


class _Last:
    change = 0  # of any kind
    other = 0  # one that may be about a file of any name
    files: dict[str, int] = {}  # by the name of a file or directory, without those above it


def note(name: str = "") -> None:
    """Count a new or replaced file, or a new directory, of that name; "": any other change, or a program that may make some."""
    _Last.change = next(_serial)
    if name:
        _Last.files[name] = _Last.change
    else:
        _Last.other = _Last.change


def count() -> int:
    """Equal to an earlier one if nothing was changed since."""
    return _Last.change


def of_ways() -> int:
    """Equal to an earlier one if no path can lead to another directory since: symlinks, removals, programs."""
    return _Last.other


def count_of(name: str) -> tuple[int, int]:
    """Equal to an earlier one if no file of that name was changed since, for files that no symlink of another name leads to."""
    return _Last.other, _Last.files.get(name, 0)
