"""The file system of the config that later boots will find as ROOT, and whether they can mount it.

Sources: systemd-fstab-generator(8) for `root=`, `rootfstype=`, `rootflags=`; the options of each mkfs(8). Pure. The
contents are moved by root_contents.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config.known_values import LABEL_BYTES
from ignition.errors import Failure
from ignition.host import log
from ignition.host.root_device import GPT_AUTO, OF_PARTITION
from ignition.patterns import lazy_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model.storage import Filesystem, Storage
    from ignition.host.root_device import RootDevice
    from ignition.storage.capacity import Planned
    from ignition.storage.root_contents import RootFacts

NOT_MADE = (None, "", "none", "swap", "virtiofs")
_UUID = lazy_pattern(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_VANISHING = ("/dev/disk/by-label/", "/dev/disk/by-uuid/")
_KARGS_FIX = "or change the kernel arguments first (kernelArguments)"
# The options of each mkfs for label and UUID: short, long, and a member of a list after another option.
_LABEL_OPTIONS = {"ext4": ("-L",), "xfs": ("-L",), "btrfs": ("-L", "--label"), "vfat": ("-n",)}
_UUID_OPTIONS = {"ext4": ("-U",), "xfs": ("-m",), "btrfs": ("-U", "--uuid"), "vfat": ("-i",)}
# Mount options that only one format accepts: ext4(5), xfs(5), btrfs(5). Incomplete, but none is shared by two of them.
_OWN_OPTIONS = {
    "ext4": "data journal_checksum journal_async_commit delalloc nodelalloc auto_da_alloc noauto_da_alloc stripe min_batch_time "
    "max_batch_time journal_ioprio init_itable noinit_itable inode_readahead_blks dioread_lock dioread_nolock noload errors "
    "resgid resuid sb bsddf minixdf",
    "xfs": "allocsize attr2 noattr2 filestreams ikeep noikeep inode32 inode64 largeio nolargeio logbsize logbufs logdev rtdev "
    "nouuid sunit swidth swalloc wsync uquota gquota pquota uqnoenforce gqnoenforce pqnoenforce",
    "btrfs": "autodefrag noautodefrag compress compress-force nocompress datacow nodatacow datasum nodatasum degraded "
    "fatal_errors flushoncommit noflushoncommit max_inline metadata_ratio rescan_uuid_tree rescue skip_balance space_cache "
    "nospace_cache ssd ssd_spread nossd nossd_spread subvol subvolid thread_pool treelog notreelog user_subvol_rm_allowed",
}


def find(storage: Storage, device: RootDevice, facts: RootFacts, planned: Planned) -> list[tuple[int, Filesystem]]:
    """(index, entry) of the file system that `root=` will find; empty if the config creates none, several for 2.x names of one.

    A file system on ROOT's own device without label and UUID in the config gets the one in `root=`: the returned entries have it.
    Raises Failure for a ROOT that later boots would not find or could not mount, with its place.
    """
    wanted = [(index, one) for index, one in enumerate(storage.filesystems) if one.format not in NOT_MADE and not one.in_place]
    if device.kind in ("LABEL", "UUID"):
        found = [(index, one) for index, one in wanted if device.is_file_system(label_of(one), uuid_of(one))]
        if not found and facts.lost_by:
            found = [
                (index, _named(one, index, device))
                for index, one in wanted
                if _is_unnamed_root(one, storage, device, facts, planned)
            ]
    else:
        node = _device(storage, device, facts, planned)
        found = [
            (index, one)
            for index, one in wanted
            if node and (one.device == device.link or planned.node(one.device, storage) == node)
        ]
    places = {planned.node(one.device, storage): index for index, one in found}
    if len(places) > 1:
        first, second = sorted(places.values())[:2]
        raise Failure(
            f"the config makes two file systems {device.text}: this one, and the one at $.storage.filesystems.{first}",
            where=f"$.storage.filesystems.{second}",
            fix="change the label or UUID of one of them",
        )
    if found and facts.lost_by:
        _check(*found[0], device, storage, planned)
    return found


def _device(storage: Storage, device: RootDevice, facts: RootFacts, planned: Planned) -> str:
    """The node that a `root=` with a device or a partition will find; "" for none. Raises Failure for several."""
    if device.kind not in OF_PARTITION:
        node = planned.node(device.link, storage)
        # Found by its type GUID, which depends on the architecture; a new entry may have another one.
        return "" if device.link == GPT_AUTO and node in planned.made else node
    found = planned.named(device, facts.node)
    made = [node for node in found if node in planned.made]
    if made and len(found) > 1:
        raise Failure(
            f"there would be {len(found)} partitions {device.text}, and the kernel command line requires one: {', '.join(found)}",
            where="$.storage.disks",
            fix="choose another label for the new partition",
        )
    return found[0] if found else ""


def _is_unnamed_root(wanted: Filesystem, storage: Storage, device: RootDevice, facts: RootFacts, planned: Planned) -> bool:
    """Whether an entry uses ROOT's own device, without a label or UUID, and is not mounted elsewhere."""
    name = label_of(wanted) if device.kind == "LABEL" else uuid_of(wanted)
    is_elsewhere = wanted.path not in (None, "", "/")
    return not name and not is_elsewhere and planned.node(wanted.device, storage) == facts.node


def _named(wanted: Filesystem, index: int, device: RootDevice) -> Filesystem:
    """The entry with the label or UUID in `root=`. Raises Failure if its format does not support that."""
    where = f"$.storage.filesystems.{index}"
    if device.kind == "UUID":
        if not _UUID.fullmatch(device.value):
            raise Failure(
                f"root={device.text} on the kernel command line must find it, and {wanted.format} cannot have this UUID",
                where=where,
                fix=f"keep ROOT, {_KARGS_FIX}",
            )
        return wanted.evolve(uuid=device.value.lower())
    most = LABEL_BYTES.get(wanted.format or "", 0)
    if len(device.value.encode()) > most:
        raise Failure(
            f"root={device.text} on the kernel command line must find it, and {wanted.format} has labels of at most {most} bytes",
            where=where,
            fix=f"use a format with longer labels (btrfs), {_KARGS_FIX}",
        )
    return wanted.evolve(label=device.value)


def announce(before: Filesystem, after: Filesystem, device: RootDevice) -> None:
    """Log a label or UUID that is not in the config."""
    if after != before:
        what = f"label {after.label!r}" if device.kind == "LABEL" else f"UUID {after.uuid}"
        log.info(f"{after.device} gets the {what}, so that root={device.text} on the kernel command line finds the new ROOT")


def _check(index: int, wanted: Filesystem, device: RootDevice, storage: Storage, planned: Planned) -> None:
    """Raises Failure if later boots could not mount it as ROOT, or the stage would not find its device."""
    where = f"$.storage.filesystems.{index}"
    if wanted.format == "vfat":
        raise Failure(
            "this would be ROOT, and vfat has neither owners nor modes nor links",
            where=f"{where}.format",
            fix="use ext4, xfs or btrfs",
        )
    if device.format and not {wanted.format, "auto"} & set(device.format.split(",")):
        raise Failure(
            f"this would be ROOT, and rootfstype={device.format} on the kernel command line does not mount {wanted.format}",
            where=f"{where}.format",
            fix=f"use {device.format}, {_KARGS_FIX}",
        )
    for option in filter(None, device.flags.split(",")):
        if not _takes(wanted, option):
            raise Failure(
                f"this would be ROOT, and could not be mounted with rootflags={option} of the kernel command line",
                where=where,
                fix=f"keep its format and subvolumes, {_KARGS_FIX}",
            )
    if wanted.device.startswith(_VANISHING) and planned.node(wanted.device, storage) in planned.made:
        raise Failure(
            f"its partition is recreated, which removes {wanted.device}",
            where=f"{where}.device",
            fix="name the partition by its number or label (/dev/disk/by-partlabel/…)",
        )


def _takes(wanted: Filesystem, option: str) -> bool:
    """Whether a new ROOT can be mounted with an option; True for an unknown one."""
    name, _, value = option.partition("=")
    if name in ("subvol", "subvolid") and wanted.format == "btrfs":
        # ROOT's contents are copied to the default subvolume, which a plain mount shows.
        default = next((one.path.strip("/") for one in wanted.extension.subvolumes if one.default), "")
        return value.strip("/") == default if name == "subvol" else not default and value in ("0", "5")
    return not any(name in options.split() for format, options in _OWN_OPTIONS.items() if format != wanted.format)


def label_of(wanted: Filesystem) -> str:
    """The label that a file system will have, also from `options`; "" without one."""
    return wanted.label or next(_given(wanted.options, _LABEL_OPTIONS.get(wanted.format or "", ())), "")


def uuid_of(wanted: Filesystem) -> str:
    """The same for the UUID."""
    given = wanted.uuid or next(_given(wanted.options, _UUID_OPTIONS.get(wanted.format or "", ())), "")
    if wanted.format == "xfs" and not wanted.uuid:
        return next((part.removeprefix("uuid=") for part in given.split(",") if part.startswith("uuid=")), "")
    return given


def _given(options: tuple[str, ...], names: tuple[str, ...]) -> Iterator[str]:
    """The values of an option in any spelling of getopt_long(3): `-L x`, `-Lx`, `--label x`, `--label=x`; the last first."""
    for number in reversed(range(len(options))):
        word, following = options[number], options[number + 1 : number + 2]
        for name in names:
            if word == name:
                yield from following
            elif word.startswith(f"{name}=" if name.startswith("--") else name):
                yield word[len(name) :].removeprefix("=" if name.startswith("--") else "")
