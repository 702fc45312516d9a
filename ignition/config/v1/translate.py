"""Spec 1 → 2.0.0, which the translation of 2.x continues from (docs/reference/ignition-config.md §2.3, "Upgrade 1 → 2.0").

Spec 1 nests files in their file system; 2.0 names file systems instead. Number i gets the name _translate-filesystem-i.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from ignition.config import dataurl
from ignition.config.model import Config
from ignition.config.record import Record
from ignition.config.text.locate import path_in_text
from ignition.config.v1 import model as v1
from ignition.config.v2 import model as v2
from ignition.config.v2 import renamed_paths as renamed_in_2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ignition.config.report import Path


VERSION = "2.0.0"


def translate(config: v1.Config1) -> v2.Config2:
    """The equivalent 2.0.0 config. Invalid configs are translated as well: the report decides."""
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


def _same(record: Record) -> dict[str, Any]:
    """The members of a record whose counterpart has the same members."""
    return dict(record.__dict__)


def _disk(disk: v1.Disk) -> v2.Disk:
    return v2.Disk(**{**_same(disk), "partitions": tuple(v2.Partition(**_same(each)) for each in disk.partitions)})


def _filesystem(filesystem: v1.Filesystem, index: int) -> v2.Filesystem:
    mount = v2.Mount(device=filesystem.device, format=filesystem.format, create=filesystem.create)
    return v2.Filesystem(name=filesystem_name(index), mount=mount)


def _file(file: v1.File, index: int) -> v2.File:
    return v2.File(
        filesystem=filesystem_name(index),
        path=file.path,
        # Contents of spec 1 are inline text.
        contents=v2.Contents(source=dataurl.encode(file.contents.encode("utf-8"))),
        mode=file.mode,
        user=v2.Owner(id=file.uid),
        group=v2.Owner(id=file.gid),
    )


def _unit(unit: v1.Unit) -> v2.Unit:
    return v2.Unit(**{**_same(unit), "dropins": tuple(v2.Dropin(**_same(dropin)) for dropin in unit.dropins)})


# The generated names of file systems of spec 1, kept distinct when such configs are combined.
#
# Ignition numbers the file systems of each config from 0: with two spec 1 configs appended to a third one, the files of the first
# would go to the devices of the second, because the last definition of a name counts.

PREFIX = "_translate-filesystem-"


def filesystem_name(index: int) -> str:
    """Name of the file system at that index of a spec 1 config."""
    return f"{PREFIX}{index}"


def keep_names_apart(parent: Config, child: Config) -> Config:
    """The child, with new names for those that the parent uses for another device."""
    taken, wanted = _devices(parent), _devices(child)
    new: dict[str, str] = {}
    for own, device in wanted.items():
        # Both configs mean the same device: one name is enough.
        same = next((theirs for theirs, other in taken.items() if other == device), "")
        if not same and own in taken:
            used = {*taken, *wanted, *new.values()}
            same = next(name for name in map(filesystem_name, count()) if name not in used)
        new[own] = same or own
    if all(old == now for old, now in new.items()):
        return child
    storage = child.storage
    filesystems = tuple(one.evolve(name=new.get(one.name or "", one.name)) for one in storage.filesystems)
    files = tuple(file.evolve(filesystem=new.get(file.filesystem or "", file.filesystem)) for file in storage.files)
    return child.evolve(storage=storage.evolve(filesystems=filesystems, files=files))


def _devices(config: Config) -> dict[str, str]:
    """By name; of one defined twice the last counts."""
    return {one.name: one.device for one in config.storage.filesystems if one.name and one.name.startswith(PREFIX)}


# Renamed paths of a spec 1 text: those of the 2.x translation, one step further.


def renamed_paths(config: v1.Config1, translated: v2.Config2) -> dict[Path, Path]:
    """Path of the internal model → path in the text. `translated` is the 2.0 form of the config."""
    step = dict(_step(config.storage))
    # Members with equal paths in the model and in 2.x only need the second step.
    return step | {here: path_in_text(there, step) for here, there in renamed_in_2.table(translated).items()}


def _step(storage: v1.Storage1) -> Iterator[tuple[Path, Path]]:
    """Path in the 2.0 config → path in the spec 1 text."""
    number = 0
    for index, filesystem in enumerate(storage.filesystems):
        there: Path = ("storage", "filesystems", index)
        yield (*there, "mount"), there
        for each in range(len(filesystem.files)):
            here: Path = ("storage", "files", number)
            file = (*there, "files", each)
            yield here, file
            yield (*here, "contents", "source"), (*file, "contents")
            yield (*here, "user", "id"), (*file, "uid")
            yield (*here, "group", "id"), (*file, "gid")
            number += 1
