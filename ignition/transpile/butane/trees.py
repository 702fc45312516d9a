"""Local directories that are embedded as files, links and directories of the config.

Source: docs/reference/config-transpiler.md §B6.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Callable, Iterator

from ignition.config.model import Storage
from ignition.config.model.storage import Directory, File, Link, Node, Owner
from ignition.config.record import Record
from ignition.config.report import Path
from ignition.transpile.butane import convert
from ignition.transpile.butane.model import Document, Dropin, Quadlet, Tree
from ignition.transpile.butane.translation import Unreadable, Work, contents, made, mark, unreadable
from ignition.transpile.contents import content_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


# Files, directories and links of a config while trees and quadlets add to them.

EXISTS = "matching filesystem node has existing contents or different type"
EXISTS_FIX = "remove one of the two"
_LISTS = {File: "files", Directory: "directories", Link: "links"}


class Nodes:
    """The three lists, by path. The last of several entries with the same path counts, since duplicates are refused later."""

    def __init__(self, storage: Storage) -> None:
        self._lists: dict[type[Node], list[Any]] = {cls: list(getattr(storage, name)) for cls, name in _LISTS.items()}
        self._places = {node.path: (cls, index) for cls, nodes in self._lists.items() for index, node in enumerate(nodes)}

    def at(self, path: str) -> Any:
        """The entry at that path; None if there is none."""
        place = self._places.get(path)
        return self._lists[place[0]][place[1]] if place else None

    def put(self, node: Node) -> None:
        """Append an entry, or replace the one with the same path, which must be of the same kind."""
        cls, index = self._places.setdefault(str(node.path), (type(node), len(self._lists[type(node)])))
        self._lists[cls][index : index + 1] = [node]

    def into(self, storage: Storage) -> Storage:
        """The section with these lists."""
        return storage.evolve(**{name: tuple(self._lists[cls]) for cls, name in _LISTS.items()})


_FILE_TYPE = "trees may only contain files, directories, and symlinks"
_NO_DIRECTORY = "root of tree must be a directory"
_FILE, _RUNNABLE, _DIRECTORY = 0o644, 0o755, 0o755


def plant(work: Work, document: Document, nodes: Nodes) -> None:
    """Add all trees to the nodes, and errors to the work: a tree that cannot be read does not prevent others from being read."""
    for index, tree in enumerate(document.storage.trees):
        path: Path = ("storage", "trees", index)
        try:
            root = work.files.path(tree.local)
            if not stat.S_ISDIR(_status(root, follow=True).st_mode):
                raise Unreadable(_NO_DIRECTORY, "use a directory; for a single file use contents.local of a file")
        except Unreadable as error:
            work.error(path, str(error), error.fix)
            if not work.files.are_available:
                return  # report it once
            continue
        _Planter(work, tree, path, nodes).walk(root)


class _Planter:
    def __init__(self, work: Work, tree: Tree, path: Path, nodes: Nodes) -> None:
        self._work, self._tree, self._path, self._nodes = work, tree, path, nodes
        self._with_directories = tree.dir_mode is not None or bool(tree.user != Owner() or tree.group != Owner())

    def walk(self, root: str) -> None:
        """Add the root itself, and everything below it."""
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
            raise Unreadable(_FILE_TYPE, f"remove {source} from the tree")

    def _directory(self, target: str) -> None:
        if self._with_directories:
            self._found(target, None, taken=True)
            given = self._tree.dir_mode
            self._nodes.put(self._new(Directory, target, mode=_DIRECTORY if given is None else given))

    def _file(self, source: str, target: str, *, can_be_run: bool) -> None:
        old = self._nodes.at(target)
        file = self._found(target, File, taken=isinstance(old, File) and bool(old.contents.source)) or self._new(File, target)
        chosen = convert.encoded(self._work, contents(source), file.contents.compression, self._path)
        mode = file.mode
        if mode is None:
            given = self._tree.file_mode
            mode = mark((_RUNNABLE if can_be_run else _FILE) if given is None else given, self._path)
        self._nodes.put(file.evolve(contents=file.contents.evolve(**chosen), mode=mode))

    def _link(self, source: str, target: str) -> None:
        old = self._nodes.at(target)
        link = self._found(target, Link, taken=isinstance(old, Link) and bool(old.target)) or self._new(Link, target)
        self._nodes.put(link.evolve(target=mark(os.readlink(source), self._path)))

    def _found(self, target: str, cls: type[Record] | None, *, taken: bool) -> Any:
        """The document's own entry, to be completed. Raises Unreadable if it is complete, or of another kind."""
        old = self._nodes.at(target)
        if old is not None and (taken or type(old) is not cls):
            raise Unreadable(f"{EXISTS}: {target}", EXISTS_FIX)
        return old

    def _new(self, cls: type[Record], target: str, **members: Any) -> Any:
        owners = {"user": self._owner(self._tree.user), "group": self._owner(self._tree.group)}
        return made(cls, self._path, path=target, **members, **{name: owner for name, owner in owners.items() if owner})

    def _owner(self, owner: Owner) -> Owner | None:
        return None if owner == Owner() else made(Owner, self._path, id=owner.id, name=owner.name)


def _below(root: str, report: Callable[[Unreadable], None]) -> Iterator[str]:
    """A path and everything below it, directories before their entries, in lexical order; links are not followed."""
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


# Files for Podman's systemd generator. Source: docs/reference/config-transpiler.md §B9; podman-systemd.unit(5).

TYPES = (".container", ".volume", ".network", ".kube", ".image", ".build", ".pod", ".artifact")
_SYSTEM, _USERS = "/etc/containers/systemd", "/etc/containers/systemd/users"
_MODE = 0o644


def template_of(name: str) -> str:
    """The template that an instance links to: `a@b.container` → `a@.container`; "" for a name that is not an instance."""
    base, at, rest = name.partition("@")
    instance, _, extension = rest.rpartition(".")
    return f"{base}@.{extension}" if at and instance else ""


def put_quadlets_in(work: Work, document: Document, nodes: Nodes) -> None:
    """Add all quadlets to the nodes, and errors to the work."""
    for index, quadlet in enumerate(document.systemd.quadlets):
        path: Path = ("systemd", "quadlets", index)
        target = f"{_SYSTEM if quadlet.rootful else _USERS}/{quadlet.name}"
        template = template_of(quadlet.name)
        if template:
            _put(work, nodes, made(Link, path, path=target, target=template), path)
        else:
            _put_file(work, nodes, target, quadlet, path)
        for number, dropin in enumerate(quadlet.dropins):
            _put_file(work, nodes, f"{target}.d/{dropin.name}", dropin, (*path, "dropins", number))


def _put_file(work: Work, nodes: Nodes, target: str, source: Quadlet | Dropin, path: Path) -> None:
    content: bytes | None = b""
    there = path
    if source.contents_local:
        there = (*path, "contents_local")
        content = work.read(source.contents_local, there)
    elif source.contents:
        there = (*path, "contents")
        content = content_of(source.contents)
    if content is not None:
        chosen = File.FIELDS["contents"].element.of(convert.encoded(work, content, None, there))
        _put(work, nodes, made(File, path, path=target, mode=_MODE, contents=chosen), path)


def _put(work: Work, nodes: Nodes, node: Node, path: Path) -> None:
    if nodes.at(node.path) is not None:
        work.error(path, f"{EXISTS}: {node.path}", EXISTS_FIX)
    else:
        nodes.put(node)
