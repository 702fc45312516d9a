"""The existing devices whose content a config overwrites or discards; kept ones are not among them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from ignition.errors import Failure
from ignition.storage import disk, filesystems, raid, signatures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config
    from ignition.host.devices import Users
    from ignition.operation import Operation

LUKS = "crypto_LUKS"


def find(config: Config, on_disks: Iterable[Operation], users: Users) -> dict[str, str]:
    """Node → place in the config by which it loses its content; `on_disks`: the plan for the disks. Reads devices."""
    found: dict[str, str] = {}
    for node, where in (*_partitions(on_disks), *_members(config, users), *_volumes(config), *_filesystems(config)):
        found.setdefault(node, where)
    return found


def _partitions(operations: Iterable[Operation]) -> Iterator[tuple[str, str]]:
    for operation in operations:
        if isinstance(operation, disk.WipeTable | disk.WriteTable):
            yield from operation.lost()


def _members(config: Config, users: Users) -> Iterator[tuple[str, str]]:
    for index, array in enumerate(config.storage.raid):
        present = [(number, device) for number, device in enumerate(array.devices) if os.path.exists(device)]
        members = [raid.member(os.path.realpath(device), users) for _, device in present]
        if len(present) == len(array.devices) and raid.is_right(array, members):
            continue
        for (number, _), member in zip(present, members, strict=True):
            yield member.node, f"$.storage.raid.{index}.devices.{number}"


def _volumes(config: Config) -> Iterator[tuple[str, str]]:
    for index, volume in enumerate(config.storage.luks):
        if volume.device and os.path.exists(volume.device):
            node = os.path.realpath(volume.device)
            # An existing one is opened or refused, never recreated without a flag.
            if volume.wipe_volume or signatures.probe(node).format != LUKS:
                yield node, f"$.storage.luks.{index}"


def _filesystems(config: Config) -> Iterator[tuple[str, str]]:
    for index, wanted in filesystems.to_make(config.storage.filesystems):
        if os.path.exists(wanted.device):
            node, where = os.path.realpath(wanted.device), f"$.storage.filesystems.{index}"
            try:
                kept = filesystems.may_stay(wanted, filesystems.FilesystemFacts(node, signatures.probe(node)), where)
            except Failure:
                continue  # refused later, when file systems are planned: nothing is lost by it
            if not kept:
                further = filesystems.further_devices(wanted)
                yield from ((one, where) for one in (node, *map(os.path.realpath, further)))
