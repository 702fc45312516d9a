"""Spec 1 as 2.0.0, from where the translation of 2.x goes on (docs/reference/ignition-config.md §2.3, "Upgrade 1 → 2.0").

Spec 1 nests files in their file system; 2.0 names file systems instead. Number i gets the name _translate-filesystem-i.
"""

from ignition.config import dataurl
from ignition.config.record import Record
from ignition.config.v1 import model as v1
from ignition.config.v1.names import name
from ignition.config.v2 import model as v2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = "2.0.0"


def translate(config: v1.Config1) -> v2.Config2:
    """The 2.0.0 config that means the same. Also of configs that break rules: the report decides."""
    return v2.Config2(
        ignition=v2.Ignition2(version=VERSION),
        networkd=v2.Networkd(units=tuple(v2.NetworkdUnit(**_same(unit)) for unit in config.networkd.units)),
        passwd=v2.Passwd2(
            groups=config.passwd.groups,
            users=tuple(v2.User(**_same(user)) for user in config.passwd.users),
        ),
        storage=v2.Storage2(
            disks=tuple(map(_disk, config.storage.disks)),
            files=tuple(
                _file(file, index) for index, filesystem in enumerate(config.storage.filesystems) for file in filesystem.files
            ),
            filesystems=tuple(_filesystem(filesystem, index) for index, filesystem in enumerate(config.storage.filesystems)),
            raid=tuple(v2.Raid(**_same(raid)) for raid in config.storage.raid),
        ),
        systemd=v2.Systemd2(units=tuple(map(_unit, config.systemd.units))),
    )


def _same(record: Record) -> "dict[str, Any]":
    """The members of a record whose counterpart has all of them under the same names."""
    return dict(record.__dict__)


def _disk(disk: v1.Disk) -> v2.Disk:
    return v2.Disk(**{**_same(disk), "partitions": tuple(v2.Partition(**_same(each)) for each in disk.partitions)})


def _filesystem(filesystem: v1.Filesystem, index: int) -> v2.Filesystem:
    mount = v2.Mount(device=filesystem.device, format=filesystem.format, create=filesystem.create)
    return v2.Filesystem(name=name(index), mount=mount)


def _file(file: v1.File, index: int) -> v2.File:
    return v2.File(
        filesystem=name(index),
        path=file.path,
        contents=v2.Contents(source=dataurl.encode(file.contents.encode("utf-8"))),
        mode=file.mode,
        user=v2.Owner(id=file.uid),
        group=v2.Owner(id=file.gid),
    )


def _unit(unit: v1.Unit) -> v2.Unit:
    return v2.Unit(**{**_same(unit), "dropins": tuple(v2.Dropin(**_same(dropin)) for dropin in unit.dropins)})
