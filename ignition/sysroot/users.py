"""The operations for users (spec path: passwd.users[]), carried out by shadow-utils with --root.

useradd and usermod run once per user, and only if something differs. Password hashes are secrets: never arguments, never logged.
A new user is locked (`*`) until `SetPasswords` sets all hashes at once, through the standard input of chpasswd or chgpasswd.

useradd reads its defaults from files of the root; the functions behind the operations read the same files, to know beforehand
which home, group and mode a new user gets.
"""

from __future__ import annotations

import os
import stat

from ignition.config.model.passwd import User
from ignition.errors import Failure, Unmet
from ignition.host import changes, limits, log, mounts
from ignition.host.dentry import Dentry
from ignition.host.reading import lines, read_text
from ignition.host.root import PARENTS, Root
from ignition.operation import Context, Left, Operation
from ignition.sysroot.account_database import Account, AccountDatabase, is_id
from ignition.sysroot.direct_accounts import DirectAccounts
from ignition.sysroot.existing import has_attributes
from ignition.sysroot.groups import refuse_leftover, run_for
from ignition.sysroot.new_accounts import LOCKED, SKELETON, NewUser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MOUNTED_HOME_MODE = 0o700
NO_HOMES = frozenset({"/", "/dev/null", "/nonexistent", "/var/empty"})  # of users without a home, by convention
DEFAULT_UMASK = 0o022  # of shadow-utils: lib/getdef.c
_LONGEST_NUMBER = 20
_DIGITS = "0123456789abcdef"
_setting_files: dict[tuple[Root, str], tuple[tuple[int, int], str]] = {}


class PutUser(Operation):
    """Creates a user, or changes an existing one where it differs."""

    kind = "put-user"

    def __init__(
        self,
        place: str,
        user: User,
        accounts: AccountDatabase,
        *,
        interrupted: bool = False,
        lenient: bool = False,
        direct: DirectAccounts | None = None,
    ) -> None:
        """`interrupted`: an interrupted attempt was to create this user, who may be incomplete.

        `lenient`: missing groups are left out, and NeedGroups warns about them. `direct`: creates ordinary users without useradd.
        """
        self._place, self._user, self._accounts, self._interrupted = place, user, accounts, interrupted
        self._lenient, self._direct, self.place = lenient, direct, place
        self.next: PutUser | None = None  # the next operation, if that is for a user as well: one step may create both
        self.path = user.name

    def describe(self) -> str:
        verb = "change" if self._found() else "create"
        return f"{verb} user {self._user.name}"

    def already_there(self, context: Context) -> bool:
        found = self._found()
        return found is not None and not self._is_half_made(found) and not self._changes(found)

    def execute(self, context: Context) -> None:
        user, root = self._user, context.root.path or "/"
        found = self._found()
        uid = user.uid
        was_half_made = found is not None and self._is_half_made(found)
        if found is not None and was_half_made:
            # The lines that useradd wrote are removed, a home stays, and the user keeps the uid that owns it.
            run_for(context, self._place, ["userdel", "--root", root, "--", user.name], f"remove the incomplete user {user.name}")
            uid, found = found.uid if uid is None else uid, None
        if found is None and not user.no_create_home:
            # useradd does not create directories behind a symlink: /home -> var/home, with a /var that systemd-tmpfiles fills
            # later.
            context.root.makedirs(os.path.dirname(context.root.follow(new_home(user, context.root))))
        if found is None and not was_half_made and self._create_directly(context.root):
            context.root.forget()
            return
        changes = self._changes(found) if found else []
        if "--move-home" in changes and user.home_dir:
            # usermod renames the home without creating its parents.
            context.root.makedirs(os.path.dirname(context.root.follow(user.home_dir)))
        argv = ["usermod", "--root", root, *changes] if found else ["useradd", "--root", root, *self._new(uid)]
        run_for(context, self._place, [*argv, "--", user.name], self.describe())
        context.root.forget()

    def leaves(self, context: Context) -> Iterator[Left]:
        user, groups = self._user, self._groups()
        members = dict(self._accounts.described(user.name) or {})
        wanted = {"uid": user.uid, "home": user.home_dir, "shell": user.shell, "groups": sorted(set(groups))}
        yield Left("user", user.name, members | {name: value for name, value in wanted.items() if value}, place=self.place)

    def new_user(self) -> NewUser:
        """The user that is created where there is none."""
        user = self._user
        return NewUser(
            user.name,
            uid=user.uid,
            gecos=user.gecos or "",
            home=user.home_dir or "",
            shell=user.shell or "",
            primary_group=user.primary_group or "",
            groups=self._groups(),
            own_group=not user.no_user_group,
            system=bool(user.system),
            creates_home=not user.no_create_home,
            log_init=not user.no_log_init,
        )

    def _create_directly(self, root: Root) -> bool:
        """Create the user without useradd; False if that is left to useradd."""
        if self._direct is None:
            return False
        if self._user.name not in self._direct.created:
            if reason := self._direct.create_user(self.new_user(), self._following()):
                log.debug(f"{self.describe()} by useradd: {reason}")
                return False
        account = self._accounts.user(self._user.name)
        if account is not None and not self._user.no_create_home and not root.is_directory(account.home):
            make_home(root, account)
        return True

    def _following(self) -> Iterator[NewUser]:
        """The users of the next operations that can be created in the same step."""
        one = None if self._user.home_dir else self.next
        while one is not None and one._is_new_and_plain():
            yield one.new_user()
            one = one.next

    def _found(self) -> Account | None:
        """The present account; None also if it has been created for this operation, together with an earlier one."""
        if self._direct is not None and self._user.name in self._direct.created:
            return None
        return self._accounts.user(self._user.name)

    def _is_new_and_plain(self) -> bool:
        """Whether nothing about this user depends on the homes and groups of those that are created before."""
        user = self._user
        return (
            not (user.home_dir or user.primary_group or self._interrupted)
            and self._found() is None
            and all(self._accounts.group(name) for name in group_names(user))
        )

    def _is_half_made(self, found: Account) -> bool:
        """Whether useradd was interrupted between the six files that it replaces one after the other."""
        return self._interrupted and not self._accounts.is_whole(found, with_subordinate_ids=not self._user.system)

    def _new(self, uid: int | None) -> list[str]:
        user = self._user
        argv = ["--home-dir", user.home_dir] if user.home_dir else []
        argv.append("--no-create-home" if user.no_create_home else "--create-home")
        for wanted, option in (
            (user.no_user_group, "--no-user-group"),
            (user.system, "--system"),
            (user.no_log_init, "--no-log-init"),
        ):
            if wanted:
                argv.append(option)
        argv += ["--password", LOCKED]
        if uid is not None:
            argv += ["--uid", str(uid)]
        options = (
            ("--comment", user.gecos),
            ("--gid", user.primary_group),
            ("--groups", ",".join(self._groups())),
            ("--shell", user.shell),
        )
        for option, value in options:
            if value:
                argv += [option, value]
        return argv

    def _changes(self, found: Account) -> list[str]:
        """The arguments of usermod for all differences; empty if there is none."""
        user = self._user
        argv = ["--home", user.home_dir, "--move-home"] if user.home_dir and user.home_dir != found.home else []
        if user.uid not in (None, found.uid):
            argv += ["--uid", str(user.uid)]
        if user.gecos and user.gecos != found.gecos:
            argv += ["--comment", user.gecos]
        if user.primary_group:
            first = self._accounts.group(user.primary_group)
            # As usermod: a name before a number, since a group may be called 100.
            gid = first.gid if first else int(user.primary_group) if is_id(user.primary_group) else None
            if gid != found.gid:
                argv += ["--gid", user.primary_group]
        groups = self._groups()
        if groups and frozenset(groups) != self._accounts.local_groups_of(user.name):
            argv += ["--groups", ",".join(groups)]
        if user.shell and user.shell != found.shell:
            argv += ["--shell", user.shell]
        return argv

    def changes(self) -> bool:
        """Whether the user exists and differs from the config."""
        found = self._accounts.user(self._user.name)
        return found is not None and bool(self._changes(found))

    def _groups(self) -> tuple[str, ...]:
        groups = group_names(self._user)
        return tuple(name for name in groups if self._accounts.group(name)) if self._lenient else groups


class NeedGroups(Operation):
    """Warns about supplementary groups that do not exist: the user is not a member of them, and can log in all the same."""

    kind = "need-groups"

    def __init__(self, place: str, user: User, accounts: AccountDatabase) -> None:
        self._place, self._user, self._accounts, self.path = place, user, accounts, user.name

    def describe(self) -> str:
        return f"look for the groups of user {self.path}"

    def already_there(self, context: Context) -> bool:
        return not self._missing()

    def execute(self, context: Context) -> None:
        shown = " and ".join(f"group {name!r}" for name in self._missing())
        verb = "does" if len(self._missing()) == 1 else "do"
        raise Unmet(
            f"{shown} {verb} not exist in the new root: {self.path} is not a member",
            where=self._place,
            fix="create it in passwd.groups, or correct the name",
        )

    def _missing(self) -> list[str]:
        return [name for name in group_names(self._user) if self._accounts.group(name) is None]


class RemoveUser(Operation):
    """Deletes a user, if it exists, and its home. A home that is or holds a mount point stays: its files are meant to be kept.

    A user in the image's own file outside /etc stays, with a warning: that file belongs to the image.
    """

    kind = "remove-user"

    def __init__(self, place: str, name: str, accounts: AccountDatabase) -> None:
        self._place, self.path, self._accounts = place, name, accounts

    def describe(self) -> str:
        return f"delete user {self.path}"

    def already_there(self, context: Context) -> bool:
        return self._accounts.user(self.path) is None

    def execute(self, context: Context) -> None:
        if self._accounts.is_local("passwd", self.path):
            argv = ["userdel", "--root", context.root.path or "/"]
            point = self._mount_point(context.root)
            if point:
                log.warning(f"{self._place}: a file system is mounted on {point}: the home of {self.path} is not removed")
            else:
                argv.append("--remove")
            run_for(context, self._place, [*argv, "--", self.path], self.describe())
            context.root.forget()
        refuse_leftover(self._place, f"user {self.path}", self._accounts.place("passwd", self.path))

    def leaves(self, context: Context) -> Iterator[Left]:
        yield Left("user", self.path, None, place=self._place)

    def _mount_point(self, root: Root) -> str:
        """The first file system, at or below the home, that userdel would empty; "" if there is none."""
        found = self._accounts.user(self.path)
        if found is None or not found.home.startswith("/"):
            return ""
        home = root.follow(found.home).rstrip("/")
        return next((one for one in sorted(mounts.inside(root.path)) if one == home or one.startswith(f"{home}/")), "")


class CompleteHome(Operation):
    """Finishes the home of a new user: the directory, and the missing files of /etc/skel.

    useradd may have been interrupted. Besides, useradd --root stops copying at the first directory of /etc/skel unless the root
    has /proc mounted, which it does not before the switch: fchmodat(AT_SYMLINK_NOFOLLOW) of glibc needs it (shadow 4.13, glibc
    2.36).
    """

    kind = "complete-home"

    def __init__(self, name: str, accounts: AccountDatabase) -> None:
        self.path, self._accounts = name, accounts

    def describe(self) -> str:
        return f"complete the home of {self.path}"

    def execute(self, context: Context) -> None:
        account = self._accounts.user(self.path)
        if account is None:
            return
        make_home(context.root, account)


class OwnHome(Operation):
    """Passes the mount points that the mount stage created at or below the home of a user to that user."""

    kind = "own-home"

    def __init__(self, name: str, notated: tuple[str, ...], accounts: AccountDatabase) -> None:
        self.path, self._notated, self._accounts = name, notated, accounts

    def describe(self) -> str:
        return f"change the owner of mount points in the home of {self.path}"

    def already_there(self, context: Context) -> bool:
        return not self._foreign(context)

    def execute(self, context: Context) -> None:
        for directory, account in self._foreign(context):
            with context.root.at(directory) as here:
                here.set_attributes(mode=MOUNTED_HOME_MODE, uid=account.uid, gid=account.gid)

    def _foreign(self, context: Context) -> list[tuple[str, Account]]:
        account = self._accounts.user(self.path)
        if account is None:
            return []
        root, home = context.root, context.root.follow(account.home)
        inside = [root.follow(path) for path in self._notated]
        mine = [path for path in inside if path == home or path.startswith(home.rstrip("/") + "/")]
        wanted = {"mode": MOUNTED_HOME_MODE, "uid": account.uid, "gid": account.gid}
        found = [(path, root.status(path)) for path in mine]
        return [(path, account) for path, one in found if one is not None and not has_attributes(one, **wanted)]


def new_home(user: User, root: Root) -> str:
    """The home that useradd creates for a new user: useradd(8), HOME= in /etc/default/useradd of the root."""
    return user.home_dir or f"{useradd_defaults(root).get('HOME') or '/home'}/{user.name}"


def group_names(user: User) -> tuple[str, ...]:
    """The supplementary groups: useradd(8) accepts several names in one element, and fails for an empty one."""
    return tuple(name for text in user.groups for name in text.split(",") if name)


def group_for(user: User, root: Root) -> str:
    """The primary group of a new user, as name or number; "" for a group of its own (useradd(8), --gid)."""
    if user.primary_group:
        return user.primary_group
    has_own = login_defs(root).get("USERGROUPS_ENAB", "").lower() == "yes" and not user.no_user_group
    return "" if has_own else useradd_defaults(root).get("GROUP", "")


def new_home_mode(root: Root) -> int:
    """The mode of a new home: login.defs(5) of the root, HOME_MODE, else 0777 without the bits of UMASK (022)."""
    values = login_defs(root)
    mode = _c_number(values.get("HOME_MODE", ""))
    umask = _c_number(values.get("UMASK", ""))
    return mode if mode is not None else 0o777 & ~(DEFAULT_UMASK if umask is None else umask)


def login_defs(root: Root) -> dict[str, str]:
    """The settings of login.defs(5) of the root."""
    words = [line.split() for line in lines(_setting_file(root, "login.defs"))]
    return {one[0]: one[1].strip('"') for one in words if len(one) > 1}


def useradd_defaults(root: Root) -> dict[str, str]:
    """Those of /etc/default/useradd of the root: useradd(8)."""
    settings = (line.partition("=") for line in lines(_setting_file(root, "default/useradd")))
    return {name: value.strip() for name, equals, value in settings if equals}


def _setting_file(root: Root, name: str) -> str:
    """openSUSE's shadow-utils read /usr/etc where /etc has no such file."""
    now, known = changes.count_of(os.path.basename(name)), _setting_files.get((root, name))
    if known is not None and known[0] == now:  # read for each user, in planning and execution
        return known[1]
    text, has_symlink = None, False
    for path in (f"/etc/{name}", f"/usr/etc/{name}"):
        found = root.status(path) if text is None else None
        if found is not None:
            text = read_text(root, path)
            has_symlink |= not stat.S_ISREG(found.st_mode)
    if not root.is_live and not has_symlink:
        _setting_files[root, name] = now, text or ""
    return text or ""


def _c_number(text: str) -> int | None:
    """A number as strtol(3) reads it: 077 is octal, 63 decimal, 0x3f hexadecimal. None for other texts, and beyond 07777."""
    text = text[:_LONGEST_NUMBER].lower()
    base = 16 if text.startswith("0x") else 8 if text.startswith("0") else 10
    digits = text.removeprefix("0x") if base == 16 else text
    if not digits or not digits.isascii() or digits.strip(_DIGITS[:base]):
        return None
    number = int(digits, base)
    return number if number <= 0o7777 else None


def make_home(root: Root, account: Account) -> None:
    """Create the home of an account, or complete it: the directory, its owner and mode, and the missing files of /etc/skel."""
    with root.at(account.home, follow=True, parents=PARENTS) as home:
        if home.status() is None:
            home.mkdir()
        # useradd creates it with mode 0000 and changes that at the end.
        home.set_attributes(mode=new_home_mode(root), uid=account.uid, gid=account.gid)
        if root.is_directory(SKELETON):
            with root.at(SKELETON, follow=True) as skeleton:
                _copy_missing(skeleton, home, account)


def _copy_missing(source: Dentry, target: Dentry, account: Account) -> None:
    """Copy the nodes that `target` lacks; a smaller file is incomplete and copied again. Symlinks are copied, not followed."""
    with source.entered() as entries:
        for one in entries:
            wanted = one.status()
            with target.below(one.name) as other:
                if wanted is not None and _copy_one(one, wanted, other, account):
                    other.chown(account.uid, account.gid)
                    other.set_times(wanted.st_atime_ns, wanted.st_mtime_ns)


def _copy_one(source: Dentry, wanted: os.stat_result, target: Dentry, account: Account) -> bool:
    """Copy one node of /etc/skel; False for nodes that useradd ignores as well (FIFOs, devices)."""
    found = target.status()
    if stat.S_ISDIR(wanted.st_mode):
        if found is None:
            target.mkdir()
        if found is None or stat.S_ISDIR(found.st_mode):
            _copy_missing(source, target, account)
            # useradd may have stopped before it set the mode of this directory.
            target.set_attributes(mode=stat.S_IMODE(wanted.st_mode), uid=-1, gid=-1)
    elif stat.S_ISLNK(wanted.st_mode):
        if found is None:
            target.symlink(source.readlink())
    elif stat.S_ISREG(wanted.st_mode):
        if found is None or found.st_size < wanted.st_size:
            with source.open_regular(wanted) as file, target.replacing(mode=stat.S_IMODE(wanted.st_mode)) as copy:
                while chunk := file.read(limits.CHUNK):
                    copy.write(chunk)
    else:
        return False
    return True


class SetPasswords(Operation):
    """Sets crypt(5) strings, all in one run of chpasswd or chgpasswd. `wanted`: (place in the config, name, crypt string)."""

    kind = "set-passwords"

    def __init__(
        self,
        wanted: list[tuple[str, str, str]],
        accounts: AccountDatabase,
        *,
        of_groups: bool,
        direct: DirectAccounts | None = None,
    ) -> None:
        """`direct`: sets ordinary passwords of users without chpasswd."""
        self._wanted, self._accounts, self._of_groups, self._direct = wanted, accounts, of_groups, direct

    def describe(self) -> str:
        names = ", ".join(name for _, name, _ in self._wanted)
        return f"set the passwords of {'groups' if self._of_groups else 'users'} {names}"

    def already_there(self, context: Context) -> bool:
        return not self._differing()

    def execute(self, context: Context) -> None:
        differing = self._differing()
        for place, name, password in differing:
            # chpasswd(8) would take the rest for another user, or for a part of the hash.
            if ":" in password or "\n" in password or ":" in name or "\n" in name:
                raise Failure("a password hash cannot hold a colon or a line break", where=f"{place}.passwordHash", lasting=True)
        if self._set_directly(differing):
            return
        program = "chgpasswd" if self._of_groups else "chpasswd"
        argv = [program, "--encrypted", "--root", context.root.path or "/"]
        lines = "".join(f"{name}:{password}\n" for _, name, password in differing)
        run_for(context, "$.passwd.groups" if self._of_groups else "$.passwd.users", argv, self.describe(), stdin=lines)

    def _set_directly(self, differing: list[tuple[str, str, str]]) -> bool:
        """Set the passwords of users without chpasswd; False if that is left to a program."""
        if self._direct is None or self._of_groups:
            return False
        reason = self._direct.set_passwords([(name, password) for _, name, password in differing])
        if reason:
            log.debug(f"{self.describe()} by chpasswd: {reason}")
        return not reason

    def _differing(self) -> list[tuple[str, str, str]]:
        present = self._accounts.group_password if self._of_groups else self._accounts.user_password
        return [(place, name, password) for place, name, password in self._wanted if present(name) != password]


class SetSealedPassword(Operation):
    """Opens the sealed crypt(5) string of one user, and sets it. Whether it is set already is not known before."""

    kind = "set-sealed-password"

    def __init__(self, place: str, user: User, accounts: AccountDatabase, *, direct: DirectAccounts | None = None) -> None:
        from ignition.fetch import sealed  # few configs have sealed values

        self.place, self._name, self._accounts, self._direct = place, user.name, accounts, direct
        self._text = user.extension.sealed_password_hash or ""
        self.sealed = sealed.words_of(self._text)

    def describe(self) -> str:
        return f"set the sealed password of user {self._name} ({self.sealed})"

    def execute(self, context: Context) -> None:
        where = f"{self.place}.x-coreos.sealedPasswordHash"
        password = context.fetcher.opened_text(self._text, where)
        SetPasswords([(self.place, self._name, password)], self._accounts, of_groups=False, direct=self._direct).complete(context)
