"""Present mounts and swap areas. Source: proc(5), /proc/self/mountinfo and /proc/swaps. Nothing is mounted here."""

from __future__ import annotations

import os

MOUNTINFO = "/proc/self/mountinfo"
SWAPS = "/proc/swaps"


class Mount:
    """One line of mountinfo. `device`: (major, minor), for btrfs not that of a block device; `source`: as given to mount(2).

    `inside`: the directory of the file system that is mounted.
    """

    __slots__ = ("device", "format", "inside", "read_only", "source", "target")

    def __init__(
        self, device: tuple[int, int], target: str, source: str, format: str, *, read_only: bool, inside: str = "/"
    ) -> None:
        self.device, self.target, self.source, self.format, self.read_only = device, target, source, format, read_only
        self.inside = inside

    def __repr__(self) -> str:
        return f"Mount({self.source} on {self.target})"


def parse(text: str) -> list[Mount]:
    """The mounts of a mountinfo file, in its order: a later one covers an earlier one at the same target."""
    found = []
    # Only blanks, newlines and backslashes are escaped: a path may have other characters that Python treats as line ends or
    # blanks.
    for line in text.split("\n"):
        before, _, after = line.partition(" - ")
        fields, tail = before.split(" "), after.split(" ")
        if len(fields) < 6 or len(tail) < 2:
            continue
        # A mount is read-only by its own options or by those of its file system.
        major, _, minor = fields[2].partition(":")
        read_only = "ro" in fields[5].split(",") or "ro" in (tail[2] if len(tail) > 2 else "").split(",")
        device = (int(major), int(minor))
        target, inside = _plain(fields[4]), _plain(fields[3])
        found.append(Mount(device, target, _plain(tail[1]), tail[0], read_only=read_only, inside=inside))
    return found


def _plain(text: str) -> str:
    """Decode octal escapes: the kernel writes blanks, newlines and backslashes as a backslash and three digits per byte."""
    if "\\" not in text:
        return text
    import re  # for paths with blanks alone

    raw = re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), os.fsencode(text))
    return os.fsdecode(raw)


def current() -> list[Mount]:
    """The present mounts in the mount namespace of this process."""
    with open(MOUNTINFO, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        return parse(file.read())


def inside(root: str) -> frozenset[str]:
    """The mount points at and below the root at that path, as the root sees them; its own is "/"."""
    base = os.path.realpath(root or "/").rstrip("/")
    targets = (one.target for one in current())
    return frozenset(target[len(base) :] or "/" for target in targets if target == base or target.startswith(f"{base}/"))


def swaps(path: str = SWAPS) -> list[str]:
    """Devices and files in use as swap."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            found = [line.replace("\t", " ").partition(" ")[0] for line in file.read().split("\n")[1:]]
            return [_plain(name) for name in found if name]
    except FileNotFoundError:
        return []  # a kernel without swap
