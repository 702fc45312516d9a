"""Advice on a cloud-config: settings that are probably unintended, by the rules for Ignition configs and a few of its own.

The units, files and accounts of a cloud-config are translated to the model of Ignition configs, so that each rule exists once
(ignition/config/advice), and findings are reported at their places in the cloud-config. Only `--validate` uses this.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from ignition.cloudinit import systemd
from ignition.cloudinit.facts import clean
from ignition.cloudinit.files import as_packed
from ignition.cloudinit.model import NETWORK_UNITS, CloudConfig, Unit, WriteFile
from ignition.cloudinit.ssh_keys import CORE
from ignition.config import dataurl, model, unit_syntax
from ignition.config.advice import (
    homes,
    known_units,
    modes,
    places,
    references,
    services,
    unit_options,
    unit_values,
    units,
    users,
)
from ignition.config.advice.subject import Subject
from ignition.config.known_values import UNIT_TYPES
from ignition.config.model import Resource
from ignition.config.model.passwd import Passwd
from ignition.config.model.passwd import User as Account
from ignition.config.model.storage import File, Owner, Storage
from ignition.config.model.systemd import Dropin
from ignition.config.model.systemd import Unit as SystemdUnit
from ignition.config.report import WARNING, Finding, Path
from ignition.errors import Failure

_RULES = (units, references, unit_options, unit_values, services, homes, places, users)
# W11 has no remedy in a cloud-config, which cannot create directories. A cloud-config is applied to a running machine, at each
# boot (W24), and its files replace existing ones (W31).
_LEFT_OUT = ("W11", "W24", "W31")
_OWNERSHIP = "W12"
_DEFAULT_MODE = "0644"
_RENAMED = {
    "contents": "content",
    "dropins": "drop_ins",
    "enabled": "enable",
    "mode": "permissions",
    "passwordHash": "passwd",
    "sshAuthorizedKeys": "ssh_authorized_keys",
}


class _Subject(Subject):
    """A cloud-config as an Ignition config. `written` supports the texts of units only."""

    def __init__(self, config: CloudConfig) -> None:
        super().__init__(_translated(config), "", b"", {})
        self._users = len(config.users)
        self._files = {index for index, unit in enumerate(config.coreos.units) if systemd.owner(unit.name) != unit.name}

    def in_text(self, path: Path) -> Path:
        rest: Path = tuple(_RENAMED.get(part, part) if isinstance(part, str) else part for part in path[3:] if part != "source")
        match path[:3]:
            case ("systemd", "units", index):
                rest = rest[2:] if index in self._files and len(rest) > 2 else rest  # the drop-in is the entry itself
                return ("coreos", "units", index, *rest)
            case ("storage", "files", index):
                return ("write_files", index, *rest)
            case ("passwd", "users", index):
                return rest if index == self._users else ("users", index, *rest)
        return path

    def written(self, path: Path) -> object:
        match path:
            case ("systemd", "units", int(index), "contents"):
                return self.config.systemd.units[index].contents
            case ("systemd", "units", int(index), "dropins", int(number), "contents"):
                return self.config.systemd.units[index].dropins[number].contents
        return None


def advise(config: CloudConfig) -> list[Finding]:
    """Warnings at paths of the model."""
    subject = _Subject(config)
    own = list(_own(config))
    said = {one.path for one in own}
    shared = []
    for rule in _RULES:
        for one in rule.advise(subject):
            path = subject.in_text(one.path)
            fix = "set its owner: USER:GROUP" if one.rule == _OWNERSHIP else one.fix
            if one.rule not in _LEFT_OUT and path not in said:
                shared.append(Finding(one.level, path, one.message, fix, rule=one.rule, inside=one.inside))
    return [*own, *shared]


def _own(config: CloudConfig) -> Iterator[Finding]:
    """Findings of the rules that only cloud-configs have."""
    for index, file in enumerate(config.write_files):
        yield from _of_file(file, ("write_files", index))
    for index, unit in enumerate(config.coreos.units):
        if unit.name and systemd.is_name(unit.name):
            yield from _of_unit(unit, ("coreos", "units", index))


def _of_file(file: WriteFile, path: Path) -> Iterator[Finding]:
    if file.path and not file.path.startswith("/"):
        message = "relative path: resolved from /"
        yield Finding(WARNING, (*path, "path"), message, f"write /{file.path}")
    digits = file.permissions
    if digits.isascii() and digits.isdecimal() and not digits.startswith("0") and modes.looks_decimal(digits):
        octal = f"{int(digits):04o}"
        message = f"permissions {digits} are read as octal, which is unusual: {octal} is probably intended"
        yield Finding(WARNING, (*path, "permissions"), message, f"write {octal}")


def _of_unit(unit: Unit, path: Path) -> Iterator[Finding]:
    full = systemd.full_name(unit.name)
    owner = systemd.owner(full)
    kind = known_units.kind_of(owner)
    if full != unit.name:
        yield Finding(WARNING, (*path, "name"), f"the name has no suffix: {full} is used", f"write {full}")
    elif "/" in owner:
        fix = "write a drop-in as UNIT.d/NAME.conf, or below drop_ins of its unit"
        yield Finding(WARNING, (*path, "name"), "systemd does not look for units at this path", fix)
    elif kind not in UNIT_TYPES and f".{kind}" not in NETWORK_UNITS:
        from ignition.config.suggest import closest

        close = closest(kind, (*UNIT_TYPES, *(one.removeprefix(".") for one in NETWORK_UNITS)))
        fix = f"did you mean {owner.removesuffix(kind)}{close}?" if close else f"end it with one of {', '.join(UNIT_TYPES)}"
        yield Finding(WARNING, (*path, "name"), f"unknown unit type .{kind}", fix)
    texts: list[tuple[Path, str]] = [(path, unit.content)]
    texts += [((*path, "drop_ins", number), drop_in.content) for number, drop_in in enumerate(unit.drop_ins)]
    for place, content in texts:
        if content and (fault := unit_syntax.fault(content)):
            yield Finding(WARNING, (*place, "content"), f"not a unit file: {fault}", fault.fix)
    for number, drop_in in enumerate(unit.drop_ins):
        if drop_in.name and not drop_in.name.endswith(".conf"):
            place = (*path, "drop_ins", number, "name")
            yield Finding(
                WARNING, place, "systemd ignores drop-ins whose names do not end in .conf", f"name it {drop_in.name}.conf"
            )


def _translated(config: CloudConfig) -> model.Config:
    accounts = [_account(user.name, user.passwd, user.ssh_authorized_keys, user.homedir) for user in config.users]
    accounts.append(_account(CORE, "", config.ssh_authorized_keys, ""))
    return model.Config(
        ignition=model.Config().ignition,
        passwd=Passwd(users=tuple(accounts)),
        storage=Storage(files=tuple(map(_file, config.write_files))),
        systemd=model.Systemd(units=tuple(map(_unit, config.coreos.units))),
    )


def _account(name: str, password: str, keys: tuple[str, ...], home: str) -> Account:
    # An empty name matches nobody: homes are looked up by name, and accounts without one are skipped.
    return Account(
        name=name, password_hash=password or None, ssh_authorized_keys=tuple(filter(None, keys)), home_dir=home or None
    )


def _file(file: WriteFile) -> File:
    """The content is kept only where it may be a unit file, the only kind of file whose content the rules read."""
    contents = Resource()
    if "/systemd/" in file.path:
        with suppress(Failure):  # reported by other rules
            content, packing = as_packed(file.content, file.encoding)
            contents = Resource(source=dataurl.encode(content), compression=packing or None)
    digits = file.permissions or _DEFAULT_MODE
    mode = int(digits, 8) if digits.isascii() and digits.isdecimal() and not set(digits) & {"8", "9"} else None
    return File(path=clean(file.path), user=Owner(name=file.owner or None), contents=contents, mode=mode)


def _unit(unit: Unit) -> SystemdUnit:
    """A drop-in that is named by its path becomes a drop-in of its unit."""
    name = systemd.full_name(unit.name)
    owner = systemd.owner(name)
    drop_ins = [Dropin(name=one.name, contents=one.content or None) for one in unit.drop_ins]
    if owner != name:
        return SystemdUnit(name=owner, dropins=(Dropin(name="path.conf", contents=unit.content or None),))
    return SystemdUnit(
        name=name,
        enabled=unit.enable or None,
        mask=unit.mask or None,
        contents=unit.content or None,
        dropins=tuple(drop_ins),
    )
