"""Units of a cloud-config → operations. Source: docs/reference/coreos-cloudinit.md §11.5, §11.6, §11.10 and §14.

Two rules of the original are not followed, since a second run would change something again: the files of a masked unit are not
written before it is masked, and only units that a key names are unmasked.
"""

from __future__ import annotations

import stat

from ignition.cloudinit import coreos_files
from ignition.cloudinit.apply import Changes, Noted
from ignition.cloudinit.model import Coreos, DropIn, Unit, is_network
from ignition.cloudinit.systemd import EnableUnit, ReloadManager, RestartNetworkd, RunCommand, full_name, owner
from ignition.errors import Failure
from ignition.host import log
from ignition.host.root import Root
from ignition.operation import Context, Operation
from ignition.sysroot.units import MaskUnit, UnmaskUnit, WriteUnit, is_masked

_DROP_IN, _UPDATE = "20-cloudinit.conf", "coreos.update"
LOCKSMITHD, UPDATE_ENGINE = "locksmithd.service", "update-engine.service"


class UnmaskRuntime(UnmaskUnit):
    """Removes a unit's runtime mask: a link to a device, or an empty file."""

    def already_there(self, context: Context) -> bool:
        found = context.root.status(self.path)
        if found is None:
            return True
        if stat.S_ISLNK(found.st_mode):
            return not is_masked(context, self.path) and not _leads_to_a_device(context.root, self.path)
        if stat.S_ISCHR(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_size == 0):
            return False
        log.info(f"{self.path} is not a mask: left alone")
        return True


def _leads_to_a_device(root: Root, path: str) -> bool:
    try:
        with root.at(path, follow=True) as here:
            found = here.status()
    except (Failure, OSError):
        return False
    return found is not None and stat.S_ISCHR(found.st_mode)


def all_units(coreos: Coreos) -> list[tuple[str, Unit]]:
    """(place, unit) in order: the user's, then those for other keys."""
    named = [(f"coreos.units[{index}]", _with_suffix(f"coreos.units[{index}]", unit)) for index, unit in enumerate(coreos.units)]
    services = [
        ("coreos.etcd", _service("etcd.service", coreos_files.drop_in(coreos.etcd, "ETCD_"))),
        ("coreos.etcd2", _service("etcd2.service", coreos_files.drop_in(coreos.etcd2, "ETCD_"))),
        ("coreos.fleet", _service("fleet.service", coreos_files.drop_in(coreos.fleet, "FLEET_"))),
        ("coreos.locksmith", _service(LOCKSMITHD, coreos_files.drop_in(coreos.locksmith, "LOCKSMITHD_"))),
    ]
    found = [*named, *((place, unit) for place, unit in services if unit.drop_ins)]
    update = coreos.update
    if update.reboot_strategy in ("etcd-lock", "reboot"):
        found.append((_UPDATE, Unit(name=LOCKSMITHD, runtime=True, command="restart")))
    elif update.reboot_strategy == "off":
        found.append((_UPDATE, Unit(name=LOCKSMITHD, runtime=True, mask=True, command="stop")))
    if update.group or update.server:
        found.append((_UPDATE, Unit(name=UPDATE_ENGINE, command="restart")))
    return found


def directory(unit: Unit) -> str:
    """The directory of its files."""
    return f"/{'run' if unit.runtime else 'etc'}/systemd/{'network' if is_network(owner(unit.name)) else 'system'}"


def _with_suffix(place: str, unit: Unit) -> Unit:
    """The unit with the suffix that its name lacks. Warns about this, and about a path that systemd does not read."""
    name = full_name(unit.name)
    if name != unit.name and unit.name:
        log.warning(f"{place}: {unit.name} has no suffix: {name} is used")
    elif "/" in name and owner(name) == name:
        log.warning(f"{place}: {name} is written, but systemd reads drop-ins only as UNIT.d/NAME.conf")
    return Unit.of({**{one: getattr(unit, one) for one in Unit.FIELDS}, "name": name}) if unit.name else unit


def plan(coreos: Coreos, changes: Changes) -> list[Operation]:
    """Files and enablement of each unit, then a daemon-reload, a restart of networkd, and the commands."""
    operations: list[Operation] = []
    commands: list[Operation] = []
    network: set[str] = set()
    wants_reload = False
    every = all_units(coreos)
    # A runtime entry without content unmasks its unit, but not if another entry, such as coreos.update, masks it.
    masked = {unit.name for _, unit in every if unit.mask}
    for place, unit in every:
        if not unit.name:
            log.warning(f"{place} has no name: ignored")
            continue
        found = _files(place, unit, masked)
        if unit.enable and not unit.mask and not is_network(unit.name):
            found.append(EnableUnit(place, unit.name, runtime=unit.runtime))
        for operation in found:
            operation.place = operation.place or place
        concerned = owner(unit.name)
        operations += [Noted(operation, changes, concerned) for operation in found]
        wants_reload = wants_reload or bool(found)
        if is_network(concerned):
            network.add(concerned)
        elif unit.command:
            commands.append(RunCommand(place, unit.name, unit.command, changes, optional=place == _UPDATE))
    if wants_reload or commands:
        operations.append(ReloadManager(changes))
    if network:
        operations.append(RestartNetworkd(changes, frozenset(network)))
    return [*operations, *commands]


def _files(place: str, unit: Unit, masked: set[str]) -> list[Operation]:
    where = directory(unit)
    found: list[Operation] = []
    if unit.content and not unit.mask:
        found.append(WriteUnit(place, f"{where}/{unit.name}", unit.content))
    for index, drop_in in enumerate(unit.drop_ins):
        if drop_in.name and drop_in.content:
            path = f"{where}/{unit.name}.d/{drop_in.name}"
            found.append(WriteUnit(f"{place}.drop_ins[{index}]", path, drop_in.content))
    if unit.mask:
        found.append(MaskUnit(unit.name, where))
    elif unit.runtime and not unit.content and unit.name not in masked:
        found.append(UnmaskRuntime(unit.name, where))
    return found


def _service(name: str, text: str) -> Unit:
    drop_ins = (DropIn(name=_DROP_IN, content=text),) if text else ()
    return Unit(name=name, runtime=True, drop_ins=drop_ins)
