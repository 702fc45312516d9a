"""V22, V24 and V27: file systems, and their names (V2, V3)."""

from ignition.config.rules import Context, error, rule, warning
from ignition.config.rules.filesystems import label_problem
from ignition.config.v2.model import Filesystem, Mount, Storage2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding

_ROOT = "root"


@rule(Storage2, "V2")
def entries_name_known_filesystems(storage: Storage2, _: Context) -> "Iterator[Finding]":
    known = {_ROOT, *(filesystem.name for filesystem in storage.filesystems)}
    for name, nodes in (("files", storage.files), ("directories", storage.directories), ("links", storage.links)):
        for index, node in enumerate(nodes):
            if node.filesystem and node.filesystem not in known:
                message = f"no file system of this config is called {node.filesystem}: an appended one must define it"
                yield warning(f"{name}.{index}.filesystem", message, "the root file system is called root")


@rule(Storage2, "V3")
def names_are_used_once(storage: Storage2, _: Context) -> "Iterator[Finding]":
    seen: set[str] = {_ROOT}
    for index, filesystem in enumerate(storage.filesystems):
        if filesystem.name in seen:
            message = f"the name {filesystem.name} is used already: the last definition counts"
            yield warning(f"filesystems.{index}.name", message, "give it another name")
        if filesystem.name:
            seen.add(filesystem.name)


@rule(Filesystem, "V22")
def filesystem_is_mount_or_path(filesystem: Filesystem, _: Context) -> "Iterator[Finding]":
    if filesystem.mount is None and filesystem.path is None:
        yield error("", "file system has neither mount nor path", "give one of them")
    elif filesystem.mount is not None and filesystem.path is not None:
        yield error("", "file system has both mount and path", "leave one of them out")


@rule(Mount, "V24", since="2.1.0")
def create_stands_alone(mount: Mount, _: Context) -> "Iterator[Finding]":
    if mount.create is None:
        return
    if mount.wipe_filesystem:
        yield error("", "create cannot be used with wipeFilesystem", "leave create out")
    if mount.options:
        yield error("", "create cannot be used with options", "leave create out")


@rule(Mount, "V27", since="2.1.0")
def label_is_short(mount: Mount, _: Context) -> "Iterator[Finding]":
    if mount.label and (wrong := label_problem(mount.label, mount.format)):
        yield error("label", *wrong)
