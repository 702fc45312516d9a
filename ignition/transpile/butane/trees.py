"""Local directories that become files, links and directories of the config. Source: docs/reference/config-transpiler.md §B6."""

import os
import posixpath
import stat

from ignition.config.model.storage import Directory, File, Link, Owner
from ignition.config.record import Record
from ignition.config.report import Path
from ignition.transpile.butane import resources
from ignition.transpile.butane.local_files import Unreadable, contents, unreadable
from ignition.transpile.butane.model import Document, Tree
from ignition.transpile.butane.nodes import EXISTS, EXISTS_FIX, Nodes
from ignition.transpile.butane.work import Work, made, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_FILE_TYPE = "trees may only contain files, directories, and symlinks"
_NO_DIRECTORY = "root of tree must be a directory"
_FILE, _RUNNABLE, _DIRECTORY = 0o644, 0o755, 0o755


def plant(work: Work, document: Document, nodes: Nodes) -> None:
    """Put all trees into the nodes, errors into the work: one that cannot be read does not keep others from being looked at."""
    for index, tree in enumerate(document.storage.trees):
        path: Path = ("storage", "trees", index)
        try:
            root = work.files.path(tree.local)
            if not stat.S_ISDIR(_status(root, follow=True).st_mode):
                raise Unreadable(_NO_DIRECTORY, "name a directory; a single file is a file's contents.local")
        except Unreadable as error:
            work.error(path, str(error), error.fix)
            if not work.files.are_there:
                return  # said once
            continue
        _Planter(work, tree, path, nodes).walk(root)


class _Planter:
    def __init__(self, work: Work, tree: Tree, path: Path, nodes: Nodes) -> None:
        self._work, self._tree, self._path, self._nodes = work, tree, path, nodes
        self._with_directories = tree.dir_mode is not None or bool(tree.user != Owner() or tree.group != Owner())

    def walk(self, root: str) -> None:
        """The root itself, and all below it."""
        for source in _below(root, self._unreadable):
            inside = os.path.relpath(source, root)
            target = posixpath.join(self._tree.path or "/", "" if inside == "." else inside)
            try:
                self._take(source, posixpath.normpath(target))
            except Unreadable as error:
                self._unreadable(error)

    def _unreadable(self, error: Unreadable) -> None:
        self._work.error(self._path, str(error), error.fix)

    def _take(self, source: str, target: str) -> None:
        mode = _status(source).st_mode
        if stat.S_ISDIR(mode):
            self._directory(target)
        elif stat.S_ISREG(mode):
            self._file(source, target, can_be_run=bool(mode & 0o111))
        elif stat.S_ISLNK(mode):
            self._link(source, target)
        else:
            raise Unreadable(_FILE_TYPE, f"take {source} out of the tree")

    def _directory(self, target: str) -> None:
        if self._with_directories:
            self._found(target, None, taken=True)
            given = self._tree.dir_mode
            self._nodes.put(self._new(Directory, target, mode=_DIRECTORY if given is None else given))

    def _file(self, source: str, target: str, *, can_be_run: bool) -> None:
        old = self._nodes.at(target)
        file = self._found(target, File, taken=isinstance(old, File) and bool(old.contents.source)) or self._new(File, target)
        chosen = resources.encoded(self._work, contents(source), file.contents.compression, self._path)
        mode = file.mode
        if mode is None:
            given = self._tree.file_mode
            mode = mark((_RUNNABLE if can_be_run else _FILE) if given is None else given, self._path)
        self._nodes.put(file.evolve(contents=file.contents.evolve(**chosen), mode=mode))

    def _link(self, source: str, target: str) -> None:
        old = self._nodes.at(target)
        link = self._found(target, Link, taken=isinstance(old, Link) and bool(old.target)) or self._new(Link, target)
        self._nodes.put(link.evolve(target=mark(os.readlink(source), self._path)))

    def _found(self, target: str, cls: "type[Record] | None", *, taken: bool) -> "Any":
        """The document's own entry, to be completed. Raises Unreadable if it cannot be."""
        old = self._nodes.at(target)
        if old is not None and (taken or type(old) is not cls):
            raise Unreadable(f"{EXISTS}: {target}", EXISTS_FIX)
        return old

    def _new(self, cls: type[Record], target: str, **members: "Any") -> "Any":
        owners = {"user": self._owner(self._tree.user), "group": self._owner(self._tree.group)}
        return made(cls, self._path, path=target, **members, **{name: owner for name, owner in owners.items() if owner})

    def _owner(self, owner: Owner) -> Owner | None:
        return None if owner == Owner() else made(Owner, self._path, id=owner.id, name=owner.name)


def _below(root: str, report: "Callable[[Unreadable], None]") -> "Iterator[str]":
    """A path and all below it, a directory before what is in it, names in lexical order; links are not followed."""
    waiting = [root]
    while waiting:
        path = waiting.pop()
        yield path
        if os.path.isdir(path) and not os.path.islink(path):
            try:
                waiting += (os.path.join(path, name) for name in sorted(os.listdir(path), key=os.fsencode, reverse=True))
            except OSError as error:
                report(unreadable("open", path, error))


def _status(path: str, *, follow: bool = False) -> os.stat_result:
    try:
        return os.stat(path, follow_symlinks=follow)
    except OSError as error:
        raise unreadable("stat" if follow else "lstat", path, error) from None
