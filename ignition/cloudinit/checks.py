"""What can be known to be wrong before the first change: then nothing is changed at all.

The original noticed most of it half way through; each finding stands at its place in the user data.
"""

import re

from ignition.cloudinit import encoding, facts, owners
from ignition.cloudinit.coreos_files import LOCALHOST, UPDATE_BASE, UPDATE_CONF
from ignition.cloudinit.facts import Facts, Newcomers
from ignition.cloudinit.hostnames import is_name
from ignition.cloudinit.model import COMMANDS, STRATEGIES, CloudConfig, Unit, User, WriteFile
from ignition.cloudinit.ssh_keys import CORE, trimmed
from ignition.config.report import ERROR, Path
from ignition.config.text.placing import Finding
from ignition.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_OCTAL = re.compile("[0-7]{1,6}")
_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}[A-Za-z0-9_.$-]?")  # useradd(8), and what its --badname lets through
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]+")  # systemd.unit(5)
_GROUP_FIX = "use a group that exists, or let an earlier user bring it"


def findings(config: CloudConfig, known: Facts, new: Newcomers) -> "list[Finding]":
    """All errors, in the order of the keys. `new`: the users that this run creates."""
    return [
        *_hostname(config),
        *(finding for index, user in enumerate(config.users) for finding in _user(user, ("users", index), known, new)),
        *_core(config, known, new),
        *(finding for index, file in enumerate(config.write_files) for finding in _file(file, index, known, new)),
        *_coreos(config, known),
        *(finding for index, unit in enumerate(config.coreos.units) for finding in _unit(unit, index, known)),
    ]


def _wrong(path: Path, message: str, fix: str = "") -> Finding:
    return Finding(ERROR, path, message, fix)


def _hostname(config: CloudConfig) -> "Iterator[Finding]":
    if config.hostname and not is_name(config.hostname):
        fix = "use letters, digits, dashes and dots, at most 63 between two dots and 64 in all"
        yield _wrong(("hostname",), "this is no host name", fix)
    if config.manage_etc_hosts and config.manage_etc_hosts != LOCALHOST:
        yield _wrong(
            ("manage_etc_hosts",), f"Invalid option to manage_etc_hosts: only {LOCALHOST} is known", f"write {LOCALHOST}"
        )


def _user(user: User, path: Path, known: Facts, new: Newcomers) -> "Iterator[Finding]":
    if not user.name:
        return  # passed over, with a line in the log
    if not _LOGIN.fullmatch(user.name):
        yield _wrong(
            (*path, "name"), "this is no user name", "begin with a letter, and use letters, digits, dashes and underscores"
        )
    if re.search("[:\n]", user.passwd):
        yield _wrong((*path, "passwd"), "a password hash cannot hold a colon or a line break", "openssl passwd -6 makes one")
    yield from _keys(user.ssh_authorized_keys, (*path, "ssh_authorized_keys"))
    if not known.has_user(user.name):
        yield from _new_user(user, path, known, new)


def _new_user(user: User, path: Path, known: Facts, new: Newcomers) -> "Iterator[Finding]":
    for name, text in (("gecos", user.gecos), ("homedir", user.homedir), ("shell", user.shell)):
        if re.search("[:\n]", text):
            yield _wrong((*path, name), f"{name} cannot hold a colon or a line break")
    for name, text in (("homedir", user.homedir), ("shell", user.shell)):
        if text and not text.startswith("/"):
            yield _wrong((*path, name), f"{name} must be an absolute path", "begin it with a slash")
    if user.primary_group and _lacks_group(user.primary_group, known, new):
        yield _wrong((*path, "primary_group"), f"there is no group {user.primary_group}", _GROUP_FIX)
    for index, group in enumerate(user.groups):
        if group and _lacks_group(group, known, new):
            yield _wrong((*path, "groups", index), f"there is no group {group}", _GROUP_FIX)


def _lacks_group(name: str, known: Facts, new: Newcomers) -> bool:
    return not name.isdecimal() and not new.has_group(name) and not known.has_group(name)


def _core(config: CloudConfig, known: Facts, new: Newcomers) -> "Iterator[Finding]":
    path: Path = ("ssh_authorized_keys",)
    if trimmed(config.ssh_authorized_keys) and CORE not in new.names and not known.has_user(CORE):
        yield _wrong(
            path, f"these keys are for the user {CORE}, who does not exist", f"create {CORE} in users, or put them there"
        )
    yield from _keys(config.ssh_authorized_keys, path)


def _keys(keys: tuple[str, ...], path: Path) -> "Iterator[Finding]":
    for index, key in enumerate(keys):
        if re.search("[\n\r\0]", key.strip()):
            yield _wrong((*path, index), "a key is one line", "give each key a dash of its own")


def _file(file: WriteFile, index: int, known: Facts, new: Newcomers) -> "Iterator[Finding]":
    path: Path = ("write_files", index)
    if not file.path or "\0" in file.path or facts.clean(file.path) == "/":
        place = (*path, "path") if file.path else path
        yield _wrong(place, "the file has no path", "say where it goes: path: /etc/…")
    elif file.path in known.blocked:
        yield _wrong((*path, "path"), known.blocked[file.path], "choose another path")
    try:
        encoding.decoded(file.content, file.encoding)
    except Failure as failure:
        yield _wrong((*path, "encoding"), failure.what, failure.fix)
    if file.permissions and not _OCTAL.fullmatch(file.permissions):
        yield _wrong((*path, "permissions"), "these are no octal permissions", "write them as 0644")
    missing = owners.unknown(file.owner, known, new)
    if missing:
        yield _wrong((*path, "owner"), f"there is no {missing}", "name an owner who exists, or create the user in users")


def _coreos(config: CloudConfig, known: Facts) -> "Iterator[Finding]":
    update = config.coreos.update
    if update.reboot_strategy and update.reboot_strategy not in STRATEGIES:
        fix = f"one of {', '.join(STRATEGIES)}"
        yield _wrong(("coreos", "update", "reboot_strategy"), f"unknown reboot strategy {update.reboot_strategy!r}", fix)
    if any(update.set_members()) and known.texts[UPDATE_CONF] is None and known.texts[UPDATE_BASE] is None:
        yield _wrong(("coreos", "update"), f"this machine has neither {UPDATE_CONF} nor {UPDATE_BASE}", "remove coreos.update")


def _unit(unit: Unit, index: int, known: Facts) -> "Iterator[Finding]":
    path: Path = ("coreos", "units", index)
    if unit.name and not (_UNIT.fullmatch(unit.name) and "." in unit.name.strip(".")):
        yield _wrong((*path, "name"), "this is no unit name", "end it with the kind of unit, such as .service")
    if unit.command and unit.command not in COMMANDS:
        yield _wrong((*path, "command"), f"unknown command {unit.command!r}", f"one of {', '.join(COMMANDS)}")
    if unit.name in known.missing_units:
        verb = "enable" if unit.enable else unit.command
        place = (*path, "enable" if unit.enable else "command")
        yield _wrong(place, f"there is no unit {unit.name} to {verb}", "give its content, or correct the name")
    for number, drop_in in enumerate(unit.drop_ins):
        if "/" in drop_in.name or "\0" in drop_in.name or drop_in.name in (".", ".."):
            yield _wrong((*path, "drop_ins", number, "name"), "a drop-in's name cannot hold a slash", "name it as 10-mine.conf")
