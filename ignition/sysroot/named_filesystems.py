"""Named file systems of a 2.x config: targets of directories, files and links outside the new root.

Source: docs/reference/ignition-config.md §7.6. A file system on a device is mounted only while its nodes are written; one with a
`path` is an existing directory.
"""

from __future__ import annotations

from contextlib import ExitStack

from ignition.config.model.storage import Filesystem, Node, Storage
from ignition.errors import Failure, refusing
from ignition.host.root import Root
from ignition.operation import Context, Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class RootAt(Protocol):
        """Makes the root of a directory, as the class Root does."""

        def __call__(self, path: str, *, leaving_is_an_error: bool = False) -> Root:
            """The root."""


ROOT = "root"  # symlinks are followed within this one; in all others a symlink that leads out is an error


class NamedFilesystem:
    """The root for operations on one named file system; `close` unmounts it, and does nothing if it is not mounted."""

    def __init__(self, filesystem: Filesystem, root_at: RootAt = Root) -> None:
        self.filesystem, self.name, self._root_at = filesystem, filesystem.name or "", root_at
        self._mounts = ExitStack()
        self._root: Root | None = None
        if filesystem.in_place is not None:
            self._root = self._rooted(filesystem.in_place)

    @property
    def is_mounted_meanwhile(self) -> bool:
        """Whether it must be opened and closed."""
        return self.filesystem.in_place is None

    def open(self) -> None:
        """Mount it on a temporary directory. Raises Failure."""
        from ignition.storage.mounting import mounted

        wanted = self.filesystem
        self._root = self._rooted(self._mounts.enter_context(mounted(wanted.device, wanted.format, wanted.mount_options)))

    def close(self) -> None:
        """Unmount it. Raises Failure if it stays busy."""
        self._mounts.close()

    def inside(self, context: Context) -> Context:
        """The context for operations on it. Raises Failure if it is not mounted."""
        if self._root is None:
            raise Failure(f"file system {self.name!r} is not mounted", where=self.filesystem.device)
        return Context(self._root, context.fetcher)

    def _rooted(self, directory: str) -> Root:
        return self._root_at(directory, leaving_is_an_error=self.name != ROOT)


@refusing()
def find(storage: Storage, root_at: RootAt = Root) -> list[NamedFilesystem]:
    """The file systems that nodes refer to, in the order of reference; the last definition of a name counts. Raises Failure."""
    defined = {filesystem.name: filesystem for filesystem in storage.filesystems if filesystem.name}
    found: dict[str, NamedFilesystem] = {}
    every: list[Node] = [*storage.directories, *storage.files, *storage.links]
    for node in every:
        if node.filesystem is not None and node.filesystem not in found:
            if node.filesystem not in defined:
                raise Failure(
                    f"no file system is named {node.filesystem!r}", where=node.path, fix="define it in storage.filesystems"
                )
            found[node.filesystem] = NamedFilesystem(defined[node.filesystem], root_at)
    return list(found.values())


def around(named: NamedFilesystem, operations: list[Operation]) -> list[Operation]:
    """The operations on one file system, between its mount and its unmount."""
    inner: list[Operation] = [Inside(named, operation) for operation in operations]
    return [OpenFilesystem(named), *inner, CloseFilesystem(named)] if named.is_mounted_meanwhile else inner


class OpenFilesystem(Operation):
    """Mounts a named file system on a temporary directory."""

    kind = "mount"

    def __init__(self, named: NamedFilesystem) -> None:
        self.path, self._named = named.filesystem.device, named

    def describe(self) -> str:
        return f"mount file system {self._named.name} ({self.path}) while it is written to"

    def execute(self, context: Context) -> None:
        self._named.open()


class CloseFilesystem(Operation):
    """Unmounts it again, which writes its data to disk."""

    kind = "umount"

    def __init__(self, named: NamedFilesystem) -> None:
        self.path, self._named = named.filesystem.device, named

    def describe(self) -> str:
        return f"unmount file system {self._named.name} ({self.path})"

    def execute(self, context: Context) -> None:
        self._named.close()


class Inside(Operation):
    """An operation that acts on a named file system instead of the new root; `filesystem` is its name."""

    def __init__(self, named: NamedFilesystem, operation: Operation) -> None:
        self._named, self._operation, self.filesystem = named, operation, named.name
        self.kind, self.path, self.place = operation.kind, operation.path, operation.place
        self.concurrent = operation.concurrent

    def describe(self) -> str:
        return f"{self._operation.describe()} on file system {self._named.name}"

    def already_there(self, context: Context) -> bool:
        return self._operation.already_there(self._named.inside(context))

    def check(self, context: Context) -> None:
        if not self._named.is_mounted_meanwhile:
            self._operation.check(self._named.inside(context))

    def exists(self, context: Context) -> bool:
        """Whether there is a node at its path now; False for a file system that is not mounted."""
        return not self._named.is_mounted_meanwhile and self._named.inside(context).root.status(self.path) is not None

    def execute(self, context: Context) -> None:
        self._operation.execute(self._named.inside(context))
