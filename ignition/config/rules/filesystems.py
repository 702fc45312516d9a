"""Rules F2 of tags, F3, F5–F8, O7, O19, S7 and S8: file systems."""

from ignition.config.known_values import FORMATS, LABEL_BYTES, known_in
from ignition.config.model.storage import Filesystem, Storage
from ignition.config.rules import Context, error, paths, rule, warning
from ignition.config.rules.reachable import mount_points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ignition.config.rules import Finding

_TAG, _TAG_BYTES = "virtiofs", 36
UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
UUID_FIX = "uuidgen makes one"
_CHOSEN = ("clear", "random", "time")  # words of tune2fs(8) and mkswap(8)
_WITH_UUID = {"ext4": _CHOSEN, "swap": _CHOSEN, "xfs": (), "btrfs": ()}


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


@rule(Storage, "O7")
def mount_points_are_used_once(storage: Storage, _: Context) -> "Iterator[Finding]":
    """Our own: Ignition mounts one over the other, and the machine never sees what was written to the first."""
    seen: dict[str, str] = {}
    for where, member, path in mount_points(storage):
        if path in seen:
            message = f"path {path} is that of {seen[path]}, too: one would hide the other"
            yield error(f"{where}.{member}", message, "give each file system a path of its own")
        seen.setdefault(path, where)


@rule(Filesystem, "F2", since="3.7.0-experimental")
def device_is_a_tag_or_an_absolute_path(filesystem: Filesystem, _: Context) -> "Iterator[Finding]":
    if filesystem.format == _TAG:
        if len(filesystem.device.encode()) > _TAG_BYTES:
            yield error("device", f"the tag is longer than {_TAG_BYTES} bytes", "give the tag that the host gave the directory")
    elif filesystem.device and (wrong := paths.problem(filesystem.device)):
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
        fix = f"one of {', '.join(known_in(context.version, FORMATS))}"
        yield error("format", f"format is not given, but {', '.join(given)} needs it", fix)


@rule(Filesystem, "F5")
def label_has_format(filesystem: Filesystem, context: Context) -> "Iterator[Finding]":
    """F5, F6 for its length, F7 for virtiofs."""
    if not filesystem.label:
        return
    if not filesystem.format:
        yield error("label", "label without format", "give the format, too")
    elif filesystem.format == _TAG and not context.before("3.7.0-experimental"):
        yield error("label", "virtiofs has no label", "leave it out", "F7")
    elif wrong := label_problem(filesystem.label, filesystem.format):
        yield error("label", *wrong, "F6")


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


@rule(Filesystem, "O19")
def uuid_can_be_given(filesystem: Filesystem, _: Context) -> "Iterator[Finding]":
    """Our own: mkfs refuses, when the partitions are made already."""
    uuid, form = (filesystem.uuid or "").lower(), filesystem.format
    if not uuid or form not in (*_WITH_UUID, "vfat"):
        return
    import re

    if form == "vfat":
        if not re.fullmatch("[0-9a-f]{1,8}", uuid.replace("-", "")):
            yield error("uuid", "not a volume id of vfat", "write it as 8 hex digits: 1234-abcd")
    elif uuid not in _WITH_UUID[form] and not re.fullmatch(UUID, uuid):
        yield error("uuid", "not a UUID", UUID_FIX)


def label_problem(label: str, name: str) -> tuple[str, str] | None:
    """Why this format cannot have this label, and the remedy; None if it can."""
    most, length = LABEL_BYTES.get(name, 0), len(label.encode())
    if not most or length <= most:
        return None
    return f"label is longer than {most} bytes, the most that {name} has room for", f"shorten it by {length - most} bytes"
