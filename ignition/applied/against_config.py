"""This machine beside a config: its devices, and the plan of the files stage with the operations without an effect so far.

Partitions, arrays, volumes and file systems are compared with the members that the config sets (devices.py). Each operation of
the plan is asked whether its effect already exists, as a stage that runs again would ask. If it does not, the things that the
operation would leave are compared with those found. Nothing is executed.
"""

from __future__ import annotations

from collections.abc import Iterator

from ignition.applied import devices, record
from ignition.applied.comparison import compare
from ignition.applied.machine import Machine
from ignition.config.model import Config
from ignition.display.changes import CHANGED, SAME, Change
from ignition.errors import Failure
from ignition.operation import Context, Left, Operation
from ignition.stages import files
from ignition.storage.luks_keys import Keys
from ignition.sysroot import crypttab, storage_units

# They belong to the boot, or follow from others of the plan: a machine that runs need not show any of their effects.
_OF_THE_BOOT = frozenset(
    (
        *("adopt-account", "complete-home", "find-unit", "inspect", "leave-notice", "luks-finish"),
        *("need-groups", "own-home", "relabel", "relabel-later", "write-result"),
    )
)


def expected(config: Config, context: Context) -> Iterator[tuple[Left, Operation | None]]:
    """All wanted things, each with its operation; None: a device or a kernel argument.

    Raises Failure if the config cannot be planned.
    """
    for left in (*record.of_arguments(config.kernel_arguments), *devices.expected(config, is_here=not context.root.path)):
        yield left, None
    here = _without_named(config)
    # A device that has lost its content has been named above: its unit and its line in crypttab differ, too.
    uuids = {device: devices.present_uuid(device) for device in storage_units.devices_with_units(here.storage)}
    volumes = crypttab.probe(here.storage.luks, Keys(), devices.present_volume)
    facts = files.probe(here, context.root, state_file="", platform="", uuids=uuids, volumes=volumes)
    for operation in files.plan(here, facts):
        if operation.kind in _OF_THE_BOOT:
            continue
        # Of passwords, which no record has and which have no path, the operation alone can tell whether they are right.
        nameless = [Left(operation.kind, operation.path or "accounts", {}, place=operation.place)]
        for left in _wanted(operation, context) or nameless:
            yield left, operation


def _wanted(operation: Operation, context: Context) -> list[Left]:
    try:
        return list(operation.leaves(context))
    except Failure:
        return []  # the user or group who is to own it does not exist


def changes(left: Left, operation: Operation | None, machine: Machine, context: Context, *, strict: bool) -> Change:
    """The change of one expected thing. Raises Failure if it cannot be looked at."""
    if operation is None:
        return compare(left, machine.look(left), strict=strict)
    try:
        if operation.already_there(context):
            return Change(SAME, left.kind, left.name, place=left.place)
    except Failure as failure:
        return Change(CHANGED, left.kind, left.name, place=left.place, details=[failure.what])
    if not machine.can_tell(left):
        return Change(CHANGED, left.kind, left.name, place=left.place, details=[f"the config would {operation.describe()}"])
    change = compare(left, machine.look(left), strict=strict)
    # Without a hash in the config, an operation does not recognise remote content; its digest has been compared here.
    is_known = operation.concurrent and any(function in (left.members or {}) for function in record.DIGESTS)
    if change.sign == SAME and not change.details and not is_known:
        return Change(CHANGED, left.kind, left.name, place=left.place, details=[f"the config would {operation.describe()}"])
    return change


def _without_named(config: Config) -> Config:
    """Without the nodes that a 2.x config puts into other file systems, which are not mounted now.

    Nor with file systems on selected disks that have no names any more.
    """
    storage = config.storage
    return config.evolve(
        storage=storage.evolve(
            directories=tuple(node for node in storage.directories if node.filesystem is None),
            files=tuple(node for node in storage.files if node.filesystem is None),
            links=tuple(node for node in storage.links if node.filesystem is None),
            filesystems=tuple(one for one in storage.filesystems if not devices.is_gone(one.device)),
        )
    )
