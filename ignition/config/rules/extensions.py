"""Rules E2 and following, our own: rules about several members of our extensions (docs/extensions.md)."""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config.checks import attribute_bit
from ignition.config.known_values import SELECTED
from ignition.config.model.extensions import MEMBER, Attributes, FilesystemExtension, Select, Subvolume
from ignition.config.model.ignition import Header, Resource
from ignition.config.model.passwd import User
from ignition.config.model.storage import Disk, Filesystem, Partition, Storage
from ignition.config.rules import Context, error, paths, rule
from ignition.config.rules.reachable import written
from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Finding


@rule(Attributes, "E2")
def bits_are_set_or_cleared(attributes: Attributes, _: Context) -> Iterator[Finding]:
    to_set = {attribute_bit(name): index for index, name in enumerate(attributes.set)}
    for index, name in enumerate(attributes.clear):
        other = to_set.get(attribute_bit(name))
        if other is not None and attribute_bit(name) is not None:
            yield error(f"clear.{index}", f"bit {name} is also set by set.{other}", "remove one of the two")


@rule(Partition, "E3")
def absent_partition_has_no_attributes(partition: Partition, _: Context) -> Iterator[Finding]:
    if partition.should_exist is False and partition.extension.attributes != Attributes():
        yield error(f"{MEMBER}.attributes", "shouldExist is false, but attributes are given", "leave them out")


@rule(Disk, "E4")
def selected_disk_has_a_name_of_its_own(disk: Disk, _: Context) -> Iterator[Finding]:
    """E4, and E5 for such a name of a disk that is not selected."""
    name = disk.device.removeprefix(SELECTED) if disk.device.startswith(SELECTED) else None
    if disk.extension.select != Select():
        if name is None or not is_own_name(name):
            fix = f"name it {SELECTED}NAME, of letters, digits, - . and _, and not ending in -part and a number"
            yield error("device", "a selected disk must have a device below /dev/disk/by-ignition", fix)
    elif name is not None:
        yield error("device", f"nothing selects the disk {name}", f"add {MEMBER}.select, or name a device", "E5")


def is_own_name(name: str) -> bool:
    """Whether the name is valid for a selected disk; those of its partitions end in `-part1` and so on."""
    import re

    return bool(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name, re.ASCII)) and not re.search(r"-part\d+$", name, re.ASCII)


@rule(Subvolume, "E7")
def subvolume_is_not_the_top(subvolume: Subvolume, _: Context) -> Iterator[Finding]:
    """E7, E9 for a subvolume mounted on ROOT, E11 for its mount options."""
    if subvolume.path == "/":
        yield error("path", "this is the file system itself, not a subvolume", "name it, as in /@home")
    if subvolume.mount_path == "/":
        fix = "format ROOT as btrfs, and make its subvolume the default one"
        yield error("mountPath", "a subvolume cannot be mounted on the root of the machine", fix, "E9")
    if subvolume.mount_options and not subvolume.mount_path:
        yield error("mountOptions", "mountOptions is given, but nothing is mounted", "specify mountPath as well", "E11")
    for index, option in enumerate(subvolume.mount_options):
        if any(word.partition("=")[0] in ("subvol", "subvolid") for word in option.split(",")):
            yield error(f"mountOptions.{index}", "path already selects the subvolume", "leave this option out", "E11")


@rule(Filesystem, "E8")
def only_btrfs_has_subvolumes(filesystem: Filesystem, _: Context) -> Iterator[Finding]:
    if filesystem.extension.subvolumes and filesystem.format != "btrfs":
        yield error(f"{MEMBER}.subvolumes", f"{filesystem.format or 'no format'} has no subvolumes", "format it as btrfs")


@rule(FilesystemExtension, "E10")
def one_subvolume_is_the_default(extension: FilesystemExtension, _: Context) -> Iterator[Finding]:
    chosen = [index for index, subvolume in enumerate(extension.subvolumes) if subvolume.default]
    for index in chosen[1:]:
        yield error(f"subvolumes.{index}.default", f"subvolumes.{chosen[0]} is already the default", "choose one of the two")


@rule(Filesystem, "E12")
def only_swap_is_activated(filesystem: Filesystem, _: Context) -> Iterator[Finding]:
    if filesystem.extension.activate and filesystem.format != "swap":
        yield error(f"{MEMBER}.activate", f"{filesystem.format or 'no format'} is not swap", "leave it out, or format it as swap")


@rule(Storage, "E16")
def swap_files_lie_apart_from_other_entries(storage: Storage, _: Context) -> Iterator[Finding]:
    if not storage.extension.swap_files:
        return
    entries = [entry for entry in written(storage, links_hold_others=False) if entry.key[0] is None]
    solid = {entry.key[1]: entry.where for entry in entries if not entry.holds_others}
    # Reversed, so that the first entry of the config is named.
    others = {path: entry.where for entry in reversed(entries) for path in (entry.key[1], *paths.ancestors(entry.key[1]))}
    for index, file in enumerate(storage.extension.swap_files):
        above = (solid[one] for one in paths.ancestors(file.path) if one in solid)
        other = others.get(file.path) or next(above, None)
        if other:
            where = f"{MEMBER}.swapFiles.{index}.path"
            yield error(where, f"{other} lies at, above or below this path", "choose another path for the swap file")


@rule(Resource, "E20")
def sealed_content_is_one(resource: Resource, _: Context) -> Iterator[Finding]:
    """E20, and E19 for content in the config itself."""
    if not resource.extension.sealed:
        return
    if not resource.source:
        yield error(f"{MEMBER}.sealed", "sealed without source: there is nothing to open", "specify the source as well")
        return
    from ignition.config import dataurl, sealed

    try:
        dataurl.decode(resource.source)
    except Failure:
        return  # R10, or it must be fetched
    try:
        if content := sealed.inline(resource):
            sealed.pins(content)
        elif content is not None:
            yield error("source", "the sealed text is empty", sealed.FIX, "E19")
    except Failure as failure:
        yield error("source", failure.what, failure.fix, "E19")


@rule(User, "E21")
def password_is_given_once(user: User, _: Context) -> Iterator[Finding]:
    if user.extension.sealed_password_hash is not None and user.password_hash is not None:
        yield error(f"{MEMBER}.sealedPasswordHash", "passwordHash is given as well", "leave one of them out")


@rule(Header, "E21")
def header_value_is_given_once(header: Header, _: Context) -> Iterator[Finding]:
    if header.extension.sealed_value is not None and header.value is not None:
        yield error(f"{MEMBER}.sealedValue", "value is given as well", "leave one of them out")
