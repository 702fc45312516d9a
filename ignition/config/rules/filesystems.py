"""Rules F1–F8, S7 and S8: file systems."""

from ignition.config.model.storage import Filesystem, Storage
from ignition.config.rules import Context, error, paths, rule, warning
from ignition.config.versions import order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding

# format → first 3.x version
FORMATS = {
    "ext4": "3.0.0",
    "btrfs": "3.0.0",
    "xfs": "3.0.0",
    "vfat": "3.0.0",
    "swap": "3.0.0",
    "none": "3.3.0",
    "virtiofs": "3.7.0-experimental",
}
LABEL_BYTES = {"ext4": 16, "btrfs": 256, "xfs": 12, "swap": 15, "vfat": 11}
_TAG, _TAG_BYTES = "virtiofs", 36


@rule(Storage, "S7")
def filesystem_is_not_on_a_partitioned_disk(storage: Storage, _: Context) -> "Iterator[Finding]":
    """S7, and S8 for a disk whose table is wiped."""
    disks = {disk.device: disk for disk in storage.disks}
    for index, filesystem in enumerate(storage.filesystems):
        disk = disks.get(filesystem.device)
        where = f"filesystems.{index}.device"
        if disk and disk.partitions:
            yield warning(where, "this disk gets partitions in the same config", "name one of the partitions")
        elif disk and disk.wipe_table and not filesystem.wipe_filesystem:
            fix = "set wipeFilesystem if the disk holds the file system itself"
            yield warning(where, "the partition table of this disk is wiped in the same config", fix, "S8")


@rule(Filesystem, "F1")
def path_is_absolute(filesystem: Filesystem, _: Context) -> "Iterator[Finding]":
    if filesystem.path and (wrong := paths.problem(filesystem.path)):
        yield error("path", wrong, paths.fix(filesystem.path))


@rule(Filesystem, "F2")
def device_is_an_absolute_path(filesystem: Filesystem, context: Context) -> "Iterator[Finding]":
    if not filesystem.device:
        yield error("device", "device is not given", "give the absolute path of the device, such as /dev/disk/by-partlabel/data")
    elif _is_tag(filesystem, context):
        if len(filesystem.device.encode()) > _TAG_BYTES:
            yield error("device", f"the tag is longer than {_TAG_BYTES} bytes")
    elif wrong := paths.problem(filesystem.device):
        yield error("device", wrong, paths.fix(filesystem.device))


@rule(Filesystem, "F3")
def format_is_given(filesystem: Filesystem, context: Context) -> "Iterator[Finding]":
    given = [
        name
        for name, value in (
            ("path", filesystem.path),
            ("label", filesystem.label),
            ("uuid", filesystem.uuid),
            ("wipeFilesystem", filesystem.wipe_filesystem),
            ("options", filesystem.options),
            ("mountOptions", filesystem.mount_options),
        )
        if value
    ]
    if not filesystem.format and given:
        yield error(
            "format", f"format is not given, but {', '.join(given)} needs it", f"one of {', '.join(formats(context.version))}"
        )


@rule(Filesystem, "F4")
def format_is_known(filesystem: Filesystem, context: Context) -> "Iterator[Finding]":
    known = formats(context.version)
    if filesystem.format and filesystem.format not in known:
        yield error("format", f"spec {context.version} has no such format", f"one of {', '.join(known)}")


@rule(Filesystem, "F5")
def label_has_format(filesystem: Filesystem, context: Context) -> "Iterator[Finding]":
    """F5, F6 for its length, F7 for virtiofs."""
    if not filesystem.label:
        return
    if not filesystem.format:
        yield error("label", "label without format", "give the format, too")
    elif _is_tag(filesystem, context):
        yield error("label", "virtiofs has no label", rule="F7")
    elif wrong := label_problem(filesystem.label, filesystem.format):
        yield error("label", wrong, rule="F6")


@rule(Filesystem, "F8", since="3.7.0-experimental")
def shared_directory_is_never_formatted(filesystem: Filesystem, _: Context) -> "Iterator[Finding]":
    if filesystem.format != _TAG:
        return
    for where, value in (
        ("uuid", filesystem.uuid),
        ("wipeFilesystem", filesystem.wipe_filesystem),
        ("options", filesystem.options),
    ):
        if value:
            yield error(where, f"virtiofs has no {where}: nothing is formatted", "leave it out")


def _is_tag(filesystem: Filesystem, context: Context) -> bool:
    return filesystem.format == _TAG and _TAG in formats(context.version)


def formats(version: str) -> list[str]:
    """The formats that a 3.x version knows."""
    return [name for name, since in FORMATS.items() if order(since) <= order(version)]


def label_problem(label: str, name: str) -> str:
    """Why this format cannot have this label; "" if it can."""
    most = LABEL_BYTES.get(name, 0)
    return f"label is longer than {most} bytes, the most that {name} has room for" if most and len(label.encode()) > most else ""
