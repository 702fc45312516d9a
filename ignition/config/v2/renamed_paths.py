"""Paths of a 2.x text for members of its translation that have another path in the model (see ignition/config/text/locate.py).

The table follows the translation line by line; generated members (owner and mode of networkd files) have the path of their cause.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.config.v1.model import UserCreate
from ignition.config.v2 import model as v2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.report import Path

    Pairs = Iterator[tuple[Path, Path]]

_OF_MOUNT = ("device", "format", "label", "uuid", "options", "wipeFilesystem")


def table(config: v2.Config2) -> dict[Path, Path]:
    """Path of the internal model → path in the text."""
    renamed: dict[Path, Path] = {("ignition", "config", "merge"): ("ignition", "config", "append")}
    for pairs in (_users(config.passwd), _units(config.systemd), _storage(config.storage)):
        renamed.update(pairs)
    renamed.update(_networkd(config.networkd, len(config.storage.files)))
    return renamed


def _users(passwd: v2.Passwd2) -> Pairs:
    for index, user in enumerate(passwd.users):
        if user.create is not None:
            here: Path = ("passwd", "users", index)
            for field in UserCreate.FIELDS.values():
                yield (*here, field.json), (*here, "create", field.json)


def _units(systemd: v2.Systemd2) -> Pairs:
    for index, unit in enumerate(systemd.units):
        here: Path = ("systemd", "units", index)
        if unit.enable:
            yield (*here, "enabled"), (*here, "enable")
        kept = [number for number, dropin in enumerate(unit.dropins) if dropin.contents]
        for new, old in enumerate(kept):
            if new != old:
                yield (*here, "dropins", new), (*here, "dropins", old)


def _storage(storage: v2.Storage2) -> Pairs:
    for index, filesystem in enumerate(storage.filesystems):
        yield from _filesystem(filesystem, ("storage", "filesystems", index))
    for index, file in enumerate(storage.files):
        if file.append:
            yield ("storage", "files", index, "append", 0), ("storage", "files", index, "contents")
    for index, disk in enumerate(storage.disks):
        for number in range(len(disk.partitions)):
            here: Path = ("storage", "disks", index, "partitions", number)
            yield (*here, "sizeSectors"), (*here, "size")
            yield (*here, "startSectors"), (*here, "start")


def _filesystem(filesystem: v2.Filesystem, here: Path) -> Pairs:
    yield (*here, "inPlace"), (*here, "path")
    mount, there = filesystem.mount, (*here, "mount")
    if mount is None:
        return
    for name in _OF_MOUNT:
        yield (*here, name), (*there, name)
    create = mount.create
    if create is None:
        return
    yield (*here, "mustBeBlank"), (*there, "create")
    if create.force and not mount.wipe_filesystem:
        yield (*here, "wipeFilesystem"), (*there, "create", "force")
    if not mount.options:
        yield (*here, "options"), (*there, "create", "options")
    for number in range(len(create.options)):
        yield (*here, "options", len(mount.options) + number), (*there, "create", "options", number)


def _networkd(networkd: v2.Networkd, index: int) -> Pairs:
    """Files from that index on."""
    written: list[tuple[Path, str]] = []
    for number, unit in enumerate(networkd.units):
        there: Path = ("networkd", "units", number)
        written.append((there, unit.contents))
        written += [((*there, "dropins", each), dropin.contents) for each, dropin in enumerate(unit.dropins)]
    for place, contents in written:
        if contents:
            here: Path = ("storage", "files", index)
            yield here, place
            yield (*here, "path"), (*place, "name")
            yield (*here, "contents", "source"), (*place, "contents")
            index += 1
