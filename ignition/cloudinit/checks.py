"""What can be known to be wrong before the first change, and what of a cloud-config is applied all the same.

The original noticed most of it half way through; each finding stands at its place in the user data. A document with a finding is
refused, but for its login part: users, keys and host name, as far as there is no finding about them (`login_part`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ignition.cloudinit import files, systemd
from ignition.cloudinit.coreos_files import LOCALHOST
from ignition.cloudinit.facts import Facts, Newcomers, impossible
from ignition.cloudinit.hostnames import is_typed_name
from ignition.cloudinit.model import COMMANDS, STRATEGIES, CloudConfig, Unit, User, WriteFile
from ignition.cloudinit.ssh_keys import CORE
from ignition.config.report import ERROR, Finding, Path
from ignition.errors import Failure
from ignition.host import hostnames, limits, log

_OCTAL = re.compile("[0-7]{1,6}")
# passwd(5): the separator; what no line of it should show; and bytes that are not UTF-8.
_NOT_IN_PASSWD = re.compile("[:\x00-\x1f\x7f\ud800-\udfff]")
_NOT_IN_A_NAME = re.compile("[/\0\ud800-\udfff]")
_LOGIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}[A-Za-z0-9_.$-]?")  # useradd(8), and what its --badname lets through
_LONGEST_NAME = 255  # linux/limits.h: NAME_MAX
_GROUP_FIX = "use a group that exists, or let an earlier user bring it"


def of_login_part(config: CloudConfig, known: Facts | None, new: Newcomers | None) -> list[Finding]:
    """All errors of users, keys and host name, in the order of the keys. `new`: the users that this run creates.

    None: nothing is known of the machine.
    """
    return [
        *_hostname(config),
        *(finding for index, user in enumerate(config.users) for finding in _user(user, ("users", index), known, new)),
        *_core(config, known, new),
    ]


def of_any_machine(config: CloudConfig) -> list[Finding]:
    """The errors among both that are errors on every machine: for a workstation."""
    return [*of_login_part(config, None, None), *of_the_rest(config, None, None)]


def of_the_rest(config: CloudConfig, known: Facts | None, new: Newcomers | None) -> list[Finding]:
    """All other errors, in the order of the keys."""
    unpacked = _Unpacked()
    return [
        *_manage_etc_hosts(config),
        *(finding for index, file in enumerate(config.write_files) for finding in _file(file, index, known, new, unpacked)),
        *_coreos(config),
        *(finding for index, unit in enumerate(config.coreos.units) for finding in _unit(unit, index, known)),
    ]


def login_part(config: CloudConfig, found: list[Finding]) -> CloudConfig:
    """Users, keys and host name of a config, without what these findings are about: it can be applied whatever else is wrong.

    A user whose name is wrong is left out, of other users the wrong fields and groups.
    """
    wrong = {finding.path for finding in found}
    users = [_without(user, ("users", index), wrong) for index, user in enumerate(config.users)]
    return CloudConfig(
        hostname="" if ("hostname",) in wrong else config.hostname,
        ssh_authorized_keys=() if ("ssh_authorized_keys",) in wrong else config.ssh_authorized_keys,
        users=tuple(user for user in users if user is not None),
    )


def _without(user: User, path: Path, wrong: set[Path]) -> User | None:
    if (*path, "name") in wrong:
        return None
    fields = [name for name in User.FIELDS if (*path, name) in wrong]
    groups = [group for number, group in enumerate(user.groups) if (*path, "groups", number) not in wrong]
    if fields or len(groups) != len(user.groups):
        left_out = [*fields, *(f"group {group}" for group in user.groups if group not in groups)]
        log.warning(f"user {user.name} is set up without {', '.join(hostnames.shown(one) for one in left_out)}")
    values = {name: getattr(user, name) for name in User.FIELDS if name not in fields}
    return User.of({**values, "groups": tuple(groups)})


def _wrong(path: Path, message: str, fix: str = "") -> Finding:
    return Finding(ERROR, path, message, fix)


def _hostname(config: CloudConfig) -> Iterator[Finding]:
    if config.hostname and not is_typed_name(config.hostname):
        yield _wrong(("hostname",), "not a valid host name", hostnames.FIX)


def _manage_etc_hosts(config: CloudConfig) -> Iterator[Finding]:
    if config.manage_etc_hosts and config.manage_etc_hosts != LOCALHOST:
        yield _wrong(
            ("manage_etc_hosts",), f"Invalid option to manage_etc_hosts: only {LOCALHOST} is known", f"write {LOCALHOST}"
        )


def _user(user: User, path: Path, known: Facts | None, new: Newcomers | None) -> Iterator[Finding]:
    if not user.name:
        return  # passed over, with a line in the log
    if not _LOGIN.fullmatch(user.name):
        yield _wrong(
            (*path, "name"), "not a valid user name", "begin with a letter, and use letters, digits, dashes and underscores"
        )
    if _NOT_IN_PASSWD.search(user.passwd):
        yield _wrong((*path, "passwd"), "a password hash cannot hold a colon or a line break", "openssl passwd -6 makes one")
    if not known or not known.has_user(user.name):
        yield from _new_user(user, path, known, new)


def _new_user(user: User, path: Path, known: Facts | None, new: Newcomers | None) -> Iterator[Finding]:
    for name, text in (("gecos", user.gecos), ("homedir", user.homedir), ("shell", user.shell)):
        if _NOT_IN_PASSWD.search(text):
            yield _wrong((*path, name), f"{name} cannot hold a colon or a line break")
    for name, text in (("homedir", user.homedir), ("shell", user.shell)):
        if text and not text.startswith("/"):
            yield _wrong((*path, name), f"{name} must be an absolute path", "begin it with a slash")
    if user.primary_group and _lacks_group(user.primary_group, known, new):
        yield _wrong((*path, "primary_group"), f"there is no group {user.primary_group}", _GROUP_FIX)
    for index, group in enumerate(user.groups):
        if group and _lacks_group(group, known, new):
            yield _wrong((*path, "groups", index), f"there is no group {group}", _GROUP_FIX)


def _lacks_group(name: str, known: Facts | None, new: Newcomers | None) -> bool:
    if known is None or new is None:
        return False
    return not files.is_id(name) and not new.has_group(name) and not known.has_group(name)


def _core(config: CloudConfig, known: Facts | None, new: Newcomers | None) -> Iterator[Finding]:
    path: Path = ("ssh_authorized_keys",)
    if known and new and any(config.ssh_authorized_keys) and CORE not in new.names and not known.has_user(CORE):
        yield _wrong(
            path, f"these keys are for the user {CORE}, who does not exist", f"create {CORE} in users, or put them there"
        )


class _Unpacked:
    """What all files of a document unfold to. Raises Failure once that is too much for the disk of a small machine."""

    size = 0

    def add(self, length: int) -> None:
        self.size += length
        if self.size > limits.UNPACKED:
            most = f"{limits.UNPACKED >> 20} MiB"
            raise Failure(f"all files together unfold to more than {most}", fix="let a unit fetch large contents")


def _file(file: WriteFile, index: int, known: Facts | None, new: Newcomers | None, unpacked: _Unpacked) -> Iterator[Finding]:
    path: Path = ("write_files", index)
    blocked = known.blocked.get(file.path, "") if known else impossible(file.path)
    if not file.path:
        yield _wrong(path, "the file has no path", "say where it goes: path: /etc/…")
    elif blocked:
        yield _wrong((*path, "path"), blocked, "choose another path")
    try:
        unpacked.add(files.unpacked_length(file.content, file.encoding))
    except Failure as failure:
        yield _wrong((*path, "encoding"), failure.what, failure.fix)
    if file.permissions and not _OCTAL.fullmatch(file.permissions):
        yield _wrong((*path, "permissions"), "not octal permissions", "write them as 0644")
    if known and new and (missing := files.unknown_owner(file.owner, known, new)):
        yield _wrong((*path, "owner"), f"there is no {missing}", "name an owner who exists, or create the user in users")


def _coreos(config: CloudConfig) -> Iterator[Finding]:
    update = config.coreos.update
    if update.reboot_strategy and update.reboot_strategy not in STRATEGIES:
        fix = f"one of {', '.join(STRATEGIES)}"
        yield _wrong(("coreos", "update", "reboot_strategy"), f"unknown reboot strategy {update.reboot_strategy!r}", fix)


def _unit_name_fix(name: str) -> str:
    import posixpath

    if name.startswith("/") or ".." in name.split("/"):
        return f"give the name alone, such as {posixpath.basename(name) or 'a.service'}, or UNIT.d/NAME.conf for a drop-in"
    return "use letters, digits and :_.-@, and end it with the kind of unit, such as .service"


def _unit(unit: Unit, index: int, known: Facts | None) -> Iterator[Finding]:
    path: Path = ("coreos", "units", index)
    if unit.name and not systemd.is_name(unit.name):
        yield _wrong((*path, "name"), "not a valid unit name", _unit_name_fix(unit.name))
    elif "/" in unit.name and (unit.enable or unit.command):
        member = "enable" if unit.enable else "command"
        fix = f"say it of {systemd.owner(unit.name)}, in an entry of its own"
        yield _wrong((*path, member), f"{unit.name} is a file, not a unit: there is nothing to {member}", fix)
    if unit.command and unit.command not in COMMANDS:
        yield _wrong((*path, "command"), f"unknown command {unit.command!r}", f"one of {', '.join(COMMANDS)}")
    if known and unit.name in known.missing_units:
        verb = "enable" if unit.enable else unit.command
        place = (*path, "enable" if unit.enable else "command")
        yield _wrong(place, f"there is no unit {unit.name} to {verb}", "give its content, or correct the name")
    for number, drop_in in enumerate(unit.drop_ins):
        place = (*path, "drop_ins", number, "name")
        if _NOT_IN_A_NAME.search(drop_in.name) or drop_in.name in (".", ".."):
            yield _wrong(place, "a drop-in's name cannot hold a slash", "name it as 10-mine.conf")
        elif len(drop_in.name.encode()) > _LONGEST_NAME:
            yield _wrong(place, f"a drop-in's name has at most {_LONGEST_NAME} bytes", "name it as 10-mine.conf")
