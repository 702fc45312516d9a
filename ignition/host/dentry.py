"""A name in an open directory: its status, opening, creating, replacing and removing it, always relative to the descriptor.

The directory is a descriptor and the name a single component, and no call follows a symlink of that name: a place that `Root.at`
has resolved cannot be swapped by a user who may write to a directory above. openat(2), "Rationale for openat() and other
directory file descriptor APIs".
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from errno import EEXIST
from io import BufferedWriter, FileIO
from itertools import count

from ignition.errors import Failure
from ignition.host import changes, mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import BufferedReader
    from typing import TypeVar

    Made = TypeVar("Made")

PARENT_MODE = 0o755
TRIES = 16  # temporary names that others may have taken
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_serial = count()


class Dentry:
    """`directory` is the descriptor, `name` the component, `inside` the whole path as the root sees it, for messages.

    The descriptor belongs to its creator, who closes it. The top of a root is the name "." in itself. OSErrors have `inside` as
    file name.
    """

    __slots__ = ("directory", "inside", "name")

    def __init__(self, directory: int, name: str, inside: str) -> None:
        self.directory, self.name, self.inside = directory, name, inside

    def __repr__(self) -> str:
        return f"Dentry({self.inside!r})"

    def status(self) -> os.stat_result | None:
        """lstat; None if the name does not exist."""
        try:
            return os.stat(self.name, dir_fd=self.directory, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def open(self, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
        """A descriptor of this name. A symlink is an error (ELOOP); a FIFO does not block."""
        with self._named():
            return os.open(self.name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, mode, dir_fd=self.directory)

    def open_regular(self, seen: os.stat_result | None = None) -> BufferedReader:
        """The regular file of this name, for reading. Raises Failure if it is of another kind, or no longer the inode `seen`."""
        descriptor = self.open()
        try:
            self._check(os.fstat(descriptor), seen, stat.S_IFREG)
        except Failure:
            os.close(descriptor)
            raise
        return open(descriptor, "rb")

    def set_attributes(
        self, *, mode: int | None, uid: int, gid: int, seen: os.stat_result | None = None, sole: bool = False
    ) -> None:
        """Set owner and mode of the file or directory of this name; None and -1 leave them unchanged.

        On a descriptor: a name that by now leads to another inode than `seen`, or to a symlink, raises Failure; with `sole` so
        does a file with a second hard link, which may belong to another user in spite of its place.
        """
        descriptor = self.open()
        try:
            found = os.fstat(descriptor)
            self._check(found, seen, stat.S_IFREG, stat.S_IFDIR)
            if sole and stat.S_ISREG(found.st_mode) and found.st_nlink != 1:
                raise Failure(
                    f"{self.inside} has another hard link: its owner and mode are left unchanged",
                    where=self.inside,
                    fix="remove the file, so that it is created again",
                )
            with self._named():
                self._set(descriptor, mode, uid, gid)
        finally:
            os.close(descriptor)

    def readlink(self) -> str:
        """The target of the symlink of this name. Raises OSError (EINVAL) for anything else."""
        with self._named():
            return os.readlink(self.name, dir_fd=self.directory)

    def names(self) -> list[str]:
        """The names in the directory of this name, sorted. Raises OSError if it is not a directory."""
        descriptor = self.open_directory()
        try:
            return sorted(os.listdir(descriptor))
        finally:
            os.close(descriptor)

    def links_and_directories(self) -> tuple[dict[str, str], list[str]]:
        """Of the directory of this name: the symlinks with their targets, and the directories, sorted. Raises OSError."""
        links: dict[str, str] = {}
        directories: list[str] = []
        descriptor = self.open_directory()
        try:
            with os.scandir(descriptor) as entries:
                found = sorted((entry.name, entry.is_symlink(), entry.is_dir(follow_symlinks=False)) for entry in entries)
            for name, is_link, is_directory in found:
                if is_link:
                    links[name] = os.readlink(name, dir_fd=descriptor)
                elif is_directory:
                    directories.append(name)
        finally:
            os.close(descriptor)
        return links, directories

    def open_directory(self) -> int:
        """A descriptor of the directory of this name. Raises OSError (ENOTDIR) for anything else, symlinks included."""
        with self._named():
            return os.open(self.name, _DIRECTORY, dir_fd=self.directory)

    @contextmanager
    def entered(self) -> Iterator[list[Dentry]]:
        """The entries of the directory of this name, sorted; their descriptor is open for the block."""
        descriptor = self.open_directory()
        try:
            yield [self._below(descriptor, name) for name in sorted(os.listdir(descriptor))]
        finally:
            os.close(descriptor)

    @contextmanager
    def below(self, name: str) -> Iterator[Dentry]:
        """A name in the directory of this name."""
        descriptor = self.open_directory()
        try:
            yield self._below(descriptor, name)
        finally:
            os.close(descriptor)

    def beside(self, name: str) -> Dentry:
        """Another name in the same directory."""
        return self._other(self.directory, name, f"{os.path.dirname(self.inside).rstrip('/')}/{name}")

    def chown(self, uid: int, gid: int) -> None:
        """Set the owner of a node of any kind, of a symlink itself."""
        with self._named():
            os.chown(self.name, uid, gid, dir_fd=self.directory, follow_symlinks=False)

    def set_times(self, accessed_ns: int, modified_ns: int) -> None:
        """Set the times of a node of any kind, of a symlink itself, in nanoseconds since 1970."""
        with self._named():
            os.utime(self.name, ns=(accessed_ns, modified_ns), dir_fd=self.directory, follow_symlinks=False)

    def mkdir(self, *, mode: int = PARENT_MODE, uid: int = -1, gid: int = -1) -> None:
        """Create a directory with exactly this mode, whatever the umask."""
        with self._named():
            # With its final mode if the umask permits it: the attempt after a power cut does not check existing parents.
            os.mkdir(self.name, mode, dir_fd=self.directory)
        changes.note(self.name)
        found = self.status()
        if (uid, gid) != (-1, -1) or found is None or stat.S_IMODE(found.st_mode) != mode:
            self.set_attributes(mode=mode, uid=uid, gid=gid)

    def symlink(self, target: str, *, uid: int = -1, gid: int = -1) -> None:
        """Create a symlink, replacing any node of this name in one step. A directory must be removed before."""

        def make(name: str) -> None:
            os.symlink(target, name, dir_fd=self.directory)
            if (uid, gid) != (-1, -1):
                os.chown(name, uid, gid, dir_fd=self.directory, follow_symlinks=False)

        self._appear(make)

    def link(self, source: Dentry) -> None:
        """Create a hard link to the file `source`, replacing any node of this name in one step."""

        def make(name: str) -> None:
            os.link(source.name, name, src_dir_fd=source.directory, dst_dir_fd=self.directory, follow_symlinks=False)

        self._appear(make)

    def replacing(self, *, mode: int, uid: int = -1, gid: int = -1, sync: bool = False) -> AbstractContextManager[BufferedWriter]:
        """Open a file for writing that replaces this name when the block ends, and is deleted if the block raises.

        `mode` is set exactly, whatever the umask; ids of -1 leave the owner unchanged. `sync` writes it to disk before the
        rename. The descriptor can be read as well (os.pread), to compare the written bytes.
        """
        return _Replacing(self, mode, uid, gid, sync=sync)

    def write(self, content: bytes, *, mode: int, uid: int = -1, gid: int = -1, sync: bool = False) -> None:
        """As `replacing`, for a file with this content. Without a file object, since most files of a config are short."""
        temporary, descriptor = self._temporary(self._new_file)
        try:
            try:
                left = memoryview(content)
                while left:
                    left = left[os.write(descriptor, left) :]
                self._set(descriptor, mode, uid, gid)
                if sync:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self._take_over(temporary)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=self.directory)
            raise
        changes.note(self.name)

    def unlink(self) -> None:
        """Remove a node of any kind but a directory."""
        with self._named():
            os.unlink(self.name, dir_fd=self.directory)
        changes.note()

    def remove(self) -> None:
        """Remove the node of this name, a directory with all its contents. Removing a missing node is not an error.

        Symlinks are not followed, and other file systems are left alone: a mount point anywhere below raises Failure before the
        first removal.
        """
        found = self.status()
        if found is None:
            return
        if not stat.S_ISDIR(found.st_mode):
            self.unlink()
            return
        self._refuse_mounts()
        self._remove_tree()

    def _set(self, descriptor: int, mode: int | None, uid: int, gid: int) -> None:
        """Set owner and mode of an open file or directory; None and -1 leave them unchanged."""
        if (uid, gid) != (-1, -1):
            os.fchown(descriptor, uid, gid)
        if mode is not None:
            os.fchmod(descriptor, mode)  # after the owner: chown clears the set-id bits

    def _below(self, descriptor: int, name: str) -> Dentry:
        """A name in the directory of this name, whose descriptor is given."""
        return self._other(descriptor, name, f"{self.inside.rstrip('/')}/{name}")

    def _other(self, directory: int, name: str, inside: str) -> Dentry:
        """Another name of the same root."""
        return Dentry(directory, name, inside)

    def _refuse_mounts(self) -> None:
        """Raises Failure if a mount point is at or below this directory.

        Device numbers cannot tell: a bind mount has the same one, and a subvolume of btrfs has another without being mounted.
        """
        descriptor = self.open_directory()
        try:
            top = os.readlink(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        if any(one.target == top or one.target.startswith(f"{top.rstrip('/')}/") for one in mounts.current()):
            raise Failure(
                f"another file system is mounted on {self.inside} or below: it is not removed",
                where=self.inside,
                fix="name a path that neither is a mount point nor holds one",
            )

    def _remove_tree(self) -> None:
        with self.entered() as entries:
            for entry in entries:
                found = entry.status()
                if found is not None and stat.S_ISDIR(found.st_mode):
                    entry._remove_tree()
                else:
                    entry.unlink()
        with self._named():
            os.rmdir(self.name, dir_fd=self.directory)
        changes.note()

    def _check(self, found: os.stat_result, seen: os.stat_result | None, *kinds: int) -> None:
        if seen is not None and not os.path.samestat(found, seen):
            raise Failure(
                f"{self.inside} is no longer the file that was checked: it is left unchanged",
                where=self.inside,
                fix="find out which program replaces it, and run this again",
            )
        if stat.S_IFMT(found.st_mode) not in kinds:
            raise Failure(f"{self.inside} is not a regular file", where=self.inside, fix="remove it, or name another path")

    def _appear(self, make: Callable[[str], None]) -> None:
        """Create a node under a temporary name, then rename it to this one."""
        temporary, _ = self._temporary(make)
        try:
            self._take_over(temporary)
            changes.note()
        finally:
            with suppress(FileNotFoundError):  # rename of two names of one inode does nothing: rename(2)
                os.unlink(temporary, dir_fd=self.directory)

    def _take_over(self, temporary: str) -> None:
        """Rename a node of the same directory to this name."""
        try:
            os.rename(temporary, self.name, src_dir_fd=self.directory, dst_dir_fd=self.directory)
        except OSError as error:
            raise OSError(error.errno, error.strerror, self.inside) from error

    def _temporary(self, make: Callable[[str], Made]) -> tuple[str, Made]:
        """Create a node under an unused name.

        A name may be in use by a leftover of a process with the same PID in an interrupted boot, or by an attacker who owns the
        directory: an existing node is never opened.
        """
        for attempt in range(TRIES):
            # First a name that the next attempt clears (`attempt.clear_leftovers`), then names that cannot be guessed.
            number = next(_serial) if attempt == 0 else int.from_bytes(os.urandom(6), "big")
            name = f".ignition-{os.getpid()}-{number}"
            try:
                return name, make(name)
            except FileExistsError:
                with suppress(OSError):
                    os.unlink(name, dir_fd=self.directory)
            except OSError as error:
                raise OSError(error.errno, error.strerror, self.inside) from error
        raise FileExistsError(EEXIST, os.strerror(EEXIST), self.inside)

    def _new_file(self, name: str) -> int:
        # 0600 until it is complete: the content may be a secret that the final owner alone may read.
        return os.open(name, _NEW, 0o600, dir_fd=self.directory)

    def _named(self) -> _Named:
        return _Named(self.inside)


class _Replacing:
    """The context of `Dentry.replacing`: a class, since a boot may enter it for thousands of files, and generators cost more."""

    __slots__ = ("_attributes", "_dentry", "_file", "_is_synced", "_temporary")

    def __init__(self, dentry: Dentry, mode: int, uid: int, gid: int, *, sync: bool) -> None:
        self._dentry, self._attributes, self._is_synced = dentry, (mode, uid, gid), sync

    def __enter__(self) -> BufferedWriter:
        dentry = self._dentry
        self._temporary, descriptor = dentry._temporary(dentry._new_file)  # noqa: SLF001  a part of Dentry
        self._file: BufferedWriter = BufferedWriter(FileIO(descriptor, "wb"))  # open() would ask whether it is a terminal
        return self._file

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        dentry, is_in_place = self._dentry, False
        try:
            with self._file as file:
                if error is None:
                    dentry._set(file.fileno(), *self._attributes)  # noqa: SLF001
                    if self._is_synced:
                        file.flush()
                        os.fsync(file.fileno())
            if error is None:
                dentry._take_over(self._temporary)  # noqa: SLF001
                is_in_place = True
                changes.note(dentry.name)
        finally:
            if not is_in_place:
                with suppress(FileNotFoundError):
                    os.unlink(self._temporary, dir_fd=dentry.directory)


class _Named:
    """A context in which OSErrors name the whole path instead of one component."""

    __slots__ = ("_inside",)

    def __init__(self, inside: str) -> None:
        self._inside = inside

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, self._inside) from error
