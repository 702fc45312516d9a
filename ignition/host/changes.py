"""Whether this process, or a program that it ran, may have changed a root since something was read from it.

In an initramfs nobody else changes the new root: who knows that can keep a reading until the count moves, instead of asking the
kernel each time. dentry.py and command.py count; contents and names matter here, owners and modes do not.
"""

from __future__ import annotations


class _Count:
    value = 0


def note() -> None:
    """Count a change, or a program that may have made some."""
    _Count.value += 1


def count() -> int:
    """Equal to an earlier one if nothing was changed since."""
    return _Count.value
