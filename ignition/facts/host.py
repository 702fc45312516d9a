"""The facts of this machine: devices through udev, contents through libblkid's programs. Reads only; needs root for devices."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from typing import Any

from ignition.errors import CommandFailed, Failure, is_foreign
from ignition.facts import document, superblock
from ignition.facts.document import Content, Device, Facts, Luks, Member, Part, Table
from ignition.host import cmdline, devices, machine_disks, mounts
from ignition.host.printable import shown
from ignition.storage import gpt, gpt_disk, guid, luks_header, raid, root_contents, signatures
from ignition.storage.disk import opened

_EFI, _INITRAMFS = "/sys/firmware/efi", "/etc/initrd-release"
_IGNORED = ("loop", "ram", "zram", "sr", "fd", "nbd")


def probe(root: str = "/") -> Facts:
    """All devices of this machine, and what else a plan needs. Devices that cannot be read say why."""
    total, available = root_contents.available_memory()
    return Facts(
        devices=tuple(_devices()),
        kernel_arguments=_public(cmdline.read()),
        efi=os.path.isdir(_EFI),
        memory=total,
        available=available,
        architecture=platform.machine(),
        source=f"machine {platform.node()}",
        root=_node_of_mount(root),
        initramfs=os.path.exists(_INITRAMFS),
        links=tuple(_links()),
    )


def _public(arguments: str) -> str:
    """The kernel command line; of URLs only what may be shown."""
    words = []
    for word in arguments.split():
        name, sign, value = word.partition("=")
        words.append(f"{name}={shown(value)}" if sign and "://" in value else word)
    return " ".join(words)


def _node_of_mount(target: str) -> str:
    for mount in reversed(mounts.current()):
        if mount.target == (target.rstrip("/") or "/"):
            name = devices.name_of_number(*mount.device)
            return devices.node_of(name) if name else os.path.realpath(mount.source)
    return ""


def _devices() -> Iterator[Device]:
    import pyudev

    context, users = pyudev.Context(), devices.Users()
    disks = {disk.name: disk for disk in machine_disks.probe()}
    used = _used_bytes()
    for found in sorted(context.list_devices(subsystem="block"), key=lambda one: (len(one.sys_name), one.sys_name)):
        name, size = found.sys_name, devices.length_of(found.sys_name)
        if not size or name.startswith(_IGNORED):
            continue
        try:
            yield _device(name, size, tuple(sorted(found.device_links)), users, disks.get(name), used)
        except (OSError, CommandFailed) as error:
            reason = str(error.strerror) if isinstance(error, OSError) else error.what
            yield Device(devices.node_of(name), _kind(name, is_partition=False, is_disk=name in disks), size, unread=reason)


def _used_bytes() -> dict[str, int]:
    """Node → bytes of files, of mounted file systems."""
    found = {}
    for mount in mounts.current():
        name = devices.name_of_number(*mount.device)
        if name:
            status = os.statvfs(mount.target)
            found[devices.node_of(name)] = (status.f_blocks - status.f_bfree) * status.f_frsize
    return found


def _device(
    name: str,
    size: int,
    links: tuple[str, ...],
    users: devices.Users,
    disk: machine_disks.MachineDisk | None,
    used: dict[str, int],
) -> Device:
    node = devices.node_of(name)
    content = content_of(node)
    whole = devices.partition_of(name)
    below = [whole[0]] if whole else devices.components(name)
    common: dict[str, Any] = {
        "node": node,
        "kind": _kind(name, is_partition=whole is not None, is_disk=disk is not None),
        "size": size,
        "links": links,
        "below": tuple(map(devices.node_of, below)),
        "number": whole[1] if whole else 0,
        "name": devices.attribute(name, "dm/name"),
        "user": users.of(name),
        "content": content,
        "member": member_of(node) if content.format == "linux_raid_member" else None,
        "luks": luks_of(node) if content.format == "crypto_LUKS" else None,
        "used": used.get(node, 0),
    }
    if disk is None:
        return Device(**common)
    sector_size, table, contents = table_of(node, content)
    return Device(
        **common,
        sector_size=sector_size,
        table=table,
        contents=contents,
        serials=disk.serials,
        models=disk.models,
        transport=disk.transport,
        removable=disk.removable,
    )


def _kind(name: str, *, is_partition: bool, is_disk: bool) -> str:
    if is_partition:
        return document.PARTITION
    if is_disk:
        return document.DISK
    if name.startswith("md"):
        return document.ARRAY
    return document.MAPPING if name.startswith("dm-") else document.OTHER


def content_of(node: str) -> Content:
    """The signature at the beginning of a device or a file."""
    found = signatures.probe(node)
    return Content(found.format, found.label, found.uuid, found.table)


def table_of(node: str, content: Content) -> tuple[int, Table | None, tuple[Content, ...]]:
    """Sector size, partition table and all signatures of a whole disk."""
    contents = tuple(Content(one.format, one.label, one.uuid, one.table, one.offset) for one in signatures.all_of(node))
    with opened(node, os.O_RDONLY) as descriptor:
        sector_size, sectors = devices.geometry(descriptor)
        try:
            found = gpt_disk.read(descriptor, sector_size, sectors)
        except Failure as failure:
            return sector_size, Table(document.GPT, faults=(failure.what,)), contents
    if found is None:
        return sector_size, Table(content.table) if content.table else None, contents
    return sector_size, described(found), contents


def described(table: gpt.Table) -> Table:
    """A GPT as a record."""
    parts = tuple(
        Part(number, entry.first, entry.sectors, entry.type_guid, entry.unique_guid, entry.name, entry.attributes)
        for number, entry in table.entries.items()
    )
    return Table(
        document.GPT,
        guid=guid.to_text(table.disk_guid),
        first_usable=table.first_usable,
        last_usable=table.last_usable,
        places=table.entry_count,
        backup_at=table.alternate,
        faults=table.faults,
        parts=parts,
    )


def member_of(node: str) -> Member | None:
    """The superblock of a member of an array."""
    found = raid.member(node, devices.Users()).superblock
    if found is None:
        return None
    with opened(node, os.O_RDONLY) as descriptor:
        block = superblock.parse(os.pread(descriptor, superblock.LENGTH, superblock.AT))
    used, offset = (block.used, block.offset) if block else (0, 0)
    return Member(found.uuid, found.name, found.level, found.devices, found.events, used, offset)


def luks_of(node: str) -> Luks | None:
    """The header of an encrypted volume."""
    binary = luks_header.read_binary(node)
    if binary is None or binary.version != 2:
        return Luks(binary.version) if binary else None
    header = luks_header.read(node)
    if header is None:
        return None
    tokens = tuple((token.slots, token.protected) for token in header.tokens)
    return Luks(2, header.label, header.uuid, header.subsystem, tuple(sorted(header.flags)), tokens, header.offset)


def _links() -> Iterator[dict[str, object]]:
    """Network links with their addresses, for people: no plan depends on them. An initramfs does without."""
    try:
        from ignition.host import netlink
    except ImportError as error:  # see ABSENT in dracut's closure.py
        if is_foreign(error):
            raise
        return
    for link in netlink.links():
        yield {"name": link.name, "address": link.mac, "state": link.state, "addresses": link.addresses}
