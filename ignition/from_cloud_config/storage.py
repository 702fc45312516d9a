"""`disk_setup`, `fs_setup`, `mounts` and `swap` → disks, file systems, mount and swap units.

Source: cloudinit/config/cc_disk_setup.py, cc_mounts.py. Ignition writes GPT only, and never skips a disk or file system that
differs: a first boot fails where cloud-init leaves the device alone.
"""

from __future__ import annotations

import re

from ignition.config.text.yaml_nodes import Sequence, is_null
from ignition.config.unit_names import escaped
from ignition.from_cloud_config.reading import View, flag, is_number, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.report import Path
    from ignition.config.text.yaml_nodes import Node
    from ignition.from_cloud_config.work import Work

# Types of MBR partitions and the two digits of sgdisk's codes → GUID (cc_disk_setup pads "82" to "8200").
TYPES = {
    "82": "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f",
    "83": "0fc63daf-8483-4772-8e79-3d69d8477de4",
    "8e": "e6d6d379-f507-44c2-a23c-238f2a3df928",
    "ef": "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
    "fd": "a19d880f-05fc-4d3b-a006-743f0f84911e",
}
_WITH_UNIT = ("/etc/", "/var/")  # Butane's variant fcos writes units for mount points in these only
FORMATS = ("btrfs", "ext4", "swap", "vfat", "xfs")
SWAP = "swap"
_SHORT = re.compile(r"x?[shv]d[a-z][0-9]*|sr[0-9]+")
_OF_PLATFORM = re.compile(r"ami|root|swap|ephemeral[0-9]*|ebs[0-9]*")
_EPHEMERAL = re.compile(r"/dev/ephemeral[0-9]+")  # no kernel names a disk like this
_PARTITION = re.compile(
    r"/dev/(x?[shv]d[a-z]+[0-9]+|(nvme|mmcblk|loop|md).*p[0-9]+|disk/by-(label|uuid|part(label|uuid))/.+|.*-part[0-9]+)"
)
_TAGS = {"LABEL": "label", "UUID": "uuid", "PARTLABEL": "partlabel", "PARTUUID": "partuuid"}
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs", "fuse.sshfs", "9p")
_DEFAULTS = (None, None, "auto", "defaults,nofail", "0", "2")
# They say nothing to mount(8), or where the unit is enabled. nobootwait was mountall's word for nofail.
_NO_OPTIONS = {"defaults", "nofail", "nobootwait", "bootwait", "auto", "noauto", "sw", ""}
_SIZE = re.compile(r"([0-9]+)?(\.?[0-9]+)([KMGT]?)B?")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_MIB = 1 << 20
_SWAP_FILE = """[Unit]
Description=Create the swap file {path}
DefaultDependencies=no
RequiresMountsFor={path}
After=systemd-remount-fs.service
ConditionPathExists=!{path}
Before={unit}

[Service]
Type=oneshot
ExecStart=/usr/bin/truncate --size 0 {path}
ExecStart=-/usr/bin/chattr +C {path}
ExecStart=/usr/bin/fallocate --length {mib}MiB {path}
ExecStart=/usr/bin/chmod 600 {path}
ExecStart=/usr/sbin/mkswap {path}
"""


class Storage:
    """Devices while the keys are read: aliases, partitions that the document makes, file systems by device."""

    def __init__(self, work: Work, root: View) -> None:
        self._work, self._left, self._root = work, work.leftovers, root
        self._aliases: dict[str, str] = {}
        for name, path, node in root.view("device_aliases").members():
            if (device := text(node)) is None:
                self._left.left(path, f"this is {node.what}, not the path of a device")
            else:
                self._aliases[name] = device
        self._partitions: dict[str, int] = {}  # disk → number of partitions
        self._unknown: set[str] = set()  # disks whose partitions are not translated
        self._filesystems: dict[str, dict[str, Any]] = {}

    def _device(self, name: str, path: Path) -> tuple[str, str] | None:
        """The device that a name refers to, and the number after its dot; None if only the platform knows it."""
        name, number = _dotted(name)
        device = self._aliases.get(name, name)
        if _SHORT.fullmatch(device):
            device = f"/dev/{device}"
        if _OF_PLATFORM.fullmatch(device) or _EPHEMERAL.fullmatch(device):
            self._left.left(path, "only the platform knows this device", "write its path")
            return None
        if not device.startswith("/dev/"):
            self._left.left(path, "this is neither a device nor a name of device_aliases")
            return None
        return device, number

    def _filesystem_on(self, device: str, number: str, path: Path) -> str | None:
        """The device that a file system is on: a partition, or all of the disk."""
        if number:
            return partition(device, number)
        if device in self._unknown:
            message = "the partitions of its disk are not translated: cloud-init takes one that has no file system"
            self._left.left(path, message, "write disk_setup so that it can be translated, or the number of the partition")
            return None
        if _PARTITION.fullmatch(device) or device not in self._partitions:
            return device
        if self._partitions[device] == 1:
            return partition(device, "1")
        self._left.left(path, "the disk has several partitions", "write the number of one: partition: 1")
        return None

    # disk_setup

    def disks(self) -> None:
        """`disk_setup`."""
        for name, path, node in self._root.view("disk_setup").members():
            view = View(self._left, path, node)
            self._disk(name, view)
            view.close()

    def _disk(self, name: str, view: View) -> None:
        table, layout, overwrite = view.text("table_type", "mbr"), view.node("layout"), view.flag("overwrite")
        found = self._device(name, view.path)
        if found is None or layout is None or flag(layout) is False:
            return
        device = found[0]
        value: dict[str, Any] = {"device": device, **({"wipe_table": True} if overwrite else {})}
        if text(layout) == "remove":
            value["wipe_table"] = True
        elif flag(layout):
            value["partitions"] = [{"number": 1, "type_guid": TYPES["83"]}]
        elif isinstance(layout, Sequence) and layout.items:
            partitions = self._layout(device, layout, view.at("layout"))
            if partitions is None:
                self._unknown.add(device)
                return
            value["partitions"] = partitions
        else:
            self._left.left(view.at("layout"), "this is not true, false, remove or a list")
            return
        if table == "mbr" and "partitions" in value:
            self._left.note(view.at("table_type"), "the partition table is written as GPT, with the same partitions")
        self._partitions[device] = len(value.get("partitions", []))
        self._work.output.add("storage", "disks", value, view.path)

    def _layout(self, device: str, layout: Sequence, path: Path) -> list[dict[str, Any]] | None:
        """Partitions in percent: the last one extends to the end of the disk, the others need its size."""
        size, made = self._work.options.disk_sizes.get(device), []
        for number, node in enumerate(layout.items, start=1):
            place = (*path, number - 1)
            parts = [text(one) for one in node.items] if isinstance(node, Sequence) else [text(node), "83"]
            percent, code = (parts[0] or "", parts[1] or "") if len(parts) == 2 else ("", "")
            code = code.lower().removesuffix("00") if len(code) > 2 else code.lower()
            if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", percent):
                self._left.left(place, "this is neither a percentage nor a list of a percentage and a type")
                return None
            one: dict[str, Any] = {"number": number}
            if number < len(layout.items):
                if not size:
                    fix = f"name its size with -disk-size {device}=100GiB, or write the partitions yourself"
                    self._left.left(path, "percentages need the size of the disk", fix)
                    return None
                one["size_mib"] = int(size * float(percent) / 100)
            if code not in TYPES:
                self._left.left(
                    place, "the type of the partition is unknown: that of Linux is written", f"one of {', '.join(TYPES)}"
                )
            one["type_guid"] = TYPES.get(code, TYPES["83"])
            made.append(one)
        return made

    # fs_setup

    def filesystems(self) -> None:
        """`fs_setup`."""
        for path, node in self._root.items("fs_setup"):
            view = View(self._left, path, node)
            self._filesystem(view)
            view.close()

    def _filesystem(self, view: View) -> None:
        name, kind, label = view.text("device"), view.text("filesystem"), view.text("label")
        place, wipes = view.text("partition", "any") or "any", view.flag("overwrite")
        options = view.texts("extra_opts")
        view.left("replace_fs", "a file system is not replaced by its type", "use overwrite: true")
        view.left("cmd", "a file system is made by mkfs with the usual options", "write extra_opts")
        if not name:
            self._left.left(view.path, "the device is missing")
            return
        found = self._device(name, view.at("device"))
        if found is None:
            return
        device, number = found
        if not number and is_number(place):
            number = place
        on = device if place == "none" and not number else self._filesystem_on(device, number, view.at("device"))
        if kind not in FORMATS:
            self._left.left(view.at("filesystem"), "this kind of file system is not created", f"use one of {', '.join(FORMATS)}")
        elif on is not None:
            value: dict[str, Any] = {"device": on, "format": kind}
            if label:
                value["label"] = label
            if options:
                value["options"] = [word for option in options for word in option.split()]
            if wipes or place == "none":
                value["wipe_filesystem"] = True
            self._filesystems[on] = value
            self._work.output.add("storage", "filesystems", value, view.path)

    # mounts

    def mounts(self) -> None:
        """`mounts`, with the defaults of `mount_default_fields`."""
        given = self._root.node("mount_default_fields")
        if given is not None and not (isinstance(given, Sequence) and all(text(one) or is_null(one) for one in given.items)):
            self._root.left("mount_default_fields", "this is not a list of the fields of fstab(5)")
            given = None
        defaults = [text(one) for one in given.items] if isinstance(given, Sequence) else list(_DEFAULTS)
        defaults = [value if value is not None else default for value, default in zip(defaults, _DEFAULTS, strict=False)]
        defaults += _DEFAULTS[len(defaults) :]
        rows: list[tuple[Path, list[str | None]]] = []
        for path, node in self._root.items("mounts"):
            if not isinstance(node, Sequence) or not node.items:
                self._left.left(path, "this is not a list of the fields of fstab(5)")
                continue
            rows.append((path, _fields(node, defaults)))
        gone: set[str | None] = set()
        for path, fields in reversed(rows):
            if fields[1] is None:
                gone.add(fields[0])
                self._left.note(path, "no mount point is given: the device is not mounted, as by cloud-init")
        for path, fields in rows:
            if fields[0] and fields[1] is not None and fields[0] not in gone:
                self._mount(path, fields)

    def _mount(self, path: Path, fields: list[str | None]) -> None:
        source, where, kind, words = fields[0] or "", fields[1] or "", fields[2] or "auto", fields[3] or ""
        options = words.split(",")
        device = self._source(source, path)
        if device is None:
            return
        for odd in (one for one in options if one.startswith("x-") or one.startswith("comment=")):
            if not odd.startswith("comment=") and "cloud-init" not in odd:
                self._left.left(
                    path, "options that begin with x- have no effect in a unit", "write them into the unit: see systemd.mount(5)"
                )
        kept = [one for one in options if one not in _NO_OPTIONS and not one.startswith(("x-", "comment="))]
        if kind == SWAP:
            self._swap(device, kept, path)
        elif not where.startswith("/"):
            self._left.left(path, "the mount point is not an absolute path")
        elif device in self._filesystems and "noauto" not in options:
            made, where = self._filesystems[device], where.rstrip("/") or "/"
            made.update(path=where, **({"mount_options": kept} if kept else {}))
            if where.startswith(_WITH_UNIT) and not _may_fail(options):
                made["with_mount_unit"] = True  # Butane's unit is required by local-fs.target
            else:
                self._mount_unit(device, where, fields, kept, path)
        else:
            self._mount_unit(device, where, fields, kept, path)

    def _source(self, source: str, path: Path) -> str | None:
        """The source of a mount, as a unit names it; None if it is not known."""
        tag, equals, value = source.partition("=")
        if equals and tag in _TAGS:
            value = value.strip('"')
            if not re.fullmatch(r"[A-Za-z0-9_.:+@-]+", value):
                self._left.left(path, "the label has a character that a path below /dev/disk does not have")
                return None
            return f"/dev/disk/by-{_TAGS[tag]}/{value}"
        is_alias = _dotted(source)[0] in self._aliases
        if re.match(r"[^/].*:.*|//", source) or not (is_alias or re.match(r"/dev/|[a-z]+[0-9.]*$", source)):
            return source  # a server, or a word such as tmpfs and a path
        if source in ("tmpfs", "proc", "none", "overlay", "sysfs", "debugfs", "bpf", "tracefs"):
            return source
        found = self._device(source, path)
        return self._filesystem_on(*found, path) if found else None

    def _swap(self, device: str, options: list[str], path: Path) -> None:
        if device in self._filesystems and self._filesystems[device]["format"] == SWAP:
            self._filesystems[device].update(with_mount_unit=True, **({"mount_options": options} if options else {}))
            return
        lines = ["[Swap]", f"What={device}", *([f"Options={','.join(options)}"] if options else [])]
        self._unit(f"{escaped(device)}.swap", lines, "swap.target", path)

    def _mount_unit(self, device: str, where: str, fields: list[str | None], kept: list[str], path: Path) -> None:
        kind, options = fields[2] or "auto", (fields[3] or "").split(",")
        remote = kind in _NETWORK or "_netdev" in options or bool(re.match(r"[^/].*:.*|//", device))
        lines = []
        if remote:
            lines = ["[Unit]", "Wants=network-online.target", "After=network-online.target", ""]
        elif device.startswith("/dev/") and fields[5] != "0":
            check = f"systemd-fsck@{escaped(device)}.service"
            lines = ["[Unit]", f"Requires={check}", f"After={check}", ""]
        lines += ["[Mount]", f"What={device}", f"Where={where}"]
        lines += [f"Type={kind}"] if kind != "auto" else []
        lines += [f"Options={','.join(kept)}"] if kept else []
        target = "remote-fs.target" if remote else "local-fs.target"
        verb = "WantedBy" if _may_fail(options) else "RequiredBy"
        self._unit(f"{escaped(where)}.mount", lines, target, path, verb=verb, enabled="noauto" not in options)

    def _unit(
        self, name: str, lines: list[str], target: str, path: Path, *, verb: str = "WantedBy", enabled: bool = True
    ) -> None:
        if any(re.search(r"[\n%]", line) for line in lines):
            self._left.left(path, "a value has a character that a unit does not take")
            return
        # Without enabled, the image's presets may enable a unit that can be.
        install = ["", "[Install]", f"{verb}={target}"] if enabled else []
        content = "\n".join([*lines, *install, ""])
        self._work.output.unit(name, path, content, enabled=enabled)

    # swap

    def swap_file(self) -> None:
        """`swap`: a file that a unit creates once."""
        view = self._root.view("swap")
        path, size = view.text("filename", "/swap.img") or "", view.text("size", "0") or "0"
        view.ignore("maxsize")
        if size == "auto":
            view.left("size", "a size that depends on the memory is not known", "write the size: 2G")
        elif not re.fullmatch(r"/[A-Za-z0-9_./-]+", path):
            self._left.left(view.at("filename"), "the name of a swap file has letters, digits and _ . / - here")
        elif (mib := mebibytes(size)) is None:
            self._left.left(view.at("size"), "this is not a size such as 512M or 2G")
        elif mib:
            unit = f"{escaped(path)}.swap"
            self._work.output.unit(
                "cloud-config-swap.service", view.path, _SWAP_FILE.format(path=path, unit=unit, mib=mib), enabled=False
            )
            lines = [
                "[Unit]",
                "Requires=cloud-config-swap.service",
                "After=cloud-config-swap.service",
                "",
                "[Swap]",
                f"What={path}",
            ]
            self._unit(unit, lines, "swap.target", view.path)
        view.close()

    def growth(self) -> None:
        """`growpart` and `resize_rootfs`: ROOT grows by itself."""
        view = self._root.view("growpart")
        mode, node = view.text("mode", "auto"), self._root.node("resize_rootfs")
        if mode in ("off", "false", "False", "no"):
            view.left("mode", "ROOT grows at the first boot", "specify the size of its partition in storage.disks to keep it")
        elif "growpart" in self._root:
            self._left.note(
                view.path, "ROOT grows to the end of its disk by itself, at the first boot and whenever the disk has grown"
            )
        devices = view.texts("devices")
        if any(one != "/" for one in devices):
            view.left("devices", "only ROOT grows by itself", "see ignition-grow(8)")
        view.ignore("ignore_growroot_disabled")
        view.close()
        if flag(node) is False:
            self._root.left("resize_rootfs", "the file system of ROOT grows with its partition")
        elif node is not None and not flag(node) and text(node) != "noblock":
            self._root.left("resize_rootfs", "this is not true, false or noblock")


def _may_fail(options: list[str]) -> bool:
    """Whether the boot continues without the mount."""
    return "nofail" in options or "nobootwait" in options


def _dotted(name: str) -> tuple[str, str]:
    """The name of a device, and the number of the partition after its dot; "" for the device itself, as for 0."""
    found = re.fullmatch(r"([^/]+|/dev/\w+)\.([0-9]+)", name)
    return (found[1], found[2].lstrip("0")) if found else (name, "")


def partition(device: str, number: str) -> str:
    """The path of a partition."""
    if device.startswith("/dev/disk/"):
        return f"{device}-part{number}"
    return f"{device}{'p' if is_number(device[-1:]) else ''}{number}"


def mebibytes(size: str) -> int | None:
    """A size of cloud-init (`2G`, `512M`, `0.5G`, bytes) in MiB, rounded down; None if it is malformed."""
    found = _SIZE.fullmatch(size)
    return int(float((found[1] or "") + found[2]) * _UNITS[found[3]] / _MIB) if found else None


def _fields(node: Sequence, defaults: list[str | None]) -> list[str | None]:
    given: list[Node] = node.items[: len(defaults)]
    found = [defaults[index] if is_null(one) else text(one) for index, one in enumerate(given)]
    return found + defaults[len(found) :]


def translate(work: Work, root: View) -> None:
    """All keys about storage."""
    storage = Storage(work, root)
    storage.disks()
    storage.filesystems()
    storage.mounts()
    storage.swap_file()
    storage.growth()
