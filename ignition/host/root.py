"""A root, and paths inside it. Nothing escapes: a symlink met on the way is followed as if the root were `/`.

There are three kinds. A root that is being provisioned (`/sysroot`) is an image that nobody has to trust: its symlinks lead
within it. In a file system that is not the root of a machine (`leaving_is_an_error`) a symlink that leads out is an error. In a
running system (`Root.live`) users are at work while we are: there a symlink counts only if its owner is root, or owns what it
leads to, since otherwise a user could name a place and let us write there what the user may not.

`resolve` and `follow` say where a path leads, for planning and messages. `at` and `open` act: they walk down on descriptors, with
openat2(2) where the kernel has it and nobody asks who owns a symlink, else by hand, one component at a time.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from errno import ENOENT, ENOTDIR

from ignition.errors import Failure
from ignition.host import openat2, paths
from ignition.host.dentry import PARENT_MODE, Dentry

MAX_LINKS = 40  # as the kernel: linux/namei.h MAXSYMLINKS


class Parents:
    """With which mode and owner missing directories on the way to a path are made; ids of -1 leave the owner alone."""

    __slots__ = ("gid", "mode", "uid")

    def __init__(self, mode: int = PARENT_MODE, uid: int = -1, gid: int = -1) -> None:
        self.mode, self.uid, self.gid = mode, uid, gid


PARENTS = Parents()


class Root:
    """A directory that is `/` of a machine. `path` is absolute and without a trailing slash, `""` for `/` itself.

    `leaving_is_an_error`: a symlink on the way that is absolute or climbs above the top raises Failure instead of being followed
    as if the root were `/`. `live`: the root of a running system, see `Root.live`.
    """

    def __init__(self, path: str, *, leaving_is_an_error: bool = False, live: bool = False) -> None:
        self.path = os.path.abspath(path).rstrip("/")
        self.is_live = live
        self._strict = leaving_is_an_error
        self._directories: dict[str, str] = {"/": "/"}

    @classmethod
    def live(cls, path: str = "/") -> Root:
        """The root of a running system, where a symlink of a user leads only to what that user owns.

        The rule is that of systemd's CHASE_SAFE (src/basic/chase.h) and of the kernel's protected_symlinks (proc_sys_fs(5)),
        here for every component.
        """
        return cls(path, live=True)

    def __repr__(self) -> str:
        return f"Root({self.path or '/'!r})"

    def outside(self, inside: str) -> str:
        """The path as this process sees it, of a path as the root will see it; no symlink is looked at."""
        return self.path + inside

    def resolve(self, inside: str) -> str:
        """`inside` with all symlinks but a last component's followed; still as the root sees it.

        Missing components stay as they are. Raises Failure for a loop of symlinks. What was resolved is remembered: call
        `forget()` after replacing a directory or making a symlink.
        """
        parent, name = os.path.split(_normal(inside))
        return os.path.join(self._resolve_directory(parent), name) if name else "/"

    def follow(self, inside: str) -> str:
        """`inside` with all symlinks followed, the last component's, too; still as the root sees it."""
        return self._resolve_directory(_normal(inside))

    def locate(self, inside: str) -> str:
        """`resolve`, then `outside`: where this process finds the node."""
        return self.path + self.resolve(inside)

    def forget(self) -> None:
        """Drop what was remembered of directories."""
        self._directories = {"/": "/"}

    @contextmanager
    def at(self, inside: str, *, parents: Parents | None = None, follow: bool = False) -> Iterator[Dentry]:
        """The place of a path: its directory, open, and its last component; `parents` makes the directories that are missing.

        With `follow` a symlink as last component is followed, too. Raises OSError if the directory is absent or cannot be opened,
        Failure for symlinks that may not be followed.
        """
        normal = _normal(inside)
        parent, name = os.path.split(normal)
        descriptor = None if follow else self._directory_at_once(parent)
        if descriptor is not None:
            try:
                yield Dentry(descriptor, name or ".", normal)
            finally:
                os.close(descriptor)
            return
        with self._walk(normal if follow else parent, parents, make_last=not follow) as way:
            if follow and len(way.missing) == 1:
                yield Dentry(way.descriptors[-1], way.missing[0], way.inside)
            elif way.missing or not way.descriptors:
                raise OSError(way.errno, os.strerror(way.errno), way.obstacle() if way.errno == ENOTDIR else normal)
            elif follow and way.names:
                yield Dentry(way.descriptors[-2], way.names[-1], way.inside)
            elif not stat.S_ISDIR(os.fstat(way.descriptors[-1]).st_mode):
                raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), way.inside)
            else:
                yield Dentry(way.descriptors[-1], name or ".", f"{way.inside.rstrip('/')}/{name}")

    def open(self, inside: str, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
        """A descriptor of a path, a symlink as last component followed unless O_NOFOLLOW is in `flags`.

        A FIFO does not make the call wait. Raises OSError; Failure for symlinks that may not be followed.
        """
        with self.at(inside, follow=not flags & os.O_NOFOLLOW) as here:
            return here.open(flags, mode)

    def status(self, inside: str) -> os.stat_result | None:
        """lstat of a path inside; None if nothing is there, a missing directory above included."""
        try:
            with self.at(inside) as here:
                return here.status()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def is_directory(self, inside: str) -> bool:
        """Whether a directory is there, a symlink to one included."""
        try:
            with self.at(inside, follow=True) as here:
                found = here.status()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return found is not None and stat.S_ISDIR(found.st_mode)

    def names(self, inside: str) -> list[str]:
        """What is in a directory, sorted, symlinks on the way followed; empty if there is no such directory."""
        try:
            with self.at(inside, follow=True) as here:
                return here.names()
        except (FileNotFoundError, NotADirectoryError):
            return []

    def write(self, inside: str, content: bytes, *, mode: int, uid: int = -1, gid: int = -1, sync: bool = False) -> None:
        """Put a file with this content at a path, in one step; the directories above are made."""
        with self.at(inside, parents=PARENTS) as here:
            here.write(content, mode=mode, uid=uid, gid=gid, sync=sync)

    def makedirs(self, inside: str) -> None:
        """Make a directory and those above it, where they are missing."""
        with self._walk(_normal(inside), PARENTS) as way:
            if way.missing:
                raise OSError(way.errno, os.strerror(way.errno), way.obstacle())

    def _directory_at_once(self, inside: str) -> int | None:
        """A descriptor from openat2; None if the walk must tell: the kernel has no such call, something is missing, or may be."""
        if self.is_live:
            return None  # openat2 does not ask who owns a symlink
        try:
            return openat2.directory(self.path or "/", inside, beneath=self._strict)
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
        """Step by step down `inside`, every symlink followed; missing directories are made if `parents` says how."""
        if parents is not None and self.path:
            os.makedirs(self.path, exist_ok=True)  # the top may be missing, too: a directory to be filled by hand
        way = _Way(self.path or "/")
        try:
            # To come: components, and the owners of symlinks where what they stand for will have been walked.
            rest: list[str | int] = [part for part in reversed(inside.split("/")) if part]
            links = 0
            while rest:
                part = rest.pop()
                if isinstance(part, int):
                    _check_landing(way, part, inside)
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
        """Put the target of a symlink before what is to come."""
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
            raise Failure("a symlink on the way leads out of the file system", where=inside, fix="name the place it leads to")


class _Way:
    """How far a walk has come: descriptors of the top and of each component that exists, the last of any kind.

    `names` are those components, `missing` what is to follow and does not exist, `errno` why.
    """

    def __init__(self, top: str) -> None:
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
        """Go one component further. A symlink is not entered: its target and owner are returned."""
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
        """One component back; False at the top, where `..` leads nowhere."""
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
        """Owner of the deepest component that exists; -1 if not even the top does."""
        return os.fstat(self.descriptors[-1]).st_uid if self.descriptors else -1

    def obstacle(self) -> str:
        """The deepest component that exists, as the root sees it."""
        return "/" + "/".join(self.names)

    def is_missing_one(self) -> bool:
        """Whether exactly the last component does not exist, so that it can be made."""
        return len(self.missing) == 1 and self.errno == ENOENT and bool(self.descriptors)

    def make(self, parents: Parents, owners: list[int], inside: str) -> None:
        """Make the missing component as a directory, and enter it. Another thread may be faster.

        `owners` are those of the symlinks that led here: what is made will not be theirs.
        """
        if owners:
            raise _unsafe(owners[-1], inside)
        name = self.missing.pop()
        here = Dentry(self.descriptors[-1], name, f"{self.inside.rstrip('/')}/{name}")
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


def _check_landing(way: _Way, owner: int, inside: str) -> None:
    """The owner of a symlink must own what it leads to, or the directory in which that is going to be made."""
    if way.owner() != owner:
        raise _unsafe(owner, inside)


def _unsafe(owner: int, inside: str) -> Failure:
    return Failure(
        f"a symlink on the way belongs to the user with uid {owner}, and leads to what that user does not own",
        where=inside,
        fix="replace the symlink by a directory, or give it to root",
    )


def around(path: str) -> tuple[Root, str]:
    """The root that a path of this machine lies in, and the path as that root sees it.

    Below `paths.sysroot()` it is the root that the initramfs provisions, whose symlinks are the image's; elsewhere this running
    system itself.
    """
    absolute, sysroot = os.path.abspath(path), paths.sysroot()
    if absolute == sysroot or absolute.startswith(f"{sysroot}/"):
        return Root(sysroot), absolute[len(sysroot) :] or "/"
    return Root.live(), absolute


def put(path: str, content: bytes, *, mode: int) -> None:
    """Put a file at a path of this machine, in one step and with the directories above: inside the root it lies in (`around`)."""
    root, inside = around(path)
    root.write(inside, content, mode=mode)


def put_all(directory: str, contents: Mapping[str, str], *, mode: int) -> None:
    """Put files (name → content) into a directory, which is made; files of other names in it stay."""
    root, inside = around(directory)
    root.makedirs(inside)
    for name, content in contents.items():
        root.write(f"{inside}/{name}", content.encode(), mode=mode)


def _normal(inside: str) -> str:
    """Absolute, and with no `..` that climbs above the top: a relative path counts from the root."""
    return os.path.normpath("/" + inside.lstrip("/"))
