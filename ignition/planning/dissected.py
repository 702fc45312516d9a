"""The root in an XFS or btrfs file system of an image, read by dissect.xfs and dissect.btrfs: without root, without mounting.

These libraries are optional, since their licence is AGPL-3.0: nothing else of the agent imports them.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ignition.errors import Failure
from ignition.facts.document import Node
from ignition.host import cmdline
from ignition.planning.tree import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import ExitStack

    from ignition.facts.image import Place

_TOP = 5  # BTRFS_FS_TREE_OBJECTID, linux/btrfs_tree.h


class DissectedTree:
    """A Tree of inodes. `about(inode)`: its mode with the type of the file, user and group."""

    def __init__(self, where: str, top: Any, about: Callable[[Any], tuple[int, int, int]], used: int) -> None:
        self._where, self._top, self._about, self._used = where, top, about, used
        self._listed: dict[str, Mapping[str, Any]] = {}
        self._nodes: dict[str, Node | None] = {}

    def _inode(self, path: str) -> Any:
        if path == "/":
            return self._top
        above, name = os.path.split(path)
        return self._directory(above).get(name)

    def _directory(self, path: str) -> Mapping[str, Any]:
        if path not in self._listed:
            inode = self._inode(path)
            with _legible(self._where):
                is_directory = inode is not None and stat.S_ISDIR(self._about(inode)[0])
                self._listed[path] = inode.listdir() if is_directory else {}
        return self._listed[path]

    def node(self, path: str) -> Node | None:
        """As Tree."""
        if path not in self._nodes:
            self._nodes[path] = self._node(path)
        return self._nodes[path]

    def _node(self, path: str) -> Node | None:
        inode = self._inode(path)
        if inode is None:
            return None
        with _legible(self._where):
            mode, uid, gid = self._about(inode)
            target = inode.link if stat.S_ISLNK(mode) else ""
            return Node(KINDS.get(stat.S_IFMT(mode), "other"), stat.S_IMODE(mode), uid, gid, inode.size, target)

    def read(self, path: str) -> bytes:
        """As Tree."""
        inode = self._inode(path)
        if inode is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        with _legible(self._where):
            content: bytes = inode.open().read()
        return content

    def names(self, path: str) -> list[str]:
        """As Tree."""
        return sorted(name for name in self._directory(path) if name not in (".", ".."))

    def used_bytes(self) -> int:
        """Bytes of the files of the file system."""
        return self._used


def xfs(place: Place, stack: ExitStack) -> DissectedTree:
    """The root in an XFS. Raises Failure."""
    try:
        from dissect.xfs import XFS
    except ImportError as error:
        raise _missing("xfs", "dissect.xfs") from error
    with _legible(place.image.path):
        found = XFS(_stream(place, stack))
        used = (found.sb.sb_dblocks - found.sb.sb_fdblocks) * found.block_size
        return DissectedTree(
            place.image.path,
            found.root,
            lambda inode: (inode.inode.di_mode, inode.inode.di_uid, inode.inode.di_gid),
            used,
        )


def btrfs(place: Place, flags: str, stack: ExitStack) -> DissectedTree:
    """The root in a btrfs: in the subvolume that `rootflags=` names, or in the default one. Raises Failure."""
    try:
        from dissect.btrfs import Btrfs
    except ImportError as error:
        raise _missing("btrfs", "dissect.btrfs[full]") from error
    with _legible(place.image.path):
        found = Btrfs(_stream(place, stack))
        return DissectedTree(
            place.image.path,
            _subvolume(found, dict(option.partition("=")[::2] for option in flags.split(","))),
            lambda inode: (inode.mode, inode.uid, inode.gid),
            found.sb.bytes_used,
        )


def _subvolume(found: Any, options: Mapping[str, str]) -> Any:
    """The inode of its directory. Source: btrfs(5), subvol=, subvolid=."""
    if name := options.get("subvol", "").strip("/"):
        chosen = found.find_subvolume(name)
        if chosen is None:
            raise Failure(
                f"ROOT has no subvolume {name!r}, which rootflags= names", fix="name one that exists in -kernel-arguments"
            )
        return chosen.root
    if "subvolid" in options:
        return found.open_subvolume(int(options["subvolid"], 0) or _TOP).root
    return found.root if "subvol" not in options else found.fs_tree.root


def flags_of(kernel_arguments: str) -> str:
    """The options with which ROOT is mounted, joined."""
    return ",".join(value for name, value in cmdline.options(kernel_arguments) if name == "rootflags" and value)


def _stream(place: Place, stack: ExitStack) -> Any:
    from dissect.util.stream import RangeStream

    return RangeStream(stack.enter_context(open(place.image.raw, "rb")), place.offset, place.size)


@contextmanager
def _legible(where: str) -> Iterator[None]:
    try:
        yield
    except Failure:
        raise
    except Exception as error:  # noqa: BLE001  on a damaged file system these libraries raise whatever comes
        raise Failure(
            f"the root of the image cannot be read: {error or type(error).__name__}",
            where=where,
            fix="plan on the machine, or from its facts",
        ) from error


def _missing(format: str, package: str) -> Failure:
    return Failure(
        f"ROOT is {format}, and reading its files needs the Python package {package}",
        fix=f"pip install '{package}' where this program is installed, or plan from the facts of the machine (-facts)",
    )
