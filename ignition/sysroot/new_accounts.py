"""New users and groups that are written to an ordinary root without a program, byte for byte as useradd and groupadd write them.

useradd takes 15 ms and longer for each user, most of them for namespaces (ignition.host.confinement). This module knows what
shadow-utils does for the roots that images have in practice, and why it should not try for others: `reason_for_useradd` and
`reason_for_groupadd` list everything that is left to the programs, errors above all, whose wording is theirs. It decides from the
texts of the root's files; ignition.sysroot.direct_accounts writes them.

Only roots that are not running: there nobody else changes accounts, so that locks, caches (nscd, sssd) and the audit log, which
the programs also take care of, do not matter.

Sources: shadow 4.13 (Debian 12) and 4.17 (Debian 13): src/useradd.c, src/groupadd.c, src/chpasswd.c, lib/commonio.c,
lib/subordinateio.c, lib/find_new_uid.c, lib/find_new_gid.c, lib/find_new_sub_uids.c, lib/getdef.c, lib/copydir.c. useradd of
later versions does not print INACTIVE= and follows other rules: it is not imitated.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property
from itertools import chain, pairwise

from ignition.errors import Failure
from ignition.host import command
from ignition.host.dentry import Dentry
from ignition.host.reading import lines, read_text
from ignition.host.root import Root
from ignition.patterns import lazy_pattern
from ignition.sysroot import nsswitch
from ignition.sysroot.account_database import is_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    Texts = dict[str, str]  # file → its new contents
    Reason = tuple[Callable[[], object], str]  # whether it applies, and its wording for the log

# In the order in which useradd replaces them, on which AccountDatabase.is_whole depends after an interrupted attempt.
ORDER = ("passwd", "shadow", "group", "gshadow", "subuid", "subgid")
_FIELDS = {"passwd": 7, "shadow": 9, "group": 4, "gshadow": 4, "subuid": 3, "subgid": 3}
_NUMBERS = {"passwd": (2, 3), "shadow": (), "group": (2,), "gshadow": (), "subuid": (1, 2), "subgid": (1, 2)}

SKELETON = "/etc/skel"
LOCK = ".pwd.lock"  # of lckpwdf(3)
# Names that every version accepts, on every distribution: Debian allows more, upstream `$` at the end.
# Sets of characters instead of patterns: a config with users needs no other one, and `re` takes as long to load as two users.
_FIRST_OF_NAME = frozenset("abcdefghijklmnopqrstuvwxyz_")
_IN_NAME = _FIRST_OF_NAME | frozenset("0123456789-")
_MOST_OF_NAME = 32
_OCTAL = frozenset("01234567")
_CONTROL = frozenset(map(chr, [*range(0x0A), *range(0x0B, 0x20), 0x7F]))
_IN_NO_FIELD = _CONTROL | {":"}
_IN_HASH = frozenset("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_LONGEST_LINE = 1000  # bytes
_LAST_ID = 65533  # before those of _RESERVED_IDS

LOCKED = "*"
_RESERVED_NAMES = frozenset({"root", "nobody"})
_RESERVED_IDS = frozenset({0, 65534, 65535, 2**32 - 1})  # root, nobody, and those that mean an error in 16 and 32 bits
_NOT_A_NAME = ("", "#", "+", "-")  # at the beginning of a line
_UNIQUE = frozenset({"passwd", "shadow", "group", "gshadow"})

_LOGIN_NUMBERS = (
    *(f"{system}{kind}_{end}" for system in ("", "SYS_", "SUB_") for kind in ("UID", "GID") for end in ("MIN", "MAX")),
    *(f"SUB_{kind}_COUNT" for kind in ("UID", "GID")),
)
_AGING = ("PASS_MIN_DAYS", "PASS_MAX_DAYS", "PASS_WARN_AGE")
_MODES = ("HOME_MODE", "UMASK")
# Settings that change how accounts are written, or that versions to come may have.
_LOGIN_SWITCHES = ("MAX_MEMBERS_PER_GROUP", "USE_TCB", "SUB_UID_DETERMINISTIC", "UNSAFE_SUB_UID_DETERMINISTIC_WRAP")
_DEFAULTS = frozenset({"GROUP", "HOME", "INACTIVE", "EXPIRE", "SHELL", "SKEL", "CREATE_MAIL_SPOOL"})
_LATER_DEFAULTS = frozenset({"GROUPS", "USRSKEL", "BTRFS_SUBVOLUME_HOME", "LOG_INIT"})

_ORDINARY_SOURCES = frozenset({"files", "compat", nsswitch.SYSTEMD})
_USERDB = ("/etc/userdb", "/run/userdb", "/run/host/userdb", "/usr/local/lib/userdb", "/usr/lib/userdb")  # nss-systemd(8)
_TALLY = "/sbin/pam_tally2"
_VENDOR_SKELETON = "/usr/etc/skel"  # of shadow 4.17, copied after the other one
_VENDOR_SETTINGS = (
    "/usr/etc/login.defs",
    "/usr/etc/default/useradd",
    _VENDOR_SKELETON,
    "/etc/login.defs.d",
)  # openSUSE, and shadow 4.17
# File → the bytes of one user's record, the smallest of all architectures: lastlog(5), faillog(5).
_LOGS = {"/var/log/lastlog": 292, "/var/log/faillog": 24}

# The hashes that every version of chpasswd accepts: crypt(5), yescrypt, SHA-512, SHA-256.
_HASH = lazy_pattern(
    r"\$y\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}"
    r"|\$6\$(rounds=[1-9][0-9]{3,8}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}"
    r"|\$5\$(rounds=[1-9][0-9]{3,8}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43}"
)


class NewUser:
    """As the arguments of useradd: "" leaves a field to the defaults, `own_group` the primary group to USERGROUPS_ENAB."""

    def __init__(
        self,
        name: str,
        *,
        uid: int | None = None,
        gecos: str = "",
        home: str = "",
        shell: str = "",
        primary_group: str = "",
        groups: tuple[str, ...] = (),
        own_group: bool = True,
        system: bool = False,
        creates_home: bool = True,
        log_init: bool = True,
    ) -> None:
        self.name, self.uid, self.gecos, self.home, self.shell = name, uid, gecos, home, shell
        self.primary_group, self.groups, self.own_group = primary_group, groups, own_group
        self.system, self.creates_home, self.log_init = system, creates_home, log_init


class AccountFile:
    """One of `ORDER`: `status` is that of the node itself, None if it does not exist; `text` is None unless it is regular.

    `reason`: why accounts cannot be added to it; "" if they can.
    """

    def __init__(self, status: os.stat_result | None, text: str | None) -> None:
        self.status, self.text, self.reason = status, text, ""
        self.rows = [line.split(":") for line in lines(text or "")]

    @cached_property
    def ids(self) -> frozenset[int]:
        """The uids in passwd, the gids in group."""
        return frozenset(int(row[2]) for row in self.rows)

    def changed(self, text: str) -> AccountFile:
        """The same file with another text, to which accounts can be added as well."""
        return AccountFile(self.status, text)

    def column(self, position: int) -> set[str]:
        """The values of a field in all lines."""
        return {row[position] for row in self.rows}

    def is_still(self, found: os.stat_result | None) -> bool:
        """Whether a status is that of the file that was read."""
        if found is None or self.status is None:
            return found is self.status
        old = self.status
        return (found.st_ino, found.st_mtime_ns, found.st_size) == (old.st_ino, old.st_mtime_ns, old.st_size)


class Settings:
    """The settings of shadow-utils in a root. `reason`: why all accounts of the root are left to them; "" if they are not.

    `login_defs`: those of login.defs(5).
    """

    def __init__(self, root: Root) -> None:
        """Raises Failure for files that cannot be read."""
        self.root = root
        self.login_defs = _login_defs(read_text(root, "/etc/login.defs") or "")

    @cached_property
    def reason(self) -> str:
        """Raises Failure for files that cannot be read."""
        return _first(_reasons_of_root(self))

    def built_in(self) -> dict[str, str]:
        """The defaults of useradd without a file; empty if it cannot be asked."""
        return _own_defaults()

    @cached_property
    def defaults(self) -> dict[str, str]:
        """Those of useradd, and the settings of the root over them."""
        settings = _assignments(read_text(self.root, "/etc/default/useradd") or "")
        return self.built_in() | {name: value for name, value in settings.items() if name in _DEFAULTS | _LATER_DEFAULTS}

    @cached_property
    def switch(self) -> str:
        """The text of nsswitch.conf."""
        return next((text for place in nsswitch.PLACES if (text := read_text(self.root, place)) is not None), "")

    @cached_property
    def log_sizes(self) -> list[tuple[int, int]]:
        """The bytes of each log with records of logins, and those of one record."""
        found = ((self.root.status(path), size) for path, size in _LOGS.items())
        return [(one.st_size, size) for one, size in found if one is not None]

    @cached_property
    def has_tally(self) -> bool:
        """Whether the root has the program that useradd starts to reset failed logins."""
        return self.exists(_TALLY)

    @cached_property
    def has_plain_skeleton(self) -> bool:
        """Whether homes can be filled without useradd."""
        if not self.root.is_directory(SKELETON):
            return True
        with self.root.at(SKELETON, follow=True) as skeleton:
            return _is_plain(skeleton)

    def exists(self, *paths: str) -> bool:
        """Whether one of these paths exists in the root."""
        return any(self.root.status(path) is not None for path in paths)

    def has_ordinary_sources(self) -> bool:
        """Whether NSS finds users and groups in /etc alone; nss-systemd adds those of `_RESERVED_NAMES`, and its own files."""
        sources = [nsswitch.sources(self.switch, database) or nsswitch.default() for database in ("passwd", "group")]
        named = {source.name for found in sources for source in found}
        return named <= _ORDINARY_SOURCES and not (nsswitch.SYSTEMD in named and self.exists(*_USERDB))

    def number(self, name: str, default: int) -> int:
        """A number of login.defs."""
        return int(self.login_defs.get(name, default))

    def range_of(self, kind: str, *, is_system: bool) -> tuple[int, int]:
        """The first and last id ("UID" or "GID") that are selected automatically."""
        first = self.number(f"{kind}_MIN", 1000)
        if is_system:
            return self.number(f"SYS_{kind}_MIN", 101), self.number(f"SYS_{kind}_MAX", first - 1)
        return first, self.number(f"{kind}_MAX", 60000)

    def has_ordinary_ranges(self) -> bool:
        """Whether all of these are below `_RESERVED_IDS`."""
        ranges = [self.range_of(kind, is_system=is_system) for kind in ("UID", "GID") for is_system in (False, True)]
        return all(0 < least <= most <= _LAST_ID for least, most in ranges)


class Etc:
    """The facts on which a new account depends: the settings of a root, and its files of accounts, by the names of `ORDER`.

    Methods that take a user need facts for which there is no reason to leave the user to useradd.
    """

    def __init__(self, settings: Settings, files: dict[str, AccountFile]) -> None:
        self.settings, self.files = settings, files

    def is_sorted(self, file: str) -> bool:
        """Whether subuid or subgid is sorted by the first ids, none of which appears twice."""
        return all(int(one[1]) < int(other[1]) for one, other in pairwise(self.files[file].rows))

    def has_own_group(self, user: NewUser) -> bool:
        """Whether a new user gets a group of its own."""
        return user.own_group and not user.primary_group and self.settings.login_defs.get("USERGROUPS_ENAB", "").lower() == "yes"

    def home_of(self, user: NewUser) -> str:
        """The home of a new user."""
        return user.home or f"{self.settings.defaults['HOME']}/{user.name}"

    def uid_of(self, user: NewUser) -> int | None:
        """The uid of a new user; None if all are in use."""
        return self.free_id("UID", is_system=user.system) if user.uid is None else user.uid

    def gid_of(self, user: NewUser) -> int | None:
        """The gid of a new user; None if all are in use, or if the default group does not exist."""
        if self.has_own_group(user):
            return self.free_id("GID", is_system=user.system, preferred=self.uid_of(user))
        return self.find_group(user.primary_group or self.settings.defaults["GROUP"])

    def find_group(self, group: str) -> int | None:
        """The gid of a group in /etc/group, by name or number; None also if the text could be either."""
        gids = {row[0]: int(row[2]) for row in self.files["group"].rows}
        if _is_number(group):
            return int(group) if int(group) in gids.values() and group not in gids else None
        return gids.get(group) if _is_plain_name(group) else None

    def lists_of(self, groups: Iterable[str]) -> list[str]:
        """The fields with names of users in the lines of these groups: members, and administrators in gshadow."""
        wanted = frozenset(groups)
        found = [
            row[first:] for file, first in (("group", 3), ("gshadow", 2)) for row in self.files[file].rows if row[0] in wanted
        ]
        return list(chain.from_iterable(found))

    def subordinate_files(self, user: NewUser) -> list[str]:
        """Those of subuid and subgid that get a line. An explicit uid outside the range of ordinary users does not get one."""
        least, most = self.settings.range_of("UID", is_system=False)
        is_ordinary = not user.system and (user.uid is None or least <= user.uid <= most)
        return [file for file in ("subuid", "subgid") if is_ordinary and self.files[file].status is not None]

    def has_login_records(self, user: NewUser) -> bool:
        """Whether lastlog, faillog or tallylog have a record for the uid of a new user, of an earlier one."""
        uid = self.uid_of(user) or 0
        return self.settings.has_tally or any(length > size * uid for length, size in self.settings.log_sizes)

    def free_id(self, kind: str, *, is_system: bool, preferred: int | None = None) -> int | None:
        """An unused id ("UID" or "GID") as shadow-utils selects it; None if there is none.

        Beyond all others in use, so that the id of a deleted account does not come back; in a gap only if that is impossible.
        System accounts are numbered downwards. `preferred` may be below the range of system accounts.
        """
        least, most = self.settings.range_of(kind, is_system=is_system)
        used = self.files["passwd" if kind == "UID" else "group"].ids
        if preferred is not None and (1 if is_system else least) <= preferred <= most and preferred not in used:
            return preferred
        inside = [number for number in used if least <= number <= most]
        if is_system:
            first = min(inside, default=most + 1) - 1
            candidates = chain(range(first, least - 1, -1), range(most, least - 1, -1))
        else:
            first = max(inside, default=least - 1) + 1
            candidates = chain(range(first, most + 1), range(least, most + 1))
        return next((number for number in candidates if number not in used), None)

    def free_subordinate_range(self, file: str) -> tuple[int, int] | None:
        """The first id and the number of a free range in subuid or subgid; None if there is none, or if login.defs is wrong."""
        kind = "UID" if file == "subuid" else "GID"
        low, most = self.settings.number(f"SUB_{kind}_MIN", 100000), self.settings.number(f"SUB_{kind}_MAX", 600100000)
        count = self.settings.number(f"SUB_{kind}_COUNT", 65536)
        if count == 0 or low > most or count >= most or low + count - 1 > most:
            return None
        for _, start, length in self.files[file].rows:
            if min(int(start), most) - low >= count:
                return low, count
            low = max(low, int(start) + int(length))
            if low > most:
                return None
        return (low, count) if most - low + 1 >= count else None


def reason_for_useradd(user: NewUser, etc: Etc) -> str:
    """Why this user is left to useradd; "" if `user_texts` knows what to write."""
    files, settings = etc.files, etc.settings
    fields, groups = (user.gecos, user.home, user.shell), (*user.groups, user.primary_group)
    known = [file for file in ORDER if file not in ("group", "gshadow") or etc.has_own_group(user)]
    return _first(
        [
            *_reasons_of_facts(etc, ORDER),
            # useradd refuses the name, or only some versions accept it.
            (lambda: not _is_plain_name(user.name), "the name is not lower-case ASCII"),
            # Those that nss-systemd makes up, where passwd does not have them.
            (lambda: user.name in _RESERVED_NAMES, "the name is reserved"),
            # An error; or a line of a deleted user or an interrupted attempt, which useradd replaces or keeps.
            (lambda: any(user.name in files[file].column(0) for file in known), "a file of accounts knows the name"),
            # An error.
            (lambda: str(user.uid) in files["passwd"].column(2) or user.uid in _RESERVED_IDS, "the uid is in use or reserved"),
            # useradd refuses a colon and a newline; versions differ in other control characters.
            (
                lambda: any(not _IN_NO_FIELD.isdisjoint(text) for text in fields),
                "a field has a colon or a control character",
            ),
            # An error, or a home that is created at one path and written as another.
            (
                lambda: not all(map(_is_plain_path, filter(None, (user.home, user.shell)))),
                "home or shell is not a plain absolute path",
            ),
            # A group of another source, or one that does not exist.
            (lambda: any(etc.find_group(group) is None for group in filter(None, groups)), "a group is not in /etc/group"),
            # It is a gid for useradd, and a name for PutUser.
            (lambda: any(map(_is_number, user.groups)), "a supplementary group is a number"),
            # useradd formats lists of members again, without the empty names that a file may have.
            (lambda: not all(map(_is_plain_list, etc.lists_of(user.groups))), "a list of members is malformed"),
            # A version with other rules than those of this module, or a useradd that cannot be asked.
            (
                lambda: not _DEFAULTS <= set(settings.defaults) <= _DEFAULTS | _LATER_DEFAULTS,
                "this useradd has other defaults",
            ),
            (
                lambda: not all(map(_is_plain_value, settings.defaults.values())),
                "a default of useradd has a blank or a colon",
            ),
            # It creates a mailbox.
            (lambda: not user.system and settings.defaults["CREATE_MAIL_SPOOL"].lower() == "yes", "CREATE_MAIL_SPOOL=yes"),
            # A date in words, a number in octal.
            (
                lambda: settings.defaults["EXPIRE"] or not _is_days(settings.defaults["INACTIVE"]),
                "EXPIRE= or INACTIVE= is unusual",
            ),
            # Groups for everybody.
            (lambda: settings.defaults.get("GROUPS"), "GROUPS= is set"),
            # Homes that are subvolumes.
            (lambda: settings.defaults.get("BTRFS_SUBVOLUME_HOME", "no").lower() == "yes", "BTRFS_SUBVOLUME_HOME=yes"),
            # CompleteHome only knows the usual one.
            (lambda: settings.defaults["SKEL"] not in ("", SKELETON), "SKEL= is set"),
            (lambda: settings.defaults.get("USRSKEL", "") not in ("", _VENDOR_SKELETON), "USRSKEL= is set"),
            # As for a home of the config.
            (lambda: not user.home and not _is_plain_path(settings.defaults["HOME"]), "HOME= is not a plain absolute path"),
            # Errors.
            (lambda: etc.uid_of(user) is None, "all uids are in use"),
            # An error; or a default group that does not exist, for which versions take different ones.
            (lambda: etc.gid_of(user) is None, "all gids are in use, or the default group does not exist"),
            # useradd sorts the file, the lines of other users included.
            (lambda: not all(map(etc.is_sorted, etc.subordinate_files(user))), "subuid or subgid is not sorted"),
            # An error.
            (lambda: None in map(etc.free_subordinate_range, etc.subordinate_files(user)), "all subordinate ids are in use"),
            # An error, or an account that some programs do not see.
            (lambda: _is_long(":".join(_passwd_line(user, etc))), "the line in passwd is long"),
            # useradd resets the records of earlier users of this uid.
            (lambda: user.log_init and etc.has_login_records(user), "lastlog, faillog or tallylog has records"),
            # useradd copies special files and hard links as such, and rewrites some symlinks.
            (
                lambda: user.creates_home and not _is_plain_home(settings, etc.home_of(user)),
                "the home or /etc/skel is unusual",
            ),
        ]
    )


def reason_for_groupadd(name: str, gid: int | None, etc: Etc, *, is_system: bool) -> str:
    """Why this group is left to groupadd; "" if `group_texts` knows what to write."""
    files = {file: etc.files[file] for file in ("group", "gshadow")}
    return _first(
        [
            *_reasons_of_facts(etc, files),
            (lambda: not _is_plain_name(name) or name in _RESERVED_NAMES, "the name is reserved or not lower-case ASCII"),
            (lambda: any(name in file.column(0) for file in files.values()), "a file of accounts knows the name"),
            (lambda: str(gid) in files["group"].column(2) or gid in _RESERVED_IDS, "the gid is in use or reserved"),
            (lambda: gid is None and etc.free_id("GID", is_system=is_system) is None, "all gids are in use"),
        ]
    )


def reason_for_chpasswd(wanted: Sequence[tuple[str, str]], etc: Etc) -> str:
    """Why the passwords of these (user, hash) are left to chpasswd; "" if `password_texts` knows what to write."""
    files = {file: etc.files[file] for file in ("passwd", "shadow")}
    passwd, shadow = ({row[0]: row for row in file.rows} for file in files.values())
    return _first(
        [
            *_reasons_of_facts(etc, files),
            # Later versions refuse malformed hashes.
            (
                lambda: any(password != LOCKED and not _is_usual_hash(password) for _, password in wanted),
                "a hash is unusual",
            ),
            # chpasswd writes the hash to passwd as well, or creates the line in shadow.
            (
                lambda: any(name not in shadow or passwd.get(name, ["", ""])[1] != "x" for name, _ in wanted),
                "passwords in passwd",
            ),
            # Versions differ in whether the user must still change it at the next login.
            (lambda: any(shadow[name][2] == "0" for name, _ in wanted), "a password must be changed"),
            # chpasswd formats the line again: numbers without leading zeros.
            (
                lambda: not all(_is_number(field) for name, _ in wanted for field in filter(None, shadow[name][2:])),
                "lines of shadow",
            ),
        ]
    )


def _reasons_of_facts(etc: Etc, files: Iterable[str]) -> Iterator[Reason]:
    """Those of the root and of some of its files, which have been found before."""
    reasons = [etc.settings.reason, *(etc.files[file].reason for file in files)]
    return ((lambda: True, reason) for reason in reasons if reason)


def _reasons_of_root(settings: Settings) -> list[Reason]:
    """Those that do not depend on an account or on the other accounts."""
    root, login_defs = settings.root, settings.login_defs
    numbers, days, modes = (
        [login_defs[name] for name in names if name in login_defs] for names in (_LOGIN_NUMBERS, _AGING, _MODES)
    )
    return [
        # Others may change accounts at the same time, and caches must hear of it.
        (lambda: root.is_live or not root.path, "the system is running"),
        # Scripts of the image that run before and after.
        (lambda: settings.exists("/etc/shadow-maint"), "/etc/shadow-maint exists"),
        # libeconf: several files are merged.
        (lambda: settings.exists(*_VENDOR_SETTINGS), "there are settings in /usr/etc or /etc/login.defs.d"),
        # Names and ids may be in use in files or services that this module does not read.
        (lambda: not settings.has_ordinary_sources(), "nsswitch.conf has other sources of accounts"),
        (lambda: nsswitch.sources(settings.switch, "subid"), "nsswitch.conf has a line for subid"),
        # Long groups in several lines, shadow files of each user, other rules for subordinate ids.
        (lambda: not login_defs.keys().isdisjoint(_LOGIN_SWITCHES), "login.defs has unusual settings"),
        # Octal, hexadecimal, or an error, after which useradd takes its own default.
        (lambda: not all(map(_is_number, numbers)) or not all(map(_is_days, days)), "login.defs has an unusual number"),
        (lambda: not all(map(_is_mode, modes)), "login.defs has an unusual mode"),
        # An error, or ids beyond those of 16 bits, some of which have a meaning.
        (lambda: not settings.has_ordinary_ranges(), "login.defs has an unusual range"),
    ]


def _reasons_of_file(name: str, file: AccountFile, root: Root) -> list[Reason]:
    """Those that depend on the other accounts in a file."""
    here, rows, text = f"/etc/{name}", file.rows, file.text or ""
    others = [root.status(path) for path in (f"{here}.lock", f"{here}+", f"{here}-", f"/etc/{LOCK}")]
    return [
        # Without shadow or gshadow the other files differ; without subuid or subgid there are no subordinate ids.
        (lambda: file.status is None and name not in ("subuid", "subgid"), f"{here} does not exist"),
        # One version follows a symlink, another refuses it.
        (lambda: file.status is not None and file.text is None, f"{here} is not a regular file"),
        # By another process, or one that was interrupted.
        (lambda: any(others[:2]), f"{here} is locked"),
        # Some versions write through a symlink.
        (
            lambda: not all(stat.S_ISREG(one.st_mode) for one in others if one),
            f"the backup or lock of {here} is not a regular file",
        ),
        # Versions differ in control characters. A backslash continues a line of group.
        (lambda: not _CONTROL.isdisjoint(text) or "\\\n" in text, f"{here} has control characters or continued lines"),
        # Some versions complete it, others refuse the file.
        (lambda: text and not text.endswith("\n"), f"the last line of {here} is incomplete"),
        # Entries of NIS stay last. Comments and malformed lines stay, and may or may not be accounts.
        (
            lambda: any(len(row) != _FIELDS[name] or row[0][:1] in _NOT_A_NAME for row in rows),
            f"{here} has NIS or malformed lines",
        ),
        (lambda: not all(_is_number(row[at]) for row in rows for at in _NUMBERS[name]), f"{here} has an unusual number"),
        # Groups that are split into several lines are merged; other duplicates are errors. A user may have several ranges.
        (lambda: name in _UNIQUE and len(file.column(0)) != len(rows), f"{here} has duplicate names"),
        # They are parsed in buffers of 1024 bytes by some versions; those of groups grow.
        (lambda: name not in ("group", "gshadow") and any(map(_is_long, lines(text))), f"{here} has long lines"),
    ]


def reason_of_file(name: str, file: AccountFile, root: Root) -> str:
    """Why shadow-utils must change this file of accounts; "" if it need not."""
    return _first(_reasons_of_file(name, file, root))


def _first(reasons: Iterable[Reason]) -> str:
    """The first reason whose condition is met: later conditions may depend on earlier ones not being met."""
    return next((reason for is_met, reason in reasons if is_met()), "")


def _is_plain_home(settings: Settings, home: str) -> bool:
    """Whether a home exists, or can be created and filled. useradd refuses a dangling symlink."""
    found = settings.root.status(home)
    return settings.has_plain_skeleton if found is None else not stat.S_ISLNK(found.st_mode)


def _is_plain(directory: Dentry) -> bool:
    """Whether all nodes are directories, files without hard links and set-id bits, and symlinks that useradd does not rewrite."""
    with directory.entered() as entries:
        for entry in entries:
            found = entry.status()
            kind = stat.S_IFMT(found.st_mode) if found else 0
            if kind == stat.S_IFDIR:
                if not _is_plain(entry):
                    return False
            elif kind == stat.S_IFLNK:
                if entry.readlink().startswith(SKELETON):
                    return False
            elif found is None or kind != stat.S_IFREG or found.st_nlink != 1 or found.st_mode & (stat.S_ISUID | stat.S_ISGID):
                return False
    return True


def user_texts(user: NewUser, etc: Etc) -> Texts:
    """The files that change, with their new texts, in the order of `ORDER`."""
    files, defaults, gid = etc.files, etc.settings.defaults, str(etc.gid_of(user))
    days = [] if user.system else [*(etc.settings.login_defs.get(name, "-1") for name in _AGING), defaults["INACTIVE"]]
    aging = ["" if one == "-1" else one for one in days] or [""] * 4
    texts = {
        "passwd": _with(files["passwd"], _passwd_line(user, etc)),
        "shadow": _with(files["shadow"], [user.name, LOCKED, _today(), *aging, "", ""]),
    }
    for name, own in (("group", [user.name, "x", gid, ""]), ("gshadow", [user.name, "!", "", ""])):
        # gshadow may lack the groups, and is then not replaced.
        if etc.has_own_group(user) or not files[name].column(0).isdisjoint(user.groups):
            rows = [_joined(row, user.name) if row[0] in user.groups else row for row in files[name].rows]
            texts[name] = _text([*rows, own] if etc.has_own_group(user) else rows)
    for name in etc.subordinate_files(user):
        texts[name] = _with(files[name], [user.name, *map(str, etc.free_subordinate_range(name) or ())])
    return texts


def _passwd_line(user: NewUser, etc: Etc) -> list[str]:
    shell = user.shell or etc.settings.defaults["SHELL"]
    return [user.name, "x", str(etc.uid_of(user)), str(etc.gid_of(user)), user.gecos, etc.home_of(user), shell]


def group_texts(name: str, gid: int | None, etc: Etc, *, is_system: bool) -> Texts:
    """As `user_texts`, for a new group without members."""
    number = etc.free_id("GID", is_system=is_system) if gid is None else gid
    return {
        "group": _with(etc.files["group"], [name, "x", str(number), ""]),
        "gshadow": _with(etc.files["gshadow"], [name, "!", "", ""]),
    }


def password_texts(wanted: Iterable[tuple[str, str]], etc: Etc) -> Texts:
    """As `user_texts`, for passwords of existing users."""
    passwords = dict(wanted)
    rows = [[row[0], passwords[row[0]], _today(), *row[3:]] if row[0] in passwords else row for row in etc.files["shadow"].rows]
    return {"shadow": _text(rows)}


@cache
def _own_defaults() -> dict[str, str]:
    """The defaults with which useradd was built, which differ by distribution: asked for once, where no file changes them."""
    try:
        # --prefix does not change the root and does not load code of the image.
        printed = command.run(["useradd", "-D", "--prefix", "/nonexistent"], why="ask for the defaults of useradd")
    except Failure:
        return {}
    return _assignments(printed)


def _assignments(text: str) -> dict[str, str]:
    """NAME=VALUE in each line; later lines win."""
    return {name: value for name, equals, value in (line.partition("=") for line in lines(text)) if equals}


def _login_defs(text: str) -> dict[str, str]:
    """Later lines win; quotes end a value (lib/getdef.c)."""
    found: dict[str, str] = {}
    for line in lines(text):
        name, *rest = line.strip().split(None, 1)[:2] if line.strip() else [""]
        if rest and not name.startswith("#"):
            found[name] = rest[0].lstrip(' "\t').partition('"')[0]
    return found


def _is_plain_path(path: str) -> bool:
    return path.startswith("/") and not path.startswith("//") and path == os.path.normpath(path)


def _is_plain_value(value: str) -> bool:
    return value == value.strip() and ":" not in value and _CONTROL.isdisjoint(value)


def _is_number(text: str) -> bool:
    return _is_decimal(text, 10) and is_id(text)


def _is_long(line: str) -> bool:
    return len(encoded(line)) > _LONGEST_LINE


def _is_plain_list(field: str) -> bool:
    return not field or all(member and member == member.strip() for member in field.split(","))


def _joined(row: list[str], member: str) -> list[str]:
    """The line of a group with one more member."""
    members = row[3].split(",") if row[3] else []
    return row if member in members else [*row[:3], ",".join([*members, member])]


def _with(file: AccountFile, row: list[str]) -> str:
    return f"{file.text}{':'.join(row)}\n"


def _text(rows: list[list[str]]) -> str:
    return "".join(f"{':'.join(row)}\n" for row in rows)


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _today() -> str:
    """Days since 1970, as in shadow(5)."""
    return str(int(time.time()) // 86400)


def _is_decimal(text: str, most: int) -> bool:
    """Neither octal nor hexadecimal, which login.defs may have as well; of `most` digits at most."""
    return text.isascii() and text.isdigit() and len(text) <= most and (text[0] != "0" or text == "0")


def _is_days(text: str) -> bool:
    return text == "-1" or _is_decimal(text, 9)  # -1: not set


def _is_mode(text: str) -> bool:
    return text == "0" or (3 <= len(text) <= 5 and text[0] == "0" and _OCTAL.issuperset(text))


def _is_plain_name(text: str) -> bool:
    return 0 < len(text) <= _MOST_OF_NAME and text[0] in _FIRST_OF_NAME and _IN_NAME.issuperset(text)


def _is_usual_hash(password: str) -> bool:
    parts = password.split("$")
    if len(parts) == 4 and parts[1] == "6" and not parts[0]:  # most are SHA-512 with the default number of rounds
        salt, digest = parts[2:]
        return 1 <= len(salt) <= 16 and len(digest) == 86 and _IN_HASH.issuperset(salt + digest)
    return bool(_HASH.fullmatch(password))
