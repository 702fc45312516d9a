"""Block devices: waiting for them, their size, their partitions, and their users: mounts, swap and the devices stacked on them.

Sources: sysfs (Documentation/ABI/stable/sysfs-block in the kernel: `start` and `size` are in units of 512 bytes whatever the
sector size; `dm/name`, `dm/uuid`, `md/`), linux/fs.h. Nothing here changes a device.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator

from ignition.errors import CommandFailed, Failure
from ignition.host import log, mounts, progress
from ignition.host.command import run

SYSFS = "/sys"
SYSFS_UNIT = 512
UDEV_CONTROL = "/run/udev/control"  # exists while systemd-udevd runs
BLKSSZGET, BLKGETSIZE64 = 0x1268, 0x80081272  # linux/fs.h
_UNITS = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_LISTED = 12
WAIT_S = 90.0  # as long as systemd waits for a device unit
POLL_S = 0.5  # for changes without an event: a link that another program sets


def resolve(path: str, *, timeout_s: float = WAIT_S) -> str:
    """Wait for a device and follow its links: the result does not depend on later changes of `/dev/disk/by-*` links."""
    wait_for([path], timeout_s=timeout_s)
    return os.path.realpath(path)


def wait_for(paths: list[str], *, timeout_s: float = WAIT_S) -> None:
    """Return once all paths exist. Raises Failure naming the missing ones after `timeout_s`."""
    missing = [path for path in paths if not os.path.exists(path)]
    if not missing:
        return
    log.info(f"waiting up to {timeout_s:g} s for {', '.join(missing)}")
    for _ in moments(timeout_s, " and ".join(missing)):
        missing = [path for path in missing if not os.path.exists(path)]
        if not missing:
            return
    raise Failure(
        f"no such device after {timeout_s:g} s: {', '.join(missing)}",
        fix=f"check the device's name, and that the machine has it; {there_are(missing[0])}",
    )


def there_are(missing: str = "") -> str:
    """The disks of this machine with their sizes, in words, and the other links in the directory of the missing one.

    Optical drives and devices that lie on others are not disks.
    """
    disks = []
    for name in sorted(os.listdir(f"{SYSFS}/block")) if os.path.isdir(f"{SYSFS}/block") else ():
        size = length_of(name)
        if size and not name.startswith(("loop", "ram", "zram", "sr", "fd", "dm-")):
            disks.append(f"{node_of(name)} ({in_words(size)})")
    words = f"there {'is' if len(disks) == 1 else 'are'} {', '.join(disks[:_LISTED])}" if disks else "there is no disk"
    directory = os.path.dirname(missing)
    if directory.startswith("/dev/disk/") and os.path.isdir(directory) and (names := sorted(os.listdir(directory))):
        words += f"; {directory} has {', '.join(names[:_LISTED])}"
    return words


def in_words(size: int) -> str:
    """Bytes in the largest unit that does not exceed them, rounded down: `20 GiB`, `1022.98 MiB`."""
    unit, name = next(((unit, name) for unit, name in _UNITS if size >= unit), (1, "bytes"))
    return f"{size * 100 // unit / 100:.2f}".removesuffix("0").removesuffix(".0") + f" {name}"


def moments(timeout_s: float, what: str) -> Iterator[None]:
    """The moments at which to look again for something missing: at once, at every event of a block device, and every POLL_S.

    `what` names it in the progress messages.
    """
    deadline = time.monotonic() + timeout_s
    # Imported here: nearly always every device already exists, and the import costs 38 ms.
    import pyudev

    # "udev", not "kernel": an event arrives once udevd has set the links.
    monitor = pyudev.Monitor.from_netlink(pyudev.Context(), source="udev")
    monitor.filter_by("block")
    monitor.start()
    with progress.Waiting(what) as waiting:
        while True:
            yield
            left = deadline - time.monotonic()
            if left <= 0:
                return
            waiting.say("not found yet", left_s=left)
            monitor.poll(min(left, POLL_S))


def settle(nodes: list[str], *, timeout_s: float = 60) -> None:
    """Wait until udevd has processed all changes of these nodes, so that its links are right. Does nothing without udevd."""
    if not nodes or not os.path.exists(UDEV_CONTROL):
        return
    # A bare `settle` can return before udevd has seen that a node was closed: trigger our own event, wait for it, and then for
    # the events that udevd itself caused after the close (it rereads the table, and all partitions disappear and come back).
    names = [os.path.realpath(node) for node in nodes if os.path.exists(node)]
    try:
        run(["udevadm", "trigger", "--settle", *names], why="waiting for udev", timeout_s=timeout_s)
    except CommandFailed as error:
        log.warning(f"udev did not settle: {error}")
    settled(timeout_s=timeout_s)


def settled(*, timeout_s: float = 60) -> None:
    """Wait until udevd has processed all events so far. Does nothing without udevd."""
    if os.path.exists(UDEV_CONTROL):
        try:
            run(["udevadm", "settle", f"--timeout={timeout_s:g}"], why="waiting for udev", timeout_s=timeout_s + 5)
        except CommandFailed as error:
            log.warning(f"udev did not settle: {error}")


def name_of(node: str) -> str:
    """The kernel's name of a block device node, as below /sys/class/block. Raises Failure if it is not a block device."""
    try:
        status = os.stat(node)
    except FileNotFoundError:
        raise Failure("no such device", where=node, fix=f"check the device's name; {there_are(node)}") from None
    if not stat.S_ISBLK(status.st_mode):
        raise Failure("not a block device", where=node, fix="name a disk or a partition")
    return name_of_number(os.major(status.st_rdev), os.minor(status.st_rdev))


def name_of_number(major: int, minor: int) -> str:
    """The kernel's name of a block device number; "" if there is no such device (btrfs and tmpfs use numbers of their own)."""
    link = f"{SYSFS}/dev/block/{major}:{minor}"
    return os.path.basename(os.path.realpath(link)) if os.path.exists(link) else ""


def node_of(name: str) -> str:
    """The device node of a kernel name; sysfs writes `!` for the slash of names like cciss/c0d0."""
    return "/dev/" + name.replace("!", "/")


def geometry(descriptor: int) -> tuple[int, int]:
    """(logical sector size in bytes, size in such sectors) of an open block device."""
    sector_size = int.from_bytes(fcntl.ioctl(descriptor, BLKSSZGET, bytes(4)), "little")
    size = int.from_bytes(fcntl.ioctl(descriptor, BLKGETSIZE64, bytes(8)), "little")
    return sector_size, size // sector_size


def length(path: str) -> int | None:
    """The present size of a block device in bytes; None if there is no such device."""
    if not os.path.exists(path):
        return None
    return length_of(name_of(path))


def length_of(name: str) -> int | None:
    """As `length`, by kernel name."""
    size = _read_number(f"{SYSFS}/class/block/{name}/size")
    return None if size is None else size * SYSFS_UNIT


def partition_of(name: str) -> tuple[str, int] | None:
    """(disk's kernel name, partition number) of a partition's kernel name; None for a whole device."""
    number = _read_number(f"{SYSFS}/class/block/{name}/partition")
    if number is None:
        return None
    return os.path.basename(os.path.dirname(os.path.realpath(f"{SYSFS}/class/block/{name}"))), number


def partitions(disk: str) -> dict[int, tuple[str, int, int]]:
    """number → (kernel name, start in bytes, length in bytes) of the kernel's partitions of a disk, by number."""
    found = {}
    base = f"{SYSFS}/class/block/{disk}"
    for name in os.listdir(base):
        number = _read_number(f"{base}/{name}/partition")
        start, size = _read_number(f"{base}/{name}/start"), _read_number(f"{base}/{name}/size")
        if number is not None and start is not None and size is not None:
            found[number] = (name, start * SYSFS_UNIT, size * SYSFS_UNIT)
    return dict(sorted(found.items()))


def partition_node(disk_node: str, number: int) -> str:
    """`/dev/sda` → `/dev/sda1`, `/dev/nvme0n1` → `/dev/nvme0n1p1`."""
    return f"{disk_node}{'p' if disk_node[-1].isdigit() else ''}{number}"


def identifier(node: str, directory: str, prefix: str = "") -> str:
    """The name of udev's link to a node in a directory below /dev/disk, without `prefix` (by-uuid, by-id); "" without one."""
    node, place = os.path.realpath(node), f"/dev/disk/{directory}"
    try:
        names = [name for name in os.listdir(place) if name.startswith(prefix)]
    except FileNotFoundError:
        return ""
    return next((name.removeprefix(prefix) for name in names if os.path.realpath(f"{place}/{name}") == node), "")


def _read_number(path: str) -> int | None:
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except (FileNotFoundError, NotADirectoryError):
        return None


def attribute(name: str, path: str) -> str:
    """The text of a file below a device's directory in sysfs; "" if it does not exist."""
    try:
        with open(f"{SYSFS}/class/block/{name}/{path}", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def holders(name: str) -> list[str]:
    """The kernel names of the devices that are stacked on this one, in alphabetical order."""
    try:
        return sorted(os.listdir(f"{SYSFS}/class/block/{name}/holders"))
    except FileNotFoundError:
        return []


def components(name: str) -> list[str]:
    """The kernel names of the devices that this one lies on: the members of an array, the device below a mapping."""
    try:
        return sorted(os.listdir(f"{SYSFS}/class/block/{name}/slaves"))
    except FileNotFoundError:
        return []


def below(node: str) -> list[str]:
    """The nodes that a device lies on, through all layers, including the disk of a partition."""
    found, todo = [], [name_of(node)]
    while todo:
        name = todo.pop()
        whole = partition_of(name)
        for one in (*components(name), *([whole[0]] if whole else [])):
            found.append(node_of(one))
            todo.append(one)
    return found


class Users:
    """The users of devices: mounts, swap and stacked devices, as of its creation."""

    def __init__(self) -> None:
        self._mounted: dict[str, str] = {}
        for mount in mounts.current():
            # btrfs has device numbers of its own: only the source names the device.
            name = name_of_number(*mount.device) or self._source_name(mount.source)
            if name:
                self._mounted.setdefault(name, f"mounted on {mount.target}")
        for path in mounts.swaps():
            name = self._source_name(path)
            if name:
                self._mounted.setdefault(name, "used as swap")

    @staticmethod
    def _source_name(path: str) -> str:
        try:
            status = os.stat(path)
        except OSError:
            return ""
        return name_of_number(os.major(status.st_rdev), os.minor(status.st_rdev)) if stat.S_ISBLK(status.st_mode) else ""

    def of(self, name: str) -> str:
        """The users of a device itself, not of its partitions; "" if it is unused."""
        if name in self._mounted:
            return self._mounted[name]
        return ", ".join(describe_holder(holder) for holder in holders(name))

    def of_any_part(self, name: str) -> str:
        """The users of a device or of one of its partitions; "" if all of it is unused."""
        user = self.of(name)
        for part, _, _ in () if user else partitions(name).values():
            if used := self.of(part):
                return f"{part} is {used}"
        return user


# Where mdadm links the names of arrays. A mapping's UUID begins with LVM2's or cryptsetup's prefix; that of a logical volume is
# named VG-LV, with the hyphens of each name doubled (lvm(8)).
MD_DIRECTORY = "/dev/md"


def describe_holder(name: str) -> str:
    """The use of a device by one that is stacked on it (a kernel name), in words: "member of the array /dev/md/data"."""
    base = f"{SYSFS}/class/block/{name}"
    if os.path.isdir(f"{base}/md"):
        return f"member of the array {_array(name)}"
    mapping, uuid = _text(f"{base}/dm/name"), _text(f"{base}/dm/uuid")
    if uuid.startswith("LVM-"):
        return f"held by the logical volume {_logical_volume(mapping)}"
    if uuid.startswith("CRYPT-"):
        return f"held by the encrypted volume {mapping}"
    return f"held by {f'the mapping {mapping}' if mapping else name}"


def _array(name: str) -> str:
    """The link of an array in /dev/md, or its node if it has no link."""
    try:
        links = sorted(os.listdir(MD_DIRECTORY))
    except FileNotFoundError:
        links = []
    found = (f"{MD_DIRECTORY}/{link}" for link in links if os.path.basename(os.path.realpath(f"{MD_DIRECTORY}/{link}")) == name)
    return next(found, f"/dev/{name}")


def _logical_volume(mapping: str) -> str:
    """`my--group-data` → `my-group/data`."""
    import re  # only for logical volumes

    group, _, volume = re.sub(r"(?<!-)((?:--)*)-(?!-)", r"\1/", mapping, count=1).partition("/")
    return f"{group.replace('--', '-')}/{volume.replace('--', '-')}"


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
