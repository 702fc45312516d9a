"""The `storage` section: rules A2, D3–D6, F2–F8, L5–L10, N4, N5, N8, P1, P2 and S1–S8, and our own O7, O15–O17, O19 and O20.

A config that breaks one of our own fails on every machine, when the stages have already changed the disks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ignition.config import stacking, url
from ignition.config.clevis_pins import SSS, TANG, TPM2, problem
from ignition.config.known_values import FORMATS, LABEL_BYTES, PINS, RAID_WITHOUT_SPARES, known_in
from ignition.config.model.storage import ClevisCustom, Disk, File, Filesystem, Luks, Node, Partition, Raid, Storage
from ignition.config.rules import Context, error, paths, rule, warning
from ignition.config.rules.reachable import mount_points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from ignition.config.report import Finding

    class Numbered(Protocol):
        """A partition of any spec version."""

        @property
        def number(self) -> int: ...

    class MaybeAbsent(Numbered, Protocol):
        """A partition of spec 2.3 or later."""

        @property
        def should_exist(self) -> bool | None: ...

    class Described(Protocol):
        """A partition of spec 2.3 or later."""

        @property
        def should_exist(self) -> bool | None: ...
        @property
        def label(self) -> str | None: ...
        @property
        def guid(self) -> str | None: ...
        @property
        def type_guid(self) -> str | None: ...

    class Owned(Protocol):
        """A node of any spec version."""

        @property
        def user(self) -> Any: ...
        @property
        def group(self) -> Any: ...

    class Redundant(Protocol):
        """An array of any spec version."""

        @property
        def level(self) -> str | None: ...
        @property
        def spares(self) -> int | None: ...

    class WithDisks(Protocol):
        """The storage section of any spec version."""

        @property
        def disks(self) -> Sequence[Any]: ...
        @property
        def raid(self) -> Sequence[stacking.Array]: ...


ZERO_BESIDE_ABSENT = "2.27.0"  # the first Ignition that accepts number 0 on a disk with a partition that must be absent


@rule(Disk, "D3")
def numbers_are_used_once(disk: Disk, _: Context) -> Iterator[Finding]:
    return repeated_numbers(disk.partitions if disk.device else ())


def repeated_numbers(partitions: Sequence[Numbered]) -> Iterator[Finding]:
    """The rule itself, shared with V10 of 2.x."""
    seen: dict[int, int] = {}
    for index, partition in enumerate(partitions):
        if partition.number:
            if partition.number in seen:
                message = f"number {partition.number} is already used by partitions.{seen[partition.number]}"
                fix = "use a different number for each partition, or 0 for the next free one"
                yield error(f"partitions.{index}", message, fix)
            seen.setdefault(partition.number, index)


@rule(Disk, "D4")
def partitions_do_not_overlap(disk: Disk, _: Context) -> Iterator[Finding]:
    placed = [  # with their first and last MiB; negative sizes, which are valid, are compared as in Ignition
        (index, partition.start_mib, partition.start_mib + (partition.size_mib or 1) - 1)
        for index, partition in enumerate(disk.partitions if disk.device else ())
        if partition.start_mib and partition.size_mib is not None
    ]
    for one, start, last in placed:
        for other, other_start, other_last in placed:
            # One end inside the other partition, or the other partition inside this one.
            touches = any(other_start <= edge <= other_last for edge in (start, last))
            if one != other and (touches or (start < other_start and other_last < last)):
                message = f"overlaps partitions.{one} (MiB {start} to {last + 1})"
                yield error(f"partitions.{other}", message, f"begin it at startMiB {last + 1} or later, or leave startMiB out")
                return


@rule(Disk, "D5")
def labels_are_used_once(disk: Disk, _: Context) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for index, partition in enumerate(disk.partitions if disk.device else ()):
        if partition.label is not None:
            if partition.label in seen:
                message = f"label {partition.label} is already used by partitions.{seen[partition.label]}"
                yield error(f"partitions.{index}", message, "use a different label for each partition")
            seen.setdefault(partition.label, index)


@rule(Disk, "D6", until="3.6.0")
def next_free_number_is_certain(disk: Disk, _: Context) -> Iterator[Finding]:
    """Every Ignition before ZERO_BESIDE_ABSENT refuses it in any spec, and a config of a final spec may be read by one."""
    return uncertain_numbers(disk.partitions if disk.device else ())


def uncertain_numbers(partitions: Sequence[MaybeAbsent]) -> Iterator[Finding]:
    """The rule itself, shared with V13 of 2.3 and later."""
    absent = next(
        (
            index
            for index, partition in enumerate(partitions)
            # Not "is False": a boolean with an origin (config/origins.py) is a number.
            if partition.should_exist is not None and not partition.should_exist
        ),
        None,
    )
    for index, partition in enumerate(partitions if absent is not None else ()):
        if not partition.number:
            message = f"number 0 beside partitions.{absent}, whose shouldExist is false: the next free number is uncertain"
            yield error(f"partitions.{index}", message, "specify the number of the partition")


@rule(Partition, "P1")
def absent_partition_has_only_a_number(partition: Partition, _: Context) -> Iterator[Finding]:
    return described_but_absent(partition, startMiB=partition.start_mib, sizeMiB=partition.size_mib)


def described_but_absent(partition: Described, **extent: int | None) -> Iterator[Finding]:
    """The rule itself, shared with V15 of 2.3 and later, where `extent` is in sectors."""
    if partition.should_exist is not False:
        return
    texts = {"label": partition.label, "guid": partition.guid or None, "typeGuid": partition.type_guid or None}
    given = [name for name, value in (*texts.items(), *extent.items()) if value is not None]
    if given:
        yield error(
            "", f"shouldExist is false, but {', '.join(given)} describes the partition", "identify it by its number alone"
        )


@rule(Partition, "P2")
def partition_has_number_or_label(partition: Partition, _: Context) -> Iterator[Finding]:
    if not partition.number and partition.label is None:
        yield error("", "partition has neither a number nor a label", "specify one, so that the next boot finds it again")


@rule(Storage, "O20")
def devices_are_made_in_time(storage: Storage, _: Context) -> Iterator[Finding]:
    """Ignition waits for such a device until it times out, when the partitions have already been created."""
    volumes = {path: f"luks.{index}" for index, one in enumerate(storage.luks) for path in stacking.volume_paths(one.name)}
    yield from partitioned_arrays(storage, volumes)
    for index, array in enumerate(storage.raid):
        for number, device in enumerate(array.devices):
            if device in volumes:
                message = f"this is the encrypted volume {volumes[device]}: arrays are created before encrypted volumes"
                yield error(f"raid.{index}.devices.{number}", message, "encrypt the array instead")
    way = stacking.cycle(stacking.below_volumes(storage.luks))
    if way:
        yield error(f"luks.{way[0]}.device", _in_a_circle(way, storage.luks, "encrypted volume"), "name an existing device")


def partitioned_arrays(storage: WithDisks, volumes: Mapping[str, str]) -> Iterator[Finding]:
    """The part of O20 that applies to specs 1 and 2.x as well. `volumes`: encrypted ones by path."""
    arrays = {stacking.array_path(one.name): f"raid.{index}" for index, one in enumerate(storage.raid)}
    for index, disk in enumerate(storage.disks):
        if made := arrays.get(disk.device) or volumes.get(disk.device):
            kind = "array" if disk.device in arrays else "encrypted volume"
            message = f"this is the {kind} {made}: partitions are created before {kind}s"
            yield error(f"disks.{index}.device", message, f"make a file system on the {kind} itself, without partitions")
    below = stacking.below_arrays(storage.raid)
    way = stacking.cycle(below)
    if way:
        # The finding is at the device that leads to the next array of the cycle; in a cycle of one that is the array itself.
        second = stacking.array_path(storage.raid[way[1 % len(way)]].name)
        where = f"raid.{way[0]}.devices.{storage.raid[way[0]].devices.index(second)}"
        yield error(where, _in_a_circle(way, storage.raid, "array"), "name existing devices, or arrays of existing devices")


def _in_a_circle(way: list[int], made: Sequence[Any], kind: str) -> str:
    if len(way) == 1:
        return f"the {kind} {made[way[0]].name} contains itself"
    return f"{kind}s contain each other: {' → '.join(made[one].name for one in [*way, way[0]])}"


# Rules A2, and our own O15 and O16: md arrays.

# Minimum of active devices for mdadm --create --force; one is enough for other levels. Source: Create.c of mdadm.
_FEWEST = {**dict.fromkeys(("raid4", "4", "raid5", "5", "raid10", "10"), 2), **dict.fromkeys(("raid6", "6"), 4)}


@rule(Raid, "A2")
def level_has_room_for_spares(raid: Redundant, _: Context) -> Iterator[Finding]:
    if raid.level in RAID_WITHOUT_SPARES and raid.spares:
        yield error("level", f"{raid.level} cannot have spares", "leave spares out, or choose a level with redundancy")


@rule(Raid, "O15")
def level_has_enough_devices(raid: Raid, _: Context) -> Iterator[Finding]:
    """Our own: mdadm would fail."""
    spares, count = raid.spares or 0, len(raid.devices)
    if spares < 0:
        yield error("spares", "spares is negative", "specify the number of spare devices, or leave it out")
    elif spares and raid.level in RAID_WITHOUT_SPARES:
        return  # A2
    # mdadm --raid-devices=N and placeholders for absent devices.
    elif any("devices" in option or option == "missing" for option in raid.options):
        return  # the options override the number of devices
    elif raid.devices and count - spares < _FEWEST.get(raid.level or "", 1):
        fewest = _FEWEST.get(raid.level or "", 1)
        beside = f" beside its {spares} spare{'s' if spares > 1 else ''}" if spares else ""
        has = f"{max(count - spares, 0)} of {count}" if spares else str(count)
        message = f"{raid.level or 'an array'} needs {fewest} device{'s' if fewest > 1 else ''} or more{beside}, and has {has}"
        yield error("devices", message, f"list {fewest + spares} or more, or choose another level")


@rule(Raid, "O16")
def array_can_be_called_so(raid: Raid, _: Context) -> Iterator[Finding]:
    """Our own: mdadm(8), DEVICE NAMES. A name with a leading directory is the path of a device."""
    name = raid.name
    for directory in ("/dev/md/", "/dev/"):
        if name.startswith(directory):
            name = name.removeprefix(directory)
            break
    if not name:
        yield error("name", "array has no name", "specify the bare name below /dev/md, such as data")
    elif "/" in name or name in (".", ".."):
        yield error("name", f"{raid.name} is not a valid array name", "specify the bare name below /dev/md, such as data")


# Rules L5–L10, and our own O16, O17 and O19: encrypted volumes.

_NOT_A_NAME = ("", ".", "..", "control")  # the last is the control node of the device mapper
_LONGEST_NAME = 127


@rule(Luks, "L5")
def custom_pin_stands_alone(luks: Luks, context: Context) -> Iterator[Finding]:
    clevis = luks.clevis
    if context.before("3.3.0"):
        used = context.is_present("clevis", "custom")  # an empty object counts as well
    else:
        used = bool(clevis.custom.pin)
    if used and (clevis.tang or clevis.tpm2 or clevis.threshold):
        yield error("clevis", "custom cannot be used with tang, tpm2 or threshold", "write them into custom.config")


@rule(Luks, "O16")
def volume_name_is_usable(luks: Luks, _: Context) -> Iterator[Finding]:
    """Our own: dm_task_set_name() of libdevmapper, and DM_NAME_LEN of linux/dm-ioctl.h."""
    if luks.name in _NOT_A_NAME:
        wrong = f"{luks.name} is not a valid name below /dev/mapper" if luks.name else "volume has no name"
        yield error("name", wrong, "specify the bare name below /dev/mapper, such as data")
    elif len(luks.name.encode("utf-8", "replace")) > _LONGEST_NAME:
        yield error(
            "name", f"name is longer than {_LONGEST_NAME} bytes", "shorten it: the device mapper does not accept longer names"
        )


@rule(Luks, "O19")
def volume_uuid_is_usable(luks: Luks, _: Context) -> Iterator[Finding]:
    """Our own: cryptsetup would fail."""
    if luks.uuid:
        import re

        if not re.fullmatch(UUID, luks.uuid):
            yield error("uuid", "not a UUID", UUID_FIX)


@rule(Luks, "O17")
def threshold_can_be_reached(luks: Luks, _: Context) -> Iterator[Finding]:
    """Our own: clevis-encrypt-sss(1) would fail after the volume has been formatted."""
    clevis = luks.clevis
    if clevis.custom.pin:
        yield from _custom(clevis.custom)
    elif clevis.threshold:
        pins: dict[str, Any] = {TANG: [{"thp": True} for _ in clevis.tang], **({TPM2: {}} if clevis.tpm2 else {})}
        if wrong := problem(SSS, {"pins": pins, "t": clevis.threshold}):
            yield error("clevis.threshold", *wrong)


def _custom(custom: ClevisCustom) -> Iterator[Finding]:
    if not custom.config or custom.pin not in (SSS, TANG, TPM2):
        return  # L10; the options of other pins are unknown
    import json

    try:
        config = json.loads(custom.config)
        wrong = problem(custom.pin, config) if isinstance(config, dict) else None
    except (ValueError, RecursionError):
        config, wrong = None, None
    if not isinstance(config, dict):
        wrong = "config of the pin is not a JSON object", "write what clevis encrypt takes: a JSON text in quotes"
    if wrong:
        yield error("clevis.custom.config", *wrong)


@rule(Luks, "L6")
def key_file_is_a_usable_url(luks: Luks, context: Context) -> Iterator[Finding]:
    source = luks.key_file.source or ""
    identity, wrong = url.problem(source, context.version)
    if wrong:
        yield error("keys", wrong, url.fix(identity, source, context.version))


@rule(Luks, "L7", since="3.5.0")
def secure_key_excludes_others(luks: Luks, _: Context) -> Iterator[Finding]:
    """L7 clevis, L8 key file."""
    clevis = luks.clevis
    if luks.cex.enabled and (clevis.custom.pin or clevis.tang or clevis.tpm2 or clevis.threshold):
        yield error("cex", "cex cannot be used with clevis", "leave one of them out")
    if luks.cex.enabled and luks.key_file.source:
        yield error("cex", "cex cannot be used with a key file", "leave one of them out", "L8")


@rule(ClevisCustom, "L9", stricter_in="3.3.0")
def pin_is_known(custom: ClevisCustom, context: Context) -> Iterator[Finding]:
    """L9, and L10 for its config."""
    from ignition.config.suggest import one_of

    # Before 3.3 needsNetwork alone did not count as a custom pin.
    needs_network = bool(custom.needs_network) and not context.before("3.3.0")
    if not (custom.pin or custom.config or needs_network):
        return
    # From 3.6 on any name of a pin is allowed.
    if context.before("3.6.0"):
        if custom.pin not in PINS:
            yield error("pin", "unknown pin", f"{one_of(custom.pin or '', PINS)}; spec 3.6.0 accepts any")
    elif not custom.pin:
        yield error("pin", "pin is not given", "name the pin that config is for, such as tang")
    if not custom.config:
        yield error("config", "config of the pin is not given", "write what clevis encrypt takes: a JSON text in quotes", "L10")


# Rules F2 of tags, F3, F5–F8, O7, O19, S7 and S8: file systems.

_TAG, _TAG_BYTES = "virtiofs", 36
UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
UUID_FIX = "uuidgen makes one"
_CHOSEN = ("clear", "random", "time")  # words of tune2fs(8) and mkswap(8)
_WITH_UUID = {"ext4": _CHOSEN, "swap": _CHOSEN, "xfs": (), "btrfs": ()}


@rule(Storage, "S7")
def filesystem_is_not_on_a_partitioned_disk(storage: Storage, _: Context) -> Iterator[Finding]:
    """S7, and S8 for a disk whose table is wiped."""
    disks = {disk.device: disk for disk in storage.disks}
    for index, filesystem in enumerate(storage.filesystems):
        # The whole disk by the same name; other names of one disk cannot be compared here.
        disk = disks.get(filesystem.device)
        where = f"filesystems.{index}.device"
        if disk and disk.partitions:
            yield warning(where, "this disk is partitioned in the same config", "name one of the partitions")
        elif disk and disk.wipe_table and not filesystem.wipe_filesystem:
            fix = "set wipeFilesystem if the disk holds the file system itself"
            yield warning(where, "the partition table of this disk is wiped in the same config", fix, "S8")


@rule(Storage, "O7")
def mount_points_are_used_once(storage: Storage, _: Context) -> Iterator[Finding]:
    """Our own: Ignition mounts one over the other and hides the files of the first."""
    seen: dict[str, str] = {}
    for where, member, path in mount_points(storage):
        if path in seen:
            message = f"path {path} is already used by {seen[path]}: one would hide the other"
            yield error(f"{where}.{member}", message, "use a different path for each file system")
        seen.setdefault(path, where)


@rule(Filesystem, "F2", since="3.7.0-experimental")
def device_is_a_tag_or_an_absolute_path(filesystem: Filesystem, _: Context) -> Iterator[Finding]:
    if filesystem.format == _TAG:
        if len(filesystem.device.encode()) > _TAG_BYTES:
            yield error(
                "device", f"the tag is longer than {_TAG_BYTES} bytes", "specify the tag that the host assigned to the directory"
            )
    elif filesystem.device and (wrong := paths.problem(filesystem.device)):
        yield error("device", wrong, paths.fix(filesystem.device))


@rule(Filesystem, "F3")
def format_is_given(filesystem: Filesystem, context: Context) -> Iterator[Finding]:
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
        yield error("format", f"format is not given, but required by {', '.join(given)}", fix)


@rule(Filesystem, "F5", stricter_in="3.7.0-experimental")
def label_has_format(filesystem: Filesystem, context: Context) -> Iterator[Finding]:
    """F5, F6 for its length, F7 for virtiofs."""
    if not filesystem.label:
        return
    if not filesystem.format:
        yield error("label", "label without format", "specify the format as well")
    elif filesystem.format == _TAG and not context.before("3.7.0-experimental"):
        yield error("label", "virtiofs has no label", "leave it out", "F7")
    elif wrong := label_problem(filesystem.label, filesystem.format):
        yield error("label", *wrong, "F6")


@rule(Filesystem, "F8", since="3.7.0-experimental")
def shared_directory_is_never_formatted(filesystem: Filesystem, _: Context) -> Iterator[Finding]:
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
def filesystem_uuid_is_usable(filesystem: Filesystem, _: Context) -> Iterator[Finding]:
    """Our own: mkfs would fail."""
    uuid, form = (filesystem.uuid or "").lower(), filesystem.format
    if not uuid or form not in (*_WITH_UUID, "vfat"):
        return
    import re

    if form == "vfat":
        # A FAT volume id has 32 bits; blkid prints it with a dash, mkfs.vfat -i wants none.
        if not re.fullmatch("[0-9a-f]{1,8}", uuid.replace("-", "")):
            yield error("uuid", "not a volume id of vfat", "write it as 8 hex digits: 1234-abcd")
    elif uuid not in _WITH_UUID[form] and not re.fullmatch(UUID, uuid):
        yield error("uuid", "not a UUID", UUID_FIX)


def label_problem(label: str, name: str) -> tuple[str, str] | None:
    """Why the label is invalid for this format, and the fix; None if it is valid."""
    most, length = LABEL_BYTES.get(name, 0), len(label.encode())
    if not most or length <= most:
        return None
    return f"label is longer than {most} bytes, the limit of {name}", f"shorten it by {length - most} bytes"


# Rules N4, N5, N8 and S1–S6: files, directories and links.


@rule(Storage, "S1")
def entries_do_not_lie_below_links(storage: Storage, _: Context) -> Iterator[Finding]:
    """S1 directories, S2 files, S3 links."""
    links = {link.path for link in storage.links}
    if not links:
        return
    for identity, name, nodes in (
        ("S1", "directories", storage.directories),
        ("S2", "files", storage.files),
        ("S3", "links", storage.links),
    ):
        for index, node in enumerate(nodes):
            if any(ancestor in links for ancestor in paths.ancestors(node.path)):
                fix = "use the path that the link points to"
                yield error(f"{name}.{index}", "its path lies below a link of this config", fix, identity)


@rule(Storage, "S5")
def hard_link_leads_to_no_directory(storage: Storage, _: Context) -> Iterator[Finding]:
    directories = {directory.path for directory in storage.directories}
    for index, link in enumerate(storage.links):
        target = link.target or ""
        if link.hard and paths.simplest(target if target.startswith("/") else f"{link.path}/{target}") in directories:
            yield error(f"links.{index}", "hard link to a directory", "make it a symbolic link: leave hard out")


@rule(Storage, "S6")
def hard_link_has_no_owner_of_its_own(storage: Storage, _: Context) -> Iterator[Finding]:
    for index, link in enumerate(storage.links):
        if not link.hard:
            continue
        for where, value in (
            ("user.id", link.user.id),
            ("user.name", link.user.name),
            ("group.id", link.group.id),
            ("group.name", link.group.name),
        ):
            if value is not None and value != "":
                yield warning(f"links.{index}.{where}", "ignored: a hard link has the owner of its target", "leave it out")


@rule(Node, "N4")
def user_is_id_or_name(node: Owned, _: Context) -> Iterator[Finding]:
    if node.user.id is not None and node.user.name:
        yield error("user", "user has both an id and a name", "leave one of them out")


@rule(Node, "N5")
def group_is_id_or_name(node: Owned, _: Context) -> Iterator[Finding]:
    if node.group.id is not None and node.group.name:
        yield error("group", "group has both an id and a name", "leave one of them out")


@rule(File, "N8")
def overwritten_file_has_contents(file: File, _: Context) -> Iterator[Finding]:
    if file.overwrite and file.contents.source is None:
        yield error("overwrite", "overwrite is true but there are no contents", 'for an empty file, set contents.source to ""')
