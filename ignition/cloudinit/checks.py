"""Errors of a cloud-config that can be found before the first change, and the part of it that is applied in spite of them.

The original noticed most of them half way through. A document with an error is refused, except for its login part: the users,
keys and host name that have no errors (`login_part`).
"""

from __future__ import annotations

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
from ignition.patterns import lazy_pattern

_OCTAL = lazy_pattern("[0-7]{1,6}")
# passwd(5): the separator, control characters, and bytes that are not UTF-8.
_NOT_IN_PASSWD = lazy_pattern("[:\x00-\x1f\x7f\ud800-\udfff]")
_NOT_IN_A_NAME = lazy_pattern("[/\0\ud800-\udfff]")
_LOGIN = lazy_pattern(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}[A-Za-z0-9_.$-]?")  # useradd(8) with --badname
_LONGEST_NAME = 255  # linux/limits.h: NAME_MAX
_GROUP_FIX = "use an existing group, or the group of an earlier user"


def of_login_part(config: CloudConfig, known: Facts | None, new: Newcomers | None) -> list[Finding]:
    """All errors of users, keys and host name, in the order of the keys. `new`: the users that this run creates.

    Without `known` and `new` only errors on every machine are found.
    """
    wrong_name = bool(config.hostname) and not is_typed_name(config.hostname)
    return [
        *([_wrong(("hostname",), "not a valid host name", hostnames.FIX)] if wrong_name else []),
        *(finding for index, user in enumerate(config.users) for finding in _user(user, ("users", index), known, new)),
        *_core(config, known, new),
    ]


def of_any_machine(config: CloudConfig) -> list[Finding]:
    """The errors of both parts that are errors on every machine: for a workstation."""
    return [*of_login_part(config, None, None), *of_the_rest(config, None, None)]


def of_the_rest(config: CloudConfig, known: Facts | None, new: Newcomers | None) -> list[Finding]:
    """All other errors, in the order of the keys."""
    found: list[Finding] = []
    if config.manage_etc_hosts and config.manage_etc_hosts != LOCALHOST:
        message = f"Invalid option to manage_etc_hosts: only {LOCALHOST} is supported"
        found.append(_wrong(("manage_etc_hosts",), message, f"write {LOCALHOST}"))
    unpacked = _Unpacked()
    for index, file in enumerate(config.write_files):
        found += _file(file, index, known, new, unpacked)
    strategy = config.coreos.update.reboot_strategy
    if strategy and strategy not in STRATEGIES:
        fix = f"one of {', '.join(STRATEGIES)}"
        found.append(_wrong(("coreos", "update", "reboot_strategy"), f"unknown reboot strategy {strategy!r}", fix))
    for index, unit in enumerate(config.coreos.units):
        found += _unit(unit, index, known)
    return found


def login_part(config: CloudConfig, found: list[Finding]) -> CloudConfig:
    """Users, keys and host name of a config without the parts that these findings are about, which can always be applied.

    A user with an invalid name is omitted; other users lose their invalid fields and groups.
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
        log.warning(f"user {user.name} is created without {', '.join(hostnames.shown(one) for one in left_out)}")
    values = {name: getattr(user, name) for name in User.FIELDS if name not in fields}
    return User.of({**values, "groups": tuple(groups)})


def _wrong(path: Path, message: str, fix: str = "") -> Finding:
    return Finding(ERROR, path, message, fix)


def _user(user: User, path: Path, known: Facts | None, new: Newcomers | None) -> Iterator[Finding]:
    if not user.name:
        return  # skipped, with a warning in the log
    if not _LOGIN.fullmatch(user.name):
        yield _wrong(
            (*path, "name"), "not a valid user name", "begin with a letter, and use letters, digits, dashes and underscores"
        )
    if _NOT_IN_PASSWD.search(user.passwd):
        yield _wrong(
            (*path, "passwd"), "a password hash must not contain a colon or a line break", "create one with openssl passwd -6"
        )
    # The other settings apply to new users only; existing ones just get the password and the keys.
    if not known or not known.has_user(user.name):
        yield from _new_user(user, path, known, new)


def _new_user(user: User, path: Path, known: Facts | None, new: Newcomers | None) -> Iterator[Finding]:
    for name, text in (("gecos", user.gecos), ("homedir", user.homedir), ("shell", user.shell)):
        if _NOT_IN_PASSWD.search(text):
            yield _wrong((*path, name), f"{name} must not contain a colon or a line break")
    for name, text in (("homedir", user.homedir), ("shell", user.shell)):
        if text and not text.startswith("/"):
            yield _wrong((*path, name), f"{name} must be an absolute path", "begin it with a slash")
    if user.primary_group and _lacks_group(user.primary_group, known, new):
        yield _wrong((*path, "primary_group"), f"group {user.primary_group} does not exist", _GROUP_FIX)
    for index, group in enumerate(user.groups):
        if group and _lacks_group(group, known, new):
            yield _wrong((*path, "groups", index), f"group {group} does not exist", _GROUP_FIX)


def _lacks_group(name: str, known: Facts | None, new: Newcomers | None) -> bool:
    if known is None or new is None:
        return False
    return not files.is_id(name) and not new.has_group(name) and not known.has_group(name)


def _core(config: CloudConfig, known: Facts | None, new: Newcomers | None) -> Iterator[Finding]:
    path: Path = ("ssh_authorized_keys",)
    if known and new and any(config.ssh_authorized_keys) and CORE not in new.names and not known.has_user(CORE):
        yield _wrong(
            path, f"these keys are for user {CORE}, which does not exist", f"create {CORE} in users, or move the keys there"
        )


class _Unpacked:
    """The unpacked size of all files of a document. Raises Failure once it is too much for the disk of a small machine."""

    size = 0

    def add(self, length: int) -> None:
        self.size += length
        if self.size > limits.UNPACKED:
            most = f"{limits.UNPACKED >> 20} MiB"
            raise Failure(f"all files together are larger than {most} when unpacked", fix="let a unit fetch large contents")


def _file(file: WriteFile, index: int, known: Facts | None, new: Newcomers | None, unpacked: _Unpacked) -> Iterator[Finding]:
    path: Path = ("write_files", index)
    blocked = known.blocked.get(file.path, "") if known else impossible(file.path)
    if not file.path:
        yield _wrong(path, "the file has no path", "set its path: /etc/…")
    elif blocked:
        yield _wrong((*path, "path"), blocked, "choose another path")
    try:
        unpacked.add(files.unpacked_length(file.content, file.encoding))
    except Failure as failure:
        yield _wrong((*path, "encoding"), failure.what, failure.fix)
    if file.permissions and not _OCTAL.fullmatch(file.permissions):
        yield _wrong((*path, "permissions"), "not octal permissions", "write them as 0644")
    if known and new and (missing := files.unknown_owner(file.owner, known, new)):
        yield _wrong((*path, "owner"), f"{missing} does not exist", "name an existing owner, or create the user in users")


def _unit_name_fix(name: str) -> str:
    import posixpath

    if name.startswith("/") or ".." in name.split("/"):
        return f"write the name alone, such as {posixpath.basename(name) or 'a.service'}, or UNIT.d/NAME.conf for a drop-in"
    return "use letters, digits and :_.-@, and end it with the unit type, such as .service"


def _unit(unit: Unit, index: int, known: Facts | None) -> Iterator[Finding]:
    path: Path = ("coreos", "units", index)
    if unit.name and not systemd.is_name(unit.name):
        yield _wrong((*path, "name"), "not a valid unit name", _unit_name_fix(unit.name))
    elif "/" in unit.name and (unit.enable or unit.command):
        member = "enable" if unit.enable else "command"
        fix = f"set {member} in a separate entry for {systemd.owner(unit.name)}"
        yield _wrong((*path, member), f"{unit.name} is a file, not a unit: {member} does not apply", fix)
    if unit.command and unit.command not in COMMANDS:
        yield _wrong((*path, "command"), f"unknown command {unit.command!r}", f"one of {', '.join(COMMANDS)}")
    if known and unit.name in known.missing_units:
        place = (*path, "enable" if unit.enable else "command")
        yield _wrong(place, f"unit {unit.name} does not exist", "add its content, or correct the name")
    for number, drop_in in enumerate(unit.drop_ins):
        place = (*path, "drop_ins", number, "name")
        if _NOT_IN_A_NAME.search(drop_in.name) or drop_in.name in (".", ".."):
            yield _wrong(place, "the name of a drop-in must not contain a slash", "name it like 10-mine.conf")
        elif len(drop_in.name.encode()) > _LONGEST_NAME:
            yield _wrong(place, f"the name of a drop-in has at most {_LONGEST_NAME} bytes", "name it like 10-mine.conf")
