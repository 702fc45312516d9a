"""A root, and paths inside it. No path escapes: symlinks are followed as if the root were `/`.

There are three kinds. A root that is being provisioned (`/sysroot`) is an untrusted image: its symlinks lead within it. In a file
system that is not the root of a machine (`leaving_is_an_error`) a symlink that leads out is an error. In a running system
(`Root.live`) users are active at the same time: a symlink is followed only if its owner is root or owns its target, since
otherwise a user could make us write to a place where the user must not.

`resolve` and `follow` return the place of a path, for planning and messages. `at` and `open` act: they walk down on descriptors,
with openat2(2) where the kernel has it and the owner of a symlink does not matter, otherwise one component at a time.
"""

from __future__ import annotations

import os
import stat
from _thread import get_ident
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from errno import ENOENT, ENOTDIR
from itertools import groupby

from ignition.errors import Failure
from ignition.host import changes, openat2, paths
from ignition.host.dentry import PARENT_MODE, Dentry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

MAX_LINKS = 40  # the kernel's limit: linux/namei.h MAXSYMLINKS


class Parents:
    """Mode and owner of missing directories that are created on the way to a path; ids of -1 leave the owner unchanged."""

    __slots__ = ("gid", "mode", "uid")

    def __init__(self, mode: int = PARENT_MODE, uid: int = -1, gid: int = -1) -> None:
        self.mode, self.uid, self.gid = mode, uid, gid


PARENTS = Parents()


class Root:
    """A directory that is `/` of a machine. `path` is absolute and without a trailing slash, `""` for `/` itself.

    `leaving_is_an_error`: a symlink that is absolute or climbs above the top raises Failure instead of being followed as if the
    root were `/`. `live`: the root of a running system, see `Root.live`.
    """

    def __init__(self, path: str, *, leaving_is_an_error: bool = False, live: bool = False) -> None:
        self.path = os.path.abspath(path).rstrip("/")
        self.is_live = live
        self._strict = leaving_is_an_error
        self._directories: dict[str, str] = {"/": "/"}
        self._kept: _Kept | None = None

    @classmethod
    def live(cls, path: str = "/") -> Root:
        """The root of a running system, where a symlink of a user is followed only to files of that user.

        The rule of systemd's CHASE_SAFE (src/basic/chase.h) and of the kernel's protected_symlinks (proc_sys_fs(5)), applied to
        every component.
        """
        return cls(path, live=True)

    def __repr__(self) -> str:
        return f"Root({self.path or '/'!r})"

    @property
    def creator(self) -> tuple[int, int]:
        """The uid and gid of nodes that are created without an explicit owner."""
        return os.geteuid(), os.getegid()

    def acting_as(self, uid: int, gid: int) -> AbstractContextManager[None]:
        """Run the block with the permissions of a user, as far as this root is concerned (ignition.host.identity)."""
        from ignition.host.identity import acting_as  # only for the keys of users

        if self._kept is not None:
            self._kept.close()  # the user may not be allowed to get there
        return acting_as(uid, gid)

    def outside(self, inside: str) -> str:
        """The path as this process sees it, for a path as the root will see it; symlinks are not resolved."""
        return self.path + inside

    def resolve(self, inside: str) -> str:
        """`inside` with all symlinks followed, except one as the last component; still as the root sees it.

        Missing components stay unchanged. Raises Failure for a loop of symlinks. Results are cached: call `forget()` after
        replacing a directory or creating a symlink.
        """
        parent, _, name = _normal(inside).rpartition("/")
        return f"{self._resolve_directory(parent or '/').rstrip('/')}/{name}" if name else "/"

    def follow(self, inside: str) -> str:
        """`inside` with all symlinks followed, including one as the last component; still as the root sees it."""
        return self._resolve_directory(_normal(inside))

    def locate(self, inside: str) -> str:
        """`resolve`, then `outside`: the path by which this process finds the node."""
        return self.path + self.resolve(inside)

    def forget(self) -> None:
        """Drop the cache of resolved directories."""
        self._directories = {"/": "/"}

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """A block in which the directory of the last `at` stays open, for the next path in it.

        The way to it is walked again once this process has created a symlink, removed something or run a program: nobody else
        changes a root that is being provisioned. Other threads, and a live root, walk every time.
        """
        self._kept = None if self.is_live else _Kept()
        try:
            yield
        finally:
            kept, self._kept = self._kept, None
            if kept is not None:
                kept.close()

    def at(self, inside: str, *, parents: Parents | None = None, follow: bool = False) -> AbstractContextManager[Dentry]:
        """The place of a path: its directory, open, and its last component; with `parents` missing directories are created.

        With `follow` a symlink as the last component is followed as well. Raises OSError if the directory is missing or cannot be
        opened, Failure for symlinks that must not be followed.
        """
        return _At(self, _normal(inside), parents, follow=follow)

    def _opened(self, normal: str, parents: Parents | None, *, follow: bool) -> Dentry | None:
        """As `at`, by one call of the kernel: the caller closes its directory. None if the walk must decide."""
        parent, _, name = normal.rpartition("/")
        try:
            descriptor = self._kept.directory(parent or "/") if self._kept is not None else None
            if descriptor is None:
                descriptor = self._directory_at_once(parent or "/")
                if descriptor is not None and self._kept is not None:
                    self._kept.keep(parent or "/", descriptor)
        except FileNotFoundError as error:
            if parents is None:
                raise FileNotFoundError(ENOENT, os.strerror(ENOENT), normal) from error
            return None
        if descriptor is None:
            return None
        here = self._dentry(descriptor, name or ".", normal)
        if follow:
            try:
                found = here.status()
            except OSError:
                os.close(descriptor)
                raise
            if found is not None and stat.S_ISLNK(found.st_mode):
                os.close(descriptor)
                return None
        return here

    @contextmanager
    def _by_walk(self, normal: str, parents: Parents | None, *, follow: bool) -> Iterator[Dentry]:
        """As `at`, component by component."""
        parent, name = os.path.split(normal)
        with self._walk(normal if follow else parent, parents, make_last=not follow) as way:
            # Either the last component does not exist, or a directory above is missing, or all of it exists.
            if follow and len(way.missing) == 1:
                yield self._dentry(way.descriptors[-1], way.missing[0], way.inside)
            elif way.missing or not way.descriptors:
                raise OSError(way.errno, os.strerror(way.errno), way.obstacle() if way.errno == ENOTDIR else normal)
            elif follow and way.names:
                yield self._dentry(way.descriptors[-2], way.names[-1], way.inside)
            elif not stat.S_ISDIR(os.fstat(way.descriptors[-1]).st_mode):
                raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), way.inside)
            else:
                yield self._dentry(way.descriptors[-1], name or ".", f"{way.inside.rstrip('/')}/{name}")

    def open(self, inside: str, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
        """A descriptor of a path; a symlink as the last component is followed unless `flags` has O_NOFOLLOW.

        A FIFO does not block. Raises OSError; Failure for symlinks that must not be followed.
        """
        with self.at(inside, follow=not flags & os.O_NOFOLLOW) as here:
            return here.open(flags, mode)

    def status(self, inside: str) -> os.stat_result | None:
        """lstat of a path inside; None if it, or a directory above it, does not exist."""
        try:
            # As `at`, without the objects: accounts are looked up hundreds of times, and each time their files may have changed.
            parent, _, name = _normal(inside).rpartition("/")
            descriptor = self._directory_at_once(parent or "/")
            if descriptor is not None:
                try:
                    return os.stat(name or ".", dir_fd=descriptor, follow_symlinks=False)
                finally:
                    os.close(descriptor)
            with self.at(inside) as here:
                return here.status()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def statuses(self, insides: Iterable[str]) -> Iterator[os.stat_result | None]:
        """`status` of each path. The way to those that follow one another in a directory is walked once."""
        for directory, neighbours in groupby(insides, os.path.dirname):
            names = [os.path.basename(inside) or "." for inside in neighbours]
            try:
                with self.at(f"{directory}/{names[0]}") as here:
                    found = [here.beside(name).status() for name in names]
            except (FileNotFoundError, NotADirectoryError):
                yield from (None for _ in names)
            else:
                yield from found

    def is_directory(self, inside: str) -> bool:
        """Whether a path is a directory, or a symlink to one."""
        try:
            with self.at(inside, follow=True) as here:
                found = here.status()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return found is not None and stat.S_ISDIR(found.st_mode)

    def names(self, inside: str) -> list[str]:
        """The names in a directory, sorted, all symlinks followed; empty if there is no such directory."""
        try:
            with self.at(inside, follow=True) as here:
                return here.names()
        except (FileNotFoundError, NotADirectoryError):
            return []

    def write(self, inside: str, content: bytes, *, mode: int, uid: int = -1, gid: int = -1, sync: bool = False) -> None:
        """Create or replace a file in one step; missing directories above are created."""
        with self.at(inside, parents=PARENTS) as here:
            here.write(content, mode=mode, uid=uid, gid=gid, sync=sync)

    def makedirs(self, inside: str) -> None:
        """Create a directory and the missing ones above it."""
        with self._walk(_normal(inside), PARENTS) as way:
            if way.missing:
                raise OSError(way.errno, os.strerror(way.errno), way.obstacle())

    def sync(self, inside: str) -> None:
        """Wait until everything on the file system of a directory is on disk. Raises OSError."""
        from ignition.host.atomic import sync_file_system

        sync_file_system(self.outside(inside))

    def _dentry(self, directory: int, name: str, inside: str) -> Dentry:
        return Dentry(directory, name, inside)

    def _directory_at_once(self, inside: str) -> int | None:
        """A descriptor from openat2; None if the walk must decide: the kernel lacks the call, or a component is not a directory.

        Of the first few paths of a process as well. Raises FileNotFoundError if a component is missing.
        """
        if self.is_live or not openat2.is_worth_it():
            return None  # openat2 does not check the owners of symlinks
        try:
            return openat2.directory(self.path or "/", inside, beneath=self._strict)
        except FileNotFoundError:
            raise
        except OSError:
            return None

    def _resolve_directory(self, inside: str) -> str:
        known = self._directories.get(inside)
        if known is None:
            with self._walk(inside, None) as way:
                known = self._directories[inside] = way.inside
        return known

    @contextmanager
    def _walk(self, inside: str, parents: Parents | None, *, make_last: bool = True) -> Iterator[_Way]:
        """Step by step down `inside`, every symlink followed; missing directories are created with `parents`."""
        if parents is not None and self.path:
            os.makedirs(self.path, exist_ok=True)  # the top itself may be missing: a new directory to be filled
        way = _Way(self.path or "/", self._dentry)
        try:
            # Components still to walk; the owner of a symlink stands behind the components of its target.
            rest: list[str | int] = [part for part in reversed(inside.split("/")) if part]
            links = 0
            while rest:
                part = rest.pop()
                if isinstance(part, int):
                    # The owner of the symlink must own its target, or the directory in which that is going to be created.
                    if way.owner() != part:
                        raise unsafe(part, inside)
                elif part == "..":
                    if not way.up():
                        self._leaving(inside)
                elif (link := way.step(part)) is not None:
                    links += 1
                    self._enter(way, link, rest, links, inside)
                elif parents is not None and way.is_missing_one() and (make_last or any(isinstance(one, str) for one in rest)):
                    way.make(parents, [one for one in rest if isinstance(one, int)], inside)
            yield way
        finally:
            way.close()

    def _enter(self, way: _Way, link: tuple[str, int], rest: list[str | int], links: int, inside: str) -> None:
        """Put the target of a symlink before the components still to walk."""
        if links > MAX_LINKS:
            raise Failure(f"too many symlinks on the way to {inside}", where=inside, fix="remove the loop of symlinks")
        target, owner = link
        if target.startswith("/"):
            self._leaving(inside)
            way.to_top()
        if self.is_live and owner != 0:
            rest.append(owner)
        rest += [piece for piece in reversed(target.split("/")) if piece not in ("", ".")]

    def _leaving(self, inside: str) -> None:
        if self._strict:
            raise Failure("a symlink on the way leads out of the file system", where=inside, fix="name its target instead")


class _At:
    """The context of `Root.at`: a class, since a boot may enter it for thousands of files, and generators cost more."""

    __slots__ = ("_follow", "_here", "_normal", "_parents", "_root", "_walked")

    def __init__(self, root: Root, normal: str, parents: Parents | None, *, follow: bool) -> None:
        self._root, self._normal, self._parents, self._follow = root, normal, parents, follow
        self._walked: AbstractContextManager[Dentry] | None = None

    def __enter__(self) -> Dentry:
        root = self._root
        self._here = root._opened(self._normal, self._parents, follow=self._follow)  # noqa: SLF001  a part of Root
        if self._here is not None:
            return self._here
        self._walked = root._by_walk(self._normal, self._parents, follow=self._follow)  # noqa: SLF001  a part of Root
        here = self._walked.__enter__()
        kept = root._kept  # noqa: SLF001  a part of Root
        if kept is not None and not self._follow:
            kept.keep(self._normal.rpartition("/")[0] or "/", here.directory)
        return here

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool | None:
        if self._walked is not None:
            return self._walked.__exit__(kind, error, trace)
        if self._here is not None:
            os.close(self._here.directory)
        return None


class _Kept:
    """The directory of the last path, open, in one thread."""

    __slots__ = ("_change", "_descriptor", "_inside", "_thread")

    def __init__(self) -> None:
        self._thread, self._inside, self._descriptor, self._change = get_ident(), "", -1, 0

    def directory(self, inside: str) -> int | None:
        """A descriptor of it, which the caller closes; None if it is another directory, or may be another by now."""
        if inside != self._inside or self._change != changes.of_ways() or get_ident() != self._thread:
            return None
        return os.dup(self._descriptor)

    def keep(self, inside: str, descriptor: int) -> None:
        """This directory, by a descriptor that belongs to the caller."""
        if get_ident() == self._thread:
            self.close()
            self._descriptor = os.dup(descriptor)
            self._inside, self._change = inside, changes.of_ways()

    def close(self) -> None:
        """Keep none."""
        self._inside = ""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class _Way:
    """The state of a walk: descriptors of the top and of each component that exists, the last of any kind.

    `names` are those components, `missing` the following ones that do not exist, `errno` the reason.
    """

    def __init__(self, top: str, dentry: Callable[[int, str, str], Dentry]) -> None:
        self._dentry = dentry
        self.names: list[str] = []
        self.missing: list[str] = []
        self.descriptors: list[int] = []
        self.errno = ENOENT
        try:
            self.descriptors.append(os.open(top, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
        except OSError as error:
            self.errno = error.errno or ENOENT

    @property
    def inside(self) -> str:
        """The path so far, as the root sees it."""
        return "/" + "/".join([*self.names, *self.missing])

    def step(self, name: str) -> tuple[str, int] | None:
        """Go one component down. A symlink is not entered: its target and owner are returned."""
        if self.missing or not self.descriptors:
            self.missing.append(name)
            return None
        try:
            descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.descriptors[-1])
        except OSError as error:
            self.errno = error.errno or ENOENT
            self.missing.append(name)
            return None
        found = os.fstat(descriptor)
        if stat.S_ISLNK(found.st_mode):
            try:
                return os.readlink("", dir_fd=descriptor), found.st_uid
            finally:
                os.close(descriptor)
        self.descriptors.append(descriptor)
        self.names.append(name)
        return None

    def up(self) -> bool:
        """Go one component up; False at the top, where `..` has no effect."""
        if self.missing:
            self.missing.pop()
        elif self.names:
            self.names.pop()
            os.close(self.descriptors.pop())
        else:
            return False
        return True

    def to_top(self) -> None:
        """Back to the top."""
        self.missing.clear()
        while self.names:
            self.up()

    def owner(self) -> int:
        """The owner of the deepest existing component; -1 if the top itself is missing."""
        return os.fstat(self.descriptors[-1]).st_uid if self.descriptors else -1

    def obstacle(self) -> str:
        """The deepest existing component, as the root sees it."""
        return "/" + "/".join(self.names)

    def is_missing_one(self) -> bool:
        """Whether only the last component does not exist, so that it can be created."""
        return len(self.missing) == 1 and self.errno == ENOENT and bool(self.descriptors)

    def make(self, parents: Parents, owners: list[int], inside: str) -> None:
        """Create the missing component as a directory, and enter it. Another thread may be faster.

        `owners` are those of the symlinks that led here: they would not own the new directory.
        """
        if owners:
            raise unsafe(owners[-1], inside)
        name = self.missing.pop()
        here = self._dentry(self.descriptors[-1], name, f"{self.inside.rstrip('/')}/{name}")
        try:
            here.mkdir(mode=parents.mode, uid=parents.uid, gid=parents.gid)
        except FileExistsError:
            pass
        if self.step(name) is not None:
            raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), here.inside)

    def close(self) -> None:
        """Close all descriptors."""
        while self.descriptors:
            os.close(self.descriptors.pop())


def unsafe(owner: int, inside: str) -> Failure:
    """The refusal of a symlink of a user (`Root.live`)."""
    return Failure(
        f"a symlink on the way belongs to uid {owner}, and leads to a file of another user",
        where=inside,
        fix="replace the symlink by a directory, or change its owner to root",
    )


def around(path: str) -> tuple[Root, str]:
    """The root that holds a path of this machine, and the path as that root sees it.

    At or below `paths.sysroot()` it is the root that the initramfs provisions, with the symlinks of the image; elsewhere it is
    the running system.
    """
    absolute, sysroot = os.path.abspath(path), paths.sysroot()
    if absolute == sysroot or absolute.startswith(f"{sysroot}/"):
        return Root(sysroot), absolute[len(sysroot) :] or "/"
    return Root.live(), absolute


def put(path: str, content: bytes, *, mode: int) -> None:
    """Create or replace a file of this machine in one step, and missing directories above it, inside its root (`around`)."""
    root, inside = around(path)
    root.write(inside, content, mode=mode)


def put_all(directory: str, contents: Mapping[str, str], *, mode: int) -> None:
    """Write files (name → content) into a directory, which is created if missing; other files in it stay."""
    root, inside = around(directory)
    root.makedirs(inside)
    for name, content in contents.items():
        root.write(f"{inside}/{name}", content.encode(), mode=mode)


def _normal(inside: str) -> str:
    """An absolute path without `..`: a relative path counts from the root, and no path climbs above the top."""
    return os.path.normpath("/" + inside.lstrip("/"))
