"""V22–V27: file systems, and their names (V2, V3)."""

from ignition.config.rules import Context, error, rule, warning
from ignition.config.rules.filesystems import label_problem
from ignition.config.v2.model import Filesystem, Mount, Storage2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding

_ROOT = "root"
FORMATS = ("ext4", "btrfs", "xfs")
LATER_FORMATS = ("swap", "vfat")  # since 2.1


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
            yield warning(f"filesystems.{index}.name", f"the name {filesystem.name} is used already: the last definition counts")
        if filesystem.name:
            seen.add(filesystem.name)


@rule(Filesystem, "V22")
def filesystem_is_mount_or_path(filesystem: Filesystem, _: Context) -> "Iterator[Finding]":
    if filesystem.mount is None and filesystem.path is None:
        yield error("", "file system has neither mount nor path", "give one of them")
    elif filesystem.mount is not None and filesystem.path is not None:
        yield error("", "file system has both mount and path", "leave one of them out")


@rule(Filesystem, "V25")
def path_is_absolute(filesystem: Filesystem, _: Context) -> "Iterator[Finding]":
    if filesystem.path is not None and not filesystem.path.startswith("/"):
        yield error("path", "path is not absolute")


@rule(Mount, "V25")
def device_is_an_absolute_path(mount: Mount, _: Context) -> "Iterator[Finding]":
    if not mount.device.startswith("/"):
        yield error("device", "path is not absolute" if mount.device else "device is not given")


@rule(Mount, "V23", since="2.1.0")
def create_is_deprecated(mount: Mount, _: Context) -> "Iterator[Finding]":
    """V23, and V24 for what excludes it."""
    if mount.create is None:
        return
    yield warning("create", "create is deprecated", "use wipeFilesystem, label, uuid and options")
    if mount.wipe_filesystem:
        yield error("", "create cannot be used with wipeFilesystem", "leave create out", "V24")
    if mount.options:
        yield error("", "create cannot be used with options", "leave create out", "V24")


@rule(Mount, "V26")
def format_is_known(mount: Mount, context: Context) -> "Iterator[Finding]":
    known = FORMATS if context.before("2.1.0") else (*FORMATS, *LATER_FORMATS)
    if mount.format not in known:
        yield error("format", f"spec {context.version} has no such format", f"one of {', '.join(known)}")


@rule(Mount, "V27", since="2.1.0")
def label_is_short(mount: Mount, _: Context) -> "Iterator[Finding]":
    if mount.label and (wrong := label_problem(mount.label, mount.format)):
        yield error("label", wrong)
