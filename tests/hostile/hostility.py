"""Kinds of hostile nodes. Each function creates one at `place`, which is free by then; links lead to `twin`."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable

Plant = Callable[[str, str], None]

UP = "../" * 40
GIB = 1 << 30
LEVELS = 1500  # more than Python's recursion limit, and than any path can name
ODD_NAMES = (b"\xff\xfe\n.conf", b"a\nb", b"-rf", b" ", b"\x1b[2J", b"x" * 255, "\u2028.conf".encode())
NULL, ZERO, BLOCK = os.makedev(1, 3), os.makedev(1, 5), os.makedev(7, 0)


def _absolute(place: str, twin: str) -> None:
    os.symlink(twin, place)


def _relative(place: str, twin: str) -> None:
    os.symlink(UP + twin.lstrip("/"), place)


def _chain(place: str, twin: str) -> None:
    os.symlink(f"{os.path.basename(place)}.hop", place)
    os.symlink(f"./././{os.path.basename(place)}.hop2", f"{place}.hop")
    os.symlink(UP + twin.lstrip("/"), f"{place}.hop2")


def _magic(place: str, twin: str) -> None:
    os.symlink(f"/proc/self/root{twin}", place)


def _magic_of_init(place: str, twin: str) -> None:
    os.symlink(f"{UP}proc/1/root{twin}", place)


def _descriptor(place: str, _: str) -> None:
    os.symlink(f"{UP}dev/fd/0", place)


def _link_to_zero(place: str, _: str) -> None:
    os.symlink(f"{UP}dev/zero", place)


def _loop(place: str, _: str) -> None:
    os.symlink(f"{os.path.basename(place)}.loop", place)
    os.symlink(os.path.basename(place), f"{place}.loop")


def _dangling(place: str, twin: str) -> None:
    os.symlink(f"{UP}{os.path.dirname(twin).lstrip('/')}/.created-by-a-dangling-link", place)


def _fifo(place: str, _: str) -> None:
    os.mkfifo(place, 0o666)


def _socket(place: str, _: str) -> None:
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(os.path.dirname(place))  # sun_path holds 108 bytes
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(os.path.basename(place))
    finally:
        os.fchdir(here)
        os.close(here)


def _device(kind: int, number: int) -> Plant:
    def put(place: str, _: str) -> None:
        os.mknod(place, kind | 0o666, number)

    return put


def _directory(place: str, _: str) -> None:
    os.mkdir(place)
    with open(f"{place}/file", "w", encoding="ascii") as file:
        file.write("in the way\n")


def _file(place: str, _: str) -> None:
    with open(place, "w", encoding="ascii") as file:
        file.write("a file, not a directory\n")


def _hole(place: str, _: str) -> None:
    with open(place, "wb") as file:
        file.truncate(64 * GIB)


def _binary(place: str, _: str) -> None:
    with open(place, "wb") as file:
        file.write(bytes(range(256)) * 64 + b":" * 4096 + b"\n" * 64 + b"{[" * 4096)


def _nested_json(place: str, _: str) -> None:
    with open(place, "w", encoding="ascii") as file:
        file.write('{"runs": 1e999, "provisioningBootID": ' + "[" * 100_000)


def _odd_numbers(place: str, _: str) -> None:
    with open(place, "w", encoding="ascii") as file:
        file.write('{"runs": "x", "unfinished": true, "made": [1], "sizes": {"/etc/motd": -5, "/": 1e999}, "homeless": {"a": 1}}')


def _hard_link(place: str, twin: str) -> None:
    """To a file of the twin, as a user makes one to a file that he may not touch."""
    if not os.path.exists(twin):
        os.makedirs(os.path.dirname(twin), exist_ok=True)
        _file(twin, "")
    os.link(twin, place)


def _odd_names(place: str, twin: str) -> None:
    """A directory in which every name is odd: files, and among them a link out, a FIFO and a directory."""
    os.mkdir(place)
    for name in ODD_NAMES:
        with open(os.path.join(place.encode(), name), "wb") as file:
            file.write(b"odd\n")
    os.symlink(UP + twin.lstrip("/"), os.path.join(place.encode(), b"\xfflink.conf"))
    os.mkfifo(os.path.join(place.encode(), b"\xfffifo.conf"))
    os.mkdir(os.path.join(place.encode(), b"\xffdirectory.conf"))


def _full_of_traps(place: str, twin: str) -> None:
    """A directory whose entries have ordinary names, and none is an ordinary file."""
    os.mkdir(place)
    for kind in ("fifo", "zero", "loop", "relative", "socket", "directory"):
        KINDS[kind](f"{place}/{kind}.conf", twin)


def _deep(place: str, _: str) -> None:
    """Directories in each other, deeper than a path can say."""
    above = os.open(os.path.dirname(place), os.O_RDONLY | os.O_DIRECTORY)
    name = os.path.basename(place)
    for _level in range(LEVELS):
        os.mkdir(name, dir_fd=above)
        below = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=above)
        os.close(above)
        above, name = below, "deeper"
    os.close(above)


KINDS: dict[str, Plant] = {
    "absolute": _absolute,
    "relative": _relative,
    "chain": _chain,
    "magic": _magic,
    "magic-of-init": _magic_of_init,
    "descriptor": _descriptor,
    "link-to-zero": _link_to_zero,
    "loop": _loop,
    "dangling": _dangling,
    "fifo": _fifo,
    "socket": _socket,
    "null": _device(stat.S_IFCHR, NULL),
    "zero": _device(stat.S_IFCHR, ZERO),
    "block": _device(stat.S_IFBLK, BLOCK),
    "directory": _directory,
    "file": _file,
    "hole": _hole,
    "binary": _binary,
    "nested-json": _nested_json,
    "odd-numbers": _odd_numbers,
    "hard-link": _hard_link,
    "odd-names": _odd_names,
    "traps": _full_of_traps,
    "deep": _deep,
}
