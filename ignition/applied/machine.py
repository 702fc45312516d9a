"""The things on a machine that entries of the record are about: their members, to be compared with those of the entry.

Everything is read from its source, and nothing is changed: files, links and accounts through the root, partition tables and
signatures from the devices, arrays and the kernel's arguments from sysfs and procfs. Devices may have other names than in the
first boot, so that partitions, file systems and volumes are looked up by their GUID or UUID first.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from ignition.applied.record import DIGESTS
from ignition.errors import Failure
from ignition.host import cmdline, devices, mounts
from ignition.host.reading import read_text
from ignition.operation import Context, Left
from ignition.storage import disk, gpt_disk, luks_header, raid, signatures
from ignition.storage.filesystems import plain_uuid
from ignition.sysroot import enablement
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.presets import DisableUnit, EnableUnit
from ignition.sysroot.ssh_keys import key_digests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Members = dict[str, Any]

_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink"}


class Machine:
    """A running machine (`/`), or the root of another one, whose devices and kernel arguments cannot be looked at."""

    def __init__(self, context: Context) -> None:
        self._context, self.root = context, context.root
        self._accounts = AccountDatabase(self.root, steady=True)
        self._looks: dict[str, Callable[[Left], Members | None]] = {
            "file": self._file,
            "directory": self._node,
            "link": self._link,
            "hard link": self._hard_link,
            "SSH keys": self._keys,
            "unit": self._unit,
            "user": lambda left: self._accounts.described(left.name),
            "group": self._group,
        }
        if not self.root.path:
            self._looks |= {
                "partition": _partition,
                "filesystem": _filesystem,
                "array": _array,
                "encrypted volume": _volume,
                "kernel argument": _argument,
            }

    def can_tell(self, left: Left) -> bool:
        """Whether things of this kind can be looked at; those that a newer version recorded cannot."""
        return left.kind in self._looks

    def look(self, left: Left) -> Members | None:
        """The members of this thing now; None if it does not exist. Raises Failure if that cannot be found out."""
        try:
            return self._looks[left.kind](left)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            fix = "run this as root" if isinstance(error, PermissionError) else ""
            raise Failure(f"it cannot be read: {error.strerror}", where=left.name, fix=fix) from error

    def _status(self, left: Left) -> os.stat_result | None:
        return self.root.status(self.root.resolve(left.name))

    def _node(self, left: Left) -> Members | None:
        found = self._status(left)
        return None if found is None else self._attributes(found)

    def _attributes(self, found: os.stat_result) -> Members:
        account = next((one for one in self._accounts.users() if one.uid == found.st_uid), None)
        return {
            "type": _KINDS.get(stat.S_IFMT(found.st_mode), "special file"),
            "mode": f"{stat.S_IMODE(found.st_mode):04o}",
            "uid": found.st_uid,
            "gid": found.st_gid,
            "size": found.st_size,
            "user": account.name if account else "",
            "group": self._accounts.group_name(found.st_gid) or "",
        }

    def _file(self, left: Left) -> Members | None:
        found = self._status(left)
        if found is None:
            return None
        members = self._attributes(found)
        if stat.S_ISREG(found.st_mode):
            import hashlib

            for function in DIGESTS:
                if function in (left.members or {}):
                    with self.root.at(self.root.resolve(left.name)) as here, here.open_regular(found) as file:
                        members[function] = hashlib.file_digest(file, function).hexdigest()
        return members

    def _link(self, left: Left) -> Members | None:
        found = self._status(left)
        if found is None or not stat.S_ISLNK(found.st_mode):
            return None if found is None else {"type": _KINDS.get(stat.S_IFMT(found.st_mode), "special file")}
        with self.root.at(self.root.resolve(left.name)) as here:
            return {"type": "symlink", "target": os.path.normpath(here.readlink())}

    def _hard_link(self, left: Left) -> Members | None:
        target = str((left.members or {}).get("target", ""))
        found, source = self._status(left), self.root.status(target)
        if found is None:
            return None
        return {"target": target if source is not None and os.path.samestat(found, source) else "another file"}

    def _keys(self, left: Left) -> Members | None:
        inside = self.root.follow(left.name)
        found, text = self.root.status(inside), read_text(self.root, inside)
        if found is None or text is None:
            return None
        members = self._attributes(found)
        # The owner of the keys is the user whom they let in, not that of the file.
        return members | {"user": (left.members or {}).get("user"), "keys": key_digests(text)}

    def _unit(self, left: Left) -> Members:
        """As the operations see it: `enabled` also stands for a unit that needs no link, `disabled` for one that has none."""
        wanted, state = (left.members or {}).get("state"), enablement.state(self.root, left.name)
        if wanted in ("masked", "not masked"):
            is_masked = state.startswith("masked")
            return {"state": ("masked" if is_masked else "not masked") if wanted == "not masked" or is_masked else state}
        if wanted == "enabled" and not state.startswith("masked") and EnableUnit(left.name).already_there(self._context):
            return {"state": "enabled"}
        if wanted == "disabled" and DisableUnit(left.name).already_there(self._context):
            return {"state": "disabled"}
        return {"state": state}

    def _group(self, left: Left) -> Members | None:
        found = self._accounts.group(left.name)
        return None if found is None else {"gid": found.gid}


def _known(directory: str, name: object) -> str:
    """The node of a link of udev, which does not change with the names of the kernel; "" if there is none."""
    link = f"/dev/disk/{directory}/{name}"
    return os.path.realpath(link) if name and os.path.exists(link) else ""


def _partition(left: Left) -> Members | None:
    if left.members is None:
        return {} if os.path.exists(left.name) else None
    wanted = left.members
    node = _known("by-partuuid", wanted.get("guid"))
    if node and (place := devices.partition_of(devices.name_of(node))):
        whole, number = devices.node_of(place[0]), place[1]
    else:
        whole, number = os.path.realpath(str(wanted.get("disk"))), int(wanted.get("number", 0))
    if not os.path.exists(whole):
        return None
    with disk.opened(whole, os.O_RDONLY) as descriptor:
        table = gpt_disk.read(descriptor, *devices.geometry(descriptor))
    if table is None or number not in table.entries:
        return None
    # Its disk may have another name by now.
    members = {**disk.described(table, number), "number": number, "disk": wanted.get("disk")}
    return members | {"carries ROOT": devices.partition_node(whole, number) in _below_root()}


def _below_root() -> list[str]:
    """The nodes that this machine's root file system lies on, through all layers."""
    source = next((one.source for one in mounts.current() if one.target == "/"), "")
    node = os.path.realpath(source)
    return [node, *devices.below(node)] if source.startswith("/dev/") and os.path.exists(node) else []


def _filesystem(left: Left) -> Members | None:
    wanted = left.members or {}
    node = _known("by-uuid", wanted.get("uuid")) or os.path.realpath(left.name)
    if not os.path.exists(node):
        return None
    found = signatures.probe(node)
    if not found.format:
        return None
    is_same = plain_uuid(found.uuid, found.format) == plain_uuid(str(wanted.get("uuid", "")), found.format)
    return {"format": found.format, "label": found.label, "uuid": wanted["uuid"] if is_same else found.uuid}


def _array(left: Left) -> Members | None:
    node = _known("by-id", f"{raid.UUID_LINK}{(left.members or {}).get('uuid')}") or os.path.realpath(left.name)
    if not os.path.exists(node):
        return None
    name, count = devices.name_of(node), devices.attribute(devices.name_of(node), "md/raid_disks")
    uuid = devices.identifier(node, "by-id", raid.UUID_LINK)
    members = sorted(map(devices.node_of, devices.components(name)))
    return {"level": devices.attribute(name, "md/level"), "devices": int(count or 0), "uuid": uuid, "members": members}


def _volume(left: Left) -> Members | None:
    wanted = left.members or {}
    node = _known("by-uuid", wanted.get("uuid")) or os.path.realpath(str(wanted.get("device")))
    header = luks_header.read_binary(node) if os.path.exists(node) else None
    return None if header is None else {"uuid": header.uuid, "label": header.label, "device": wanted.get("device")}


def _argument(left: Left) -> Members | None:
    """One element of a config may be several arguments."""
    return {} if cmdline.has(cmdline.read(), left.name) else None
