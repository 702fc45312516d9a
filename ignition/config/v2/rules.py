"""The validation rules of the 2.x specs (docs/reference/ignition-config.md §3.6). Their ids: V and the row of that table.

As in 3.x, a rule about one member alone is a check in the model, and rules that are equal in 3.x are registered from there.

Unlike Ignition 0.x, an invalid record does not hide findings about its members.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config import unit_syntax, url
from ignition.config.record import camel_case
from ignition.config.rules import Context, error, paths, reachable, rule, warning
from ignition.config.rules.storage import (
    described_but_absent,
    group_is_id_or_name,
    label_problem,
    level_has_room_for_spares,
    partitioned_arrays,
    repeated_numbers,
    uncertain_numbers,
    user_is_id_or_name,
)
from ignition.config.rules.units import INSTALL_FIX
from ignition.config.v1.model import UserCreate
from ignition.config.v2.model import (
    Directory,
    Disk,
    File,
    Filesystem,
    Mount,
    Node,
    Partition,
    Raid,
    Reference,
    Storage2,
    Unit,
    User,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Finding
    from ignition.config.rules.storage import WithDisks


# V10, V11, V13–V15, V20 and O20: disks, partitions and arrays.


@rule(Disk, "V10")
def numbers_are_used_once(disk: Disk, _: Context) -> Iterator[Finding]:
    return repeated_numbers(disk.partitions)


@rule(Disk, "V11")
def partitions_do_not_overlap(disk: Disk, context: Context) -> Iterator[Finding]:
    always = context.before("2.3.0")
    # Before 2.3 an absent size is 0, which is one sector at least.
    placed = [
        (index, partition.start, partition.start + max(partition.size or 0, 1))
        for index, partition in enumerate(disk.partitions)
        if partition.start and (always or partition.size is not None)
    ]
    for first, start, end in placed:
        for second, other_start, other_end in placed:
            if first < second and start < other_end and other_start < end:
                message = f"overlaps partitions.{first} (sectors {start} to {end})"
                yield error(f"partitions.{second}", message, f"begin it at sector {end} or later, or leave start out")


@rule(Disk, "V13", since="2.3.0")
def next_free_number_is_certain(disk: Disk, _: Context) -> Iterator[Finding]:
    return uncertain_numbers(disk.partitions)


@rule(Disk, "V14", since="2.3.0")
def units_are_not_mixed(disk: Disk, _: Context) -> Iterator[Finding]:
    """Within a disk, and so within each partition."""
    sectors = [index for index, each in enumerate(disk.partitions) if each.size is not None or each.start is not None]
    mib = [index for index, each in enumerate(disk.partitions) if each.size_mib is not None or each.start_mib is not None]
    if sectors and mib:
        yield error(f"partitions.{sectors[0]}", "sectors (size, start) and MiB are mixed on one disk", "use sizeMiB and startMiB")


@rule(Partition, "V15", since="2.3.0")
def absent_partition_has_only_a_number(partition: Partition, _: Context) -> Iterator[Finding]:
    return described_but_absent(partition, start=partition.start, size=partition.size)


rule(Raid, "V20")(level_has_room_for_spares)


@rule(Storage2, "O20")
def devices_are_made_in_time(storage: WithDisks, _: Context) -> Iterator[Finding]:
    return partitioned_arrays(storage, {})


# V22, V24 and V27: file systems, and their names (V2, V3).

_ROOT = "root"


@rule(Storage2, "V2")
def entries_name_known_filesystems(storage: Storage2, _: Context) -> Iterator[Finding]:
    known = {_ROOT, *(filesystem.name for filesystem in storage.filesystems)}
    for name, nodes in (("files", storage.files), ("directories", storage.directories), ("links", storage.links)):
        for index, node in enumerate(nodes):
            # Only a warning: another config may define the file system.
            if node.filesystem and node.filesystem not in known:
                message = f"no file system of this config is named {node.filesystem}: an appended config must define it"
                yield warning(f"{name}.{index}.filesystem", message, "the root file system is named root")


@rule(Storage2, "V3")
def names_are_used_once(storage: Storage2, _: Context) -> Iterator[Finding]:
    seen: set[str] = {_ROOT}
    for index, filesystem in enumerate(storage.filesystems):
        if filesystem.name in seen:
            message = f"the name {filesystem.name} is already used: the last definition counts"
            yield warning(f"filesystems.{index}.name", message, "choose another name")
        if filesystem.name:
            seen.add(filesystem.name)


@rule(Filesystem, "V22")
def filesystem_is_mount_or_path(filesystem: Filesystem, _: Context) -> Iterator[Finding]:
    if filesystem.mount is None and filesystem.path is None:
        yield error("", "file system has neither mount nor path", "specify one of them")
    elif filesystem.mount is not None and filesystem.path is not None:
        yield error("", "file system has both mount and path", "leave one of them out")


@rule(Mount, "V24", since="2.1.0")
def create_stands_alone(mount: Mount, _: Context) -> Iterator[Finding]:
    if mount.create is None:
        return
    if mount.wipe_filesystem:
        yield error("", "create cannot be used with wipeFilesystem", "leave create out")
    if mount.options:
        yield error("", "create cannot be used with options", "leave create out")


@rule(Mount, "V27", since="2.1.0")
def label_is_short(mount: Mount, _: Context) -> Iterator[Finding]:
    if mount.label and (wrong := label_problem(mount.label, mount.format)):
        yield error("label", *wrong)


# V8: request headers.


@rule(Reference, "V8", since="2.4.0")
def headers_are_usable(reference: Reference, _: Context) -> Iterator[Finding]:
    if reference.http_headers and (url.syntax_problem(reference.source) or not url.is_http(reference.source)):
        yield error("httpHeaders", "only http and https have request headers", "leave them out")
    seen: set[str] = set()
    for index, header in enumerate(reference.http_headers):
        if header.name in seen:
            yield error(f"httpHeaders.{index}", "duplicate: an earlier header has the same name", "remove one")
        seen.add(header.name)


# V30, V32 and V33: files, directories and links.


rule(Node, "V30", since="2.1.0")(user_is_id_or_name)
rule(Node, "V30", since="2.1.0")(group_is_id_or_name)


@rule(File, "V32", since="2.2.0")
@rule(Directory, "V32", since="2.2.0")
def mode_is_given(node: File | Directory, _: Context) -> Iterator[Finding]:
    # Appending keeps the mode of an existing file.
    if node.mode is None and not (isinstance(node, File) and node.append):
        yield warning("mode", "mode is not given: 0000 will be used", "420 is 0644, 493 is 0755")


@rule(File, "V33", since="2.2.0")
def appending_does_not_overwrite(file: File, _: Context) -> Iterator[Finding]:
    if file.append and file.overwrite:
        yield error("", "overwrite and append exclude each other", "leave one of them out")


# V43: users.


@rule(User, "V43", since="2.1.0")
def member_stands_in_one_place(user: User, _: Context) -> Iterator[Finding]:
    if user.create is None:
        return
    for name, field in UserCreate.FIELDS.items():
        if getattr(user, name) != field.default:
            other = camel_case(name)
            yield error("", f"create cannot be used with {other}", f"leave one of create and {other} out")


# Rules O1, O2 and O8 for 2.x: entries below a file or link, two kinds of entries at one place, entries over a mount point.

_ROOT_PATH = "root"


@rule(Storage2, "O1")
def entries_can_be_written(storage: Storage2, _: Context) -> Iterator[Finding]:
    """O1, O2 and O8."""
    lists = (("directories", storage.directories, True), ("files", storage.files, False), ("links", storage.links, False))
    entries = [
        reachable.Written(name, index, (node.filesystem, paths.simplest(node.path)), holds_others=holds, removes=_removes(node))
        for name, nodes, holds in lists
        for index, node in enumerate(nodes)
        if node.path.startswith("/")
    ]
    yield from reachable.below(entries)
    yield from reachable.clashes(entries)
    mounted = reachable.in_place(((index, one.path) for index, one in enumerate(storage.filesystems)), _ROOT_PATH)
    named = (((one.name, "/"), f"filesystems.{index}") for index, one in enumerate(storage.filesystems) if one.name)
    yield from reachable.hidden(entries, [*mounted, *named])


def _removes(node: Node) -> bool:
    """Files replace existing ones by default."""
    if isinstance(node, File):
        return node.overwrite is not False and not node.append
    return node.overwrite is True


# V38: systemd units.


@rule(Unit, "V38")
def enabled_unit_can_be_enabled(unit: Unit, _: Context) -> Iterator[Finding]:
    # The parser of 2.x did not distinguish a text without options from an absent one, and the rule ignored both.
    is_said = unit.contents and unit_syntax.has_options(unit.contents)
    if (unit.enable or unit.enabled) and is_said and not unit_syntax.can_be_enabled(unit.contents):
        message = "unit is enabled, but has nothing in an [Install] section: enabling has no effect"
        yield warning("contents", message, INSTALL_FIX)
