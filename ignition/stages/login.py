"""Checks whether anybody can log in to the provisioned machine, and leaves a notice if not, or if there were warnings.

The end of the files stage. It only serves people: a failure here is a warning, and the boot continues. The notice is a file in
/run/issue.d, which outlives the switch to the real root; agetty(8) shows it above the login prompt in this boot. If /etc/issue
exists, agetty only reads /etc/issue.d, and a symlink there leads to the notice.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from ignition.errors import Failure
from ignition.host import cmdline, log, paths, sshd_config
from ignition.host.printable import printable
from ignition.host.reading import lines, read_text
from ignition.host.root import PARENTS, put
from ignition.operation import Context, Deferred, Operation
from ignition.sysroot.account_database import Account, AccountDatabase
from ignition.sysroot.ssh_keys import NAME, AddKeys, KeyPlaces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ignition.config.model import Config
    from ignition.host.root import Root
    from ignition.stages.state import State

WIDTH = 79
_MOST_USERS = 500
_LINK = f"/etc/issue.d/{paths.ISSUE}"  # in the new root
_TARGET = f"../../run/issue.d/{paths.ISSUE}"
_FIX = (
    "Give the machine a config with a user that has sshAuthorizedKeys or a passwordHash, and let it go through its first boot"
    " again."
)
_NO_LOGIN = frozenset({"nologin", "false", "true", "sync", "shutdown", "halt"})
_CREDENTIALS = "/run/credentials/@system"  # systemd.system-credentials(7)
_AUTOLOGIN = ("coreos.autologin", "flatcar.autologin", "systemd.debug_shell", "systemd.debug-shell")
_UNIT_DIRECTORIES = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_PRESET_DIRECTORIES = ("/etc/systemd/system-preset", "/usr/lib/systemd/system-preset", "/lib/systemd/system-preset")
_OF_THE_USER = "user-config.target"
# Units that add users, keys or passwords to a running machine; a name that ends in @ is that of a template.
_BRINGERS = (
    "coreos-metadata-sshkeys@",
    "afterburn-sshkeys@",
    _OF_THE_USER,
    "system-config.target",
    "oem-cloudinit.service",
    "cloud-init.service",
    "cloud-init-main.service",
    "google-guest-agent.service",
    "google-guest-agent-manager.service",
    "waagent.service",
    "walinuxagent.service",
    "ec2-instance-connect.service",
    "systemd-firstboot.service",
    "systemd-homed-firstboot.service",
)


def plan(config: Config, places: KeyPlaces) -> list[Operation]:
    """The operations after all files for the SSH keys of the config. `places`: where the keys went before."""
    with_keys = [user for user in config.passwd.users if user.ssh_authorized_keys and user.should_exist is not False]
    return [FollowSshd(config, places)] if with_keys else []


class FollowSshd(Deferred):
    """Files of the config may have changed where sshd looks for keys: adds the keys there as well."""

    optional = True

    def __init__(self, config: Config, places: KeyPlaces) -> None:
        self._config, self._places = config, places

    def describe(self) -> str:
        return "inspect where sshd reads SSH keys now that all files are written, then add the keys there"

    def plan(self, context: Context) -> list[Operation]:
        context.root.forget()
        accounts = AccountDatabase(context.root, steady=True)
        before, now = self._places, self._places.again(accounts)
        operations: list[Operation] = []
        for index, user in enumerate(self._config.passwd.users):
            account = accounts.user(user.name) if user.ssh_authorized_keys and user.should_exist is not False else None
            if account is not None and before.place(account).path != now.place(account).path:
                place = f"$.passwd.users.{index}"
                adding = AddKeys(place, user.name, user.ssh_authorized_keys, accounts, places=now, name=NAME)
                adding.optional = True
                operations.append(adding)
        return operations


class LeaveNotice(Operation):
    """Leaves the notice, or removes an earlier one of this boot."""

    kind = "leave-notice"
    optional = True

    def __init__(self, config: Config, platform: str, state: State, places: KeyPlaces) -> None:
        self.path = os.path.join(paths.issue_directory(), paths.ISSUE)
        self._config, self._platform, self._state, self._places = config, platform, state, places
        self._said: list[str] = []  # each is a warning as well
        self._shown: list[str] = []
        self.count_warnings: Callable[[], int] = lambda: 0  # of the first boot so far, for who can read them

    def describe(self) -> str:
        return "leave a notice at the login prompt if nobody can log in"

    def already_there(self, context: Context) -> bool:
        context.root.forget()
        accounts = AccountDatabase(context.root, steady=True)
        self._said = notices(self._config, self._platform, self._state, accounts, self._places.again(accounts))
        self._shown = [*self._said, *_about_warnings(self.count_warnings(), len(self._said))]
        try:
            with open(self.path, encoding="utf-8") as file:
                shown = file.read()
        except FileNotFoundError:
            shown = ""
        link = context.root.status(_LINK)
        is_linked = link is not None or context.root.status("/etc/issue") is None if self._shown else link is None
        return shown == _text_of(self._shown) and is_linked

    def execute(self, context: Context) -> None:
        for paragraph in self._said:
            log.warning(paragraph)
        if self._shown:
            put(self.path, _text_of(self._shown).encode(), mode=0o644)
        else:
            with suppress(FileNotFoundError, NotADirectoryError):
                os.unlink(self.path)
        _link(context.root, wanted=bool(self._shown))


def notices(
    config: Config, platform: str, state: State, accounts: AccountDatabase, places: KeyPlaces, *, arguments: str | None = None
) -> list[str]:
    """The paragraphs of the notice; empty if people can log in.

    `arguments`: the kernel command line of another machine; None for this one, whose credentials of systemd count as well.
    """
    root = accounts.root
    said = _about_config(platform, state)
    said += _about_places(config, accounts, places)
    users = [account for account in accounts.users(of_every_file=True) if has_shell(account)]
    # sshd_config is evaluated for each user; with more of them, one can be assumed to have a key.
    if len(users) <= _MOST_USERS and not any(can_log_in(account, root, accounts, places) for account in users):
        provided = state.user_config_provided()
        # coreos-cloudinit does not apply user data on a machine with a config for Ignition.
        unknown = [
            one for one in dict.fromkeys(_unknown(root, accounts, users, arguments)) if not provided or one != _OF_THE_USER
        ]
        unless = f", unless {' or '.join(unknown[:3])} lets somebody in" if unknown else ""
        said += [f"No user of this machine has an SSH key or a password: nobody can log in{unless}.", _FIX]
    return said


def _about_warnings(count: int, said: int) -> list[str]:
    """Where to read the warnings. `said`: the paragraphs of the notice, which the report counts as well."""
    if not count:
        return []
    number = f"{count + said} warning{'s' if count + said > 1 else ''}"
    return [f"The first boot gave {number}: ignition report shows {'them' if count + said > 1 else 'it'}."]


def has_shell(account: Account) -> bool:
    """Whether a login would start a shell; an empty field is /bin/sh (passwd(5))."""
    return os.path.basename(account.shell) not in _NO_LOGIN


def can_log_in(account: Account, root: Root, accounts: AccountDatabase, places: KeyPlaces) -> bool:
    """By a password, or by a key in a file that sshd reads. In doubt it can."""
    shadow = accounts.shadow(account.name)
    if _is_expired(shadow):
        return False
    return can_use_password(account, shadow) or _has_key(account, root, places)


def can_use_password(account: Account, shadow: list[str]) -> bool:
    """Whether a password can match the field: a hash, or an empty field. `!`, `*`, `x` and other words never match."""
    field = shadow[1] if shadow else account.password
    if field == "":
        return True
    # crypt(5): $id$…, or DES with and without an iteration count.
    return (field[0] == "$" and field.count("$") >= 3) or (len(field) == 13 and field[0] not in "!*") or field[0] == "_"


def _is_expired(shadow: list[str]) -> bool:
    """shadow(5), field 8: the account ends on that day."""
    return len(shadow) > 7 and shadow[7].isascii() and shadow[7].isdecimal() and int(shadow[7][:9]) <= time.time() // 86400


def _has_key(account: Account, root: Root, places: KeyPlaces) -> bool:
    try:
        sources = sshd_config.key_sources(root, places.person(account), places.home_of)
    except Failure:
        home = account.home.rstrip("/")
        return any(_holds_key(root, path) for path in (f"{home}/{sshd_config.PLAIN}", f"{home}/{sshd_config.KEY_DIR}/{NAME}"))
    if sources.accepts_others:
        return True  # an authority that signs certificates may let anybody in
    if not sources.accepts_keys:
        return False
    found = {path for outcome in sources.files for path in outcome}
    for command in sources.commands:
        if command and not sshd_config.is_key_dir(command):
            return True  # it may ask any service
        if command:
            directory = f"{account.home.rstrip('/')}/{sshd_config.KEY_DIR}"
            found |= {f"{directory}/{name}" for name in _names(root, directory) if not name.startswith(".")}
    return any(_holds_key(root, path) for path in found)


def _holds_key(root: Root, path: str) -> bool:
    with suppress(Failure, OSError):
        return any(line.strip() and not line.lstrip().startswith("#") for line in lines(read_text(root, path) or ""))
    return False


def _names(root: Root, directory: str) -> list[str]:
    with suppress(Failure, OSError):
        return root.names(directory)
    return []


def _text(root: Root, path: str) -> str:
    with suppress(Failure, OSError):
        return read_text(root, path) or ""
    return ""


def _about_config(platform: str, state: State) -> list[str]:
    from ignition.rendering.render import DEVICE_OPTION, URL_OPTIONS

    if state.user_config_provided():
        return []
    words = cmdline.read()
    given = next((name for name in (*URL_OPTIONS, DEVICE_OPTION) if cmdline.last(words, name)), "")
    if given:
        where = f"{given}= on the kernel command line provided none"
    else:
        where = f"platform {platform} provided none: {_source(platform)}"
    instead = " The default of the image was applied." if any(one["kind"] == "default" for one in state.fetched_configs) else ""
    return [f"No Ignition config was given to this machine ({where}).{instead}"]


def _source(platform: str) -> str:
    from ignition import platforms

    with suppress(Failure):
        return platforms.config_source(platform).says
    return "unknown source"


def _about_places(config: Config, accounts: AccountDatabase, places: KeyPlaces) -> list[str]:
    said = []
    for user in config.passwd.users:
        account = accounts.user(user.name) if user.ssh_authorized_keys and user.should_exist is not False else None
        if account is None:
            continue
        if not places.are_read(account):
            path = places.place(account).path
            said.append(
                f"The SSH keys of {account.name} have no effect: they are in {path}, which sshd of this machine does not read"
                " (AuthorizedKeysFile and PubkeyAuthentication in /etc/ssh/sshd_config)."
            )
    return said


def _unknown(root: Root, accounts: AccountDatabase, users: Iterable[Account], arguments: str | None) -> Iterable[str]:
    """Other ways in, which the account files do not show."""
    given = {word.partition("=")[0] for word in cmdline.words(cmdline.read() if arguments is None else arguments)}
    yield from (f"{name} on the kernel command line" for name in _AUTOLOGIN if name in given)
    yield from _enabled(root)
    yield from (f"the account source {name}" for name in accounts.foreign_sources() if name.isalnum())
    if any(name.endswith((".homedir", ".home")) for name in _names(root, "/home")):
        yield "systemd-homed"
    with suppress(OSError):
        names = os.listdir(_CREDENTIALS) if arguments is None else []
        if any(name.startswith(("passwd.", "ssh.", "userdb.", "firstboot.")) for name in names):
            yield "a credential of systemd"
    for directory in _UNIT_DIRECTORIES:
        for name in (name for name in _names(root, directory) if "getty" in name and name.endswith(".service.d")):
            if any("--autologin" in _text(root, f"{directory}/{name}/{one}") for one in _names(root, f"{directory}/{name}")):
                yield f"the autologin of {name[:-2]}"
    homes = {account.home for account in users}
    for line in lines(_text(root, "/etc/fstab")):
        fields = line.split()
        if len(fields) < 2 or fields[0][0] == "#" or fields[1] == "/":
            continue
        if any(f"{home}/".startswith(f"{fields[1].rstrip('/')}/") for home in homes):
            yield f"the file system mounted at {fields[1]}"


def _enabled(root: Root) -> Iterable[str]:
    """Units that add users or keys and will run: linked by a target, or enabled by presets on the first boot."""
    installed, linked = set(), set()
    for directory in _UNIT_DIRECTORIES:
        names = _names(root, directory)
        installed |= set(names)
        for name in names:
            if name.endswith((".wants", ".requires", ".upholds")):
                linked |= set(_names(root, f"{directory}/{name}"))
    presets = list(_presets(root)) if _text(root, "/etc/machine-id").strip() in ("", "uninitialized") else None
    for bringer in _BRINGERS:
        yield from sorted(name for name in linked if _is_of(name, bringer))
        if presets is not None and not any(_is_of(name, bringer) for name in linked):
            unit = f"{bringer}.service" if bringer.endswith("@") else bringer
            verbs = (verb for verb, pattern in presets if _fits(bringer, unit, pattern))
            if unit in installed and next(verbs, "enable") == "enable":
                yield unit


def _is_of(name: str, bringer: str) -> bool:
    return name.startswith(bringer) if bringer.endswith("@") else name == bringer


def _fits(bringer: str, unit: str, pattern: str) -> bool:
    from fnmatch import fnmatchcase  # most images bring nothing that lets people log in

    return fnmatchcase(unit, pattern) or (bringer.endswith("@") and pattern.startswith(bringer))


def _presets(root: Root) -> Iterable[tuple[str, str]]:
    """Verb and pattern of each line; the first match of a unit counts (systemd.preset(5))."""
    files: dict[str, str] = {}
    for directory in _PRESET_DIRECTORIES:
        for name in _names(root, directory):
            if name.endswith(".preset"):
                files.setdefault(name, f"{directory}/{name}")
    for name in sorted(files):
        for line in lines(_text(root, files[name])):
            words = line.split()
            if len(words) > 1 and words[0] in ("enable", "disable"):
                yield words[0], words[1]


def _text_of(said: list[str]) -> str:
    if not said:
        return ""
    shown = []
    for paragraph in said:
        wrapped = [""]
        for word in printable(paragraph, 1000).split():  # textwrap would take longer to load than all of this notice
            if wrapped[-1] and len(wrapped[-1]) + 1 + len(word) > WIDTH - 10:
                wrapped.append(word)
            else:
                wrapped[-1] = f"{wrapped[-1]} {word}".lstrip()
        shown += [("ignition: " if number == 0 else " " * 10) + line for number, line in enumerate(wrapped)]
    # agetty replaces a backslash and the letter after it.
    return "\n".join(shown).replace("\\", "\\\\") + "\n\n"


def _link(root: Root, *, wanted: bool) -> None:
    """Lead agetty from /etc/issue.d to the notice. On later boots the link dangles, and agetty ignores it."""
    if root.status("/etc/issue") is None:
        return
    parents = PARENTS if wanted else None
    with suppress(FileNotFoundError, NotADirectoryError), root.at(_LINK, parents=parents) as here:
        found = here.status()
        if found is None and wanted:
            here.symlink(_TARGET)
        elif found is not None and not wanted and stat.S_ISLNK(found.st_mode) and here.readlink() == _TARGET:
            here.unlink()
