"""Advice on a cloud-config: what it most likely does not mean, by the rules that Ignition configs have, and a few of its own.

A cloud-config's units, files and accounts are put into the model of Ignition configs, so that each rule is in one place
(ignition/config/advice); what it says is told at the places of the cloud-config. For people at a workstation (`--validate`).
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
# W11 has no remedy in a cloud-config, which has no directories. It is applied to a machine that is up, at each boot (W24), and
# what it writes takes the place of what is there (W31).
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
    """A cloud-config as an Ignition config. `written` knows the texts of units alone."""

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
            fix = "say whose it is: owner: USER:GROUP" if one.rule == _OWNERSHIP else one.fix
            if one.rule not in _LEFT_OUT and path not in said:
                shared.append(Finding(one.level, path, one.message, fix, rule=one.rule, inside=one.inside))
    return [*own, *shared]


def _own(config: CloudConfig) -> Iterator[Finding]:
    for index, file in enumerate(config.write_files):
        yield from _of_file(file, ("write_files", index))
    for index, unit in enumerate(config.coreos.units):
        if unit.name and systemd.is_name(unit.name):
            yield from _of_unit(unit, ("coreos", "units", index))


def _of_file(file: WriteFile, path: Path) -> Iterator[Finding]:
    if file.path and not file.path.startswith("/"):
        message = "the path is relative: it is taken from /"
        yield Finding(WARNING, (*path, "path"), message, f"write /{file.path}")
    digits = file.permissions
    if digits.isascii() and digits.isdecimal() and not digits.startswith("0") and modes.looks_decimal(digits):
        octal = f"{int(digits):04o}"
        message = f"permissions {digits} are octal, which is unusual: probably {octal} is meant"
        yield Finding(WARNING, (*path, "permissions"), message, f"write {octal}")


def _of_unit(unit: Unit, path: Path) -> Iterator[Finding]:
    full = systemd.full_name(unit.name)
    owner = systemd.owner(full)
    kind = known_units.kind_of(owner)
    if full != unit.name:
        yield Finding(WARNING, (*path, "name"), f"the name has no suffix: {full} is meant", f"write {full}")
    elif "/" in owner:
        fix = "write a drop-in as UNIT.d/NAME.conf, or below drop_ins of its unit"
        yield Finding(WARNING, (*path, "name"), "systemd looks for no unit at this path", fix)
    elif kind not in UNIT_TYPES and f".{kind}" not in NETWORK_UNITS:
        from ignition.config.suggest import closest

        close = closest(kind, (*UNIT_TYPES, *(one.removeprefix(".") for one in NETWORK_UNITS)))
        fix = f"did you mean {owner.removesuffix(kind)}{close}?" if close else f"end it with one of {', '.join(UNIT_TYPES)}"
        yield Finding(WARNING, (*path, "name"), f"systemd has no units of the kind .{kind}", fix)
    texts: list[tuple[Path, str]] = [(path, unit.content)]
    texts += [((*path, "drop_ins", number), drop_in.content) for number, drop_in in enumerate(unit.drop_ins)]
    for place, content in texts:
        if content and (fault := unit_syntax.fault(content)):
            yield Finding(WARNING, (*place, "content"), f"not a unit file: {fault}", fault.fix)
    for number, drop_in in enumerate(unit.drop_ins):
        if drop_in.name and not drop_in.name.endswith(".conf"):
            place = (*path, "drop_ins", number, "name")
            yield Finding(WARNING, place, "systemd reads only drop-ins whose names end in .conf", f"name it {drop_in.name}.conf")


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
    # A name that nobody has: homes are looked for by name, and an account without one is passed over.
    return Account(
        name=name, password_hash=password or None, ssh_authorized_keys=tuple(filter(None, keys)), home_dir=home or None
    )


def _file(file: WriteFile) -> File:
    """With the text of what may be a unit file."""
    contents = Resource()
    if "/systemd/" in file.path:
        with suppress(Failure):  # which is another finding
            content, packing = as_packed(file.content, file.encoding)
            contents = Resource(source=dataurl.encode(content), compression=packing or None)
    digits = file.permissions or _DEFAULT_MODE
    mode = int(digits, 8) if digits.isascii() and digits.isdecimal() and not set(digits) & {"8", "9"} else None
    return File(path=clean(file.path), user=Owner(name=file.owner or None), contents=contents, mode=mode)


def _unit(unit: Unit) -> SystemdUnit:
    """A drop-in by its path is one of its unit."""
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
