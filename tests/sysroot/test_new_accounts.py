"""Accounts written without useradd are, to the last bit, those that useradd, groupadd and chpasswd of this machine write.

The same config is applied to two copies of a root: by the programs, and directly. Everything below the root is compared: bytes,
modes, owners, times of copied files and of backups. Ordinary roots must not start a program, others must leave it to them.
"""

import os
import random
import shutil
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from ignition.config.model import Config, Passwd
from ignition.config.model.passwd import Group, User
from ignition.errors import CommandFailed, Unmet
from ignition.fetch.engine import Fetcher, Settings
from ignition.host import command
from ignition.host.dentry import Dentry
from ignition.host.root import Root
from ignition.operation import Context
from ignition.sysroot import accounts, groups, new_accounts, users
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.accounts import AccountFacts
from ignition.sysroot.attempt import Attempt
from ignition.sysroot.direct_accounts import DirectAccounts
from ignition.sysroot.new_accounts import NewUser

from .conftest import MakeContext

MADE_S = 1234567890  # the time of the files of the image
NAMES = ("ann", "bob-2", "_eve", "x" * 32)
HASH = "$6$salt$" + "a" * 86
LOGIN_DEFS = "UID_MIN 1000\nUID_MAX 60000\nGID_MIN 1000\nGID_MAX 60000\nUSERGROUPS_ENAB yes\n"
DEFAULTS = "SHELL=/bin/sh\nGROUP=100\nCREATE_MAIL_SPOOL=no\n"
ROOT = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\ncore:x:500:500:CoreOS Admin:/home/core:/bin/bash\n",
    "/etc/shadow": "root:*:19000:0:99999:7:::\ncore:!:19000::::::\n",
    "/etc/group": "root:x:0:\nadm:x:4:core,root\nsudo:x:27:core\nusers:x:100:\ncore:x:500:\n",
    "/etc/gshadow": "root:*::\nadm:*::core,root\nsudo:*:root:core\nusers:*::\ncore:!::\n",
    "/etc/subuid": "core:100000:65536\n",
    "/etc/subgid": "core:100000:65536\n",
    "/etc/login.defs": LOGIN_DEFS,
    "/etc/default/useradd": DEFAULTS,
    "/etc/skel/.profile": "skeleton",
    "/etc/skel/.bashrc": "",
    "/etc/skel/link": "-> .profile",
    "/home/": "",
}


def apply(passwd: Passwd, root: Root, *, direct: bool, nested: bool = False, unfinished: bool = False) -> None:
    """Carry the plan out."""
    record = Attempt(homeless=frozenset(user.name for user in passwd.users), unfinished=unfinished)
    facts = AccountFacts(AccountDatabase(root), record, nested=nested)
    context = Context(root, Fetcher(Settings.from_config(Config()), offline=True))
    for operation in accounts.plan(passwd, facts):
        if not direct:
            operation._direct = None  # type: ignore[attr-defined]
        if not operation.already_there(context):
            with suppress(Unmet):  # a warning about a group that does not exist
                operation.execute(context)


def snapshot(top: str) -> dict[str, tuple[object, ...]]:
    """Path → all that is to be equal. Times only where useradd sets them: in homes, and of backups in seconds."""
    found: dict[str, tuple[object, ...]] = {}
    for directory, below, names in os.walk(top):
        for name in (*below, *names):
            path = f"{directory}/{name}"
            seen = os.lstat(path)
            content: object = None
            if stat.S_ISREG(seen.st_mode):
                content = Path(path).read_bytes()
            elif stat.S_ISLNK(seen.st_mode):
                content = os.readlink(path)
            inside = path[len(top) :]
            when = seen.st_mtime_ns if inside.count("/") > 2 and inside.startswith("/home/") else None
            if inside.startswith("/etc/") and name.endswith("-"):
                # The backup of a file of the image; those of later versions have the time of the run.
                when = MADE_S if int(seen.st_mtime) == MADE_S else None
            found[inside] = (oct(seen.st_mode), seen.st_uid, seen.st_gid, content, when)
    return found


def both(
    top: Path, passwd: Passwd, monkeypatch: pytest.MonkeyPatch, *, nested: bool = False
) -> tuple[list[str], dict[str, tuple[object, ...]], dict[str, tuple[object, ...]]]:
    """The programs that the direct way started, and both results."""
    started: list[str] = []
    run_for = groups.run_for

    def noted(context: Context, place: str, argv: list[str], why: str, *, stdin: str = "") -> None:
        started.append(argv[0])
        run_for(context, place, argv, why, stdin=stdin)

    monkeypatch.setattr(groups, "run_for", noted)
    monkeypatch.setattr(users, "run_for", noted)
    for path in top.glob("etc/*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, (MADE_S, MADE_S))
    while True:
        day = time.time() // 86400
        copies = [Path(f"{top}-{name}") for name in ("programs", "direct")]
        for copy in copies:
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(top, copy, symlinks=True)
        apply(passwd, Root(str(copies[0])), direct=False, nested=nested)
        started.clear()
        apply(passwd, Root(str(copies[1])), direct=True, nested=nested)
        if time.time() // 86400 == day:  # shadow has the day
            return started, snapshot(str(copies[0])), snapshot(str(copies[1]))


def drawn(seed: int) -> tuple[dict[str, str], Passwd, dict[str, int]]:
    """An ordinary root and a config for it, and modes of its files."""
    chance = random.Random(seed)  # noqa: S311
    tree = dict(ROOT)
    _draw_settings(chance, tree)
    taken = _draw_accounts(chance, tree)
    modes = {"passwd": chance.choice([0o644, 0o444, 0o755]), "shadow": chance.choice([0o640, 0o600, 0]), "gshadow": 0o640}
    found_groups = [line.split(":")[0] for line in tree["/etc/group"].splitlines()]
    drawn_users = [_draw_user(chance, name, taken, found_groups) for name in chance.sample(NAMES, chance.randint(1, 3))]
    new_groups = [
        Group(name=f"team{n}", gid=chance.choice([None, 2000 + n]), system=chance.choice([None, True])) for n in range(2)
    ]
    return tree, Passwd(groups=tuple(new_groups[: chance.randint(0, 2)]), users=tuple(drawn_users)), modes


def _draw_settings(chance: random.Random, tree: dict[str, str]) -> None:
    most = chance.choice([1003, 1005, 60000, 65533])
    choices = (
        ("", "SYS_UID_MIN 100\nSYS_UID_MAX 999\nSYS_GID_MIN 100\nSYS_GID_MAX 999\n", "SYS_UID_MIN 995\n"),
        ("USERGROUPS_ENAB yes\n", "USERGROUPS_ENAB yes \n", "USERGROUPS_ENAB no\n"),
        ("", "UMASK 027\n", "UMASK 022\nHOME_MODE 0750\n"),
        ("", "PASS_MIN_DAYS 0\nPASS_MAX_DAYS 99999\nPASS_WARN_AGE 7\n", "PASS_MAX_DAYS -1\n"),
        ("", "SUB_UID_COUNT 100\nSUB_GID_MIN 200000\n", "SUB_UID_MAX 1000000\n"),
    )
    drawn_lines = "".join(chance.choice(one) for one in choices)
    tree["/etc/login.defs"] = f'# comment\n\n UID_MIN\t1000\nUID_MAX "{most}"\nGID_MAX {most}\n{drawn_lines}'
    tree["/etc/default/useradd"] += chance.choice(
        ["", "INACTIVE=30\n", "# HOME=/x\nHOME=/var/home\n", "SHELL=\n", "GROUP=users\n"]
    )
    if chance.random() < 0.3:
        del tree["/etc/default/useradd"]
    if chance.random() < 0.3:
        tree["/etc/nsswitch.conf"] = chance.choice(["passwd: files systemd\ngroup: files systemd\n", "passwd: compat\n"])


def _draw_accounts(chance: random.Random, tree: dict[str, str]) -> list[int]:
    """Returns the uids."""
    taken = sorted(chance.sample(range(994, 1004), chance.randint(0, 4)))
    for number in taken:
        tree["/etc/passwd"] += f"old{number}:x:{number}:100::/:\n"
        tree["/etc/shadow"] += f"old{number}:*:19000:0:99999:7:30:20000:\n"
    for number in chance.sample(range(993, 1004), chance.randint(0, 4)):
        tree["/etc/group"] += f"grp{number}:x:{number}:{','.join(f'old{one}' for one in taken)}\n"
        tree["/etc/gshadow"] += chance.choice(["", f"grp{number}:!::\n"])
    if chance.random() < 0.3:
        members = ",".join(f"member{number}" for number in range(400))
        tree["/etc/group"] += f"long:x:7000:{members}\n"
        tree["/etc/gshadow"] += f"long:!::{members}\n"
    for name in ("subuid", "subgid"):
        ranges = chance.choice([tree[f"/etc/{name}"], "", None, "a:300000:10\nb:400000:65536\nb:500000:65536\n"])
        if ranges is None:
            del tree[f"/etc/{name}"]
        else:
            tree[f"/etc/{name}"] = ranges
    if chance.random() < 0.2:
        tree["/etc/passwd-"] = "an older backup"
    return taken


def _draw_user(chance: random.Random, name: str, taken: list[int], found_groups: list[str]) -> User:
    uid = chance.choice([None, None, None, 1001, 250, 61000, 100000])
    if uid in taken:
        uid = None
    elif uid is not None:
        taken.append(uid)
    return User(
        name=name,
        uid=uid,
        gecos=chance.choice([None, "Ann Ü, Room 5,,", "a'b\\c"]),
        home_dir=chance.choice([None, None, f"/srv/deep/{name}", "/var/lib/shared", "/home"]),
        no_create_home=chance.choice([None, None, True]),
        primary_group=chance.choice([None, None, "users", "27", "sudo"]),
        groups=tuple(chance.sample([*found_groups, "sudo,adm", "nonexistent"], chance.randint(0, 3))),
        no_user_group=chance.choice([None, None, True]),
        no_log_init=chance.choice([None, True]),
        shell=chance.choice([None, "/bin/zsh"]),
        system=chance.choice([None, None, True]),
        password_hash=chance.choice([None, HASH, ""]),
    )


@pytest.mark.root
@pytest.mark.parametrize("seed", range(int(os.environ.get("EXAMPLES", "24"))))
def test_drawn_accounts_are_those_of_the_programs(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    tree, passwd, modes = drawn(seed)
    top = Path(make_context(tree).root.path)
    for name, mode in modes.items():
        (top / "etc" / name).chmod(mode)
    os.chown(top / "etc/shadow", 0, 42)
    started, programs, direct = both(top, passwd, monkeypatch)
    assert direct == programs
    # A range before another one makes subuid unsorted for the next user.
    assert not started or "300000" in tree.get("/etc/subuid", "") + tree.get("/etc/subgid", "")


@pytest.mark.root
def test_ordinary_accounts_start_no_program(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    top = Path(make_context({**ROOT, "/etc/skel/dir/deep/file": "nested", "/etc/skel/dir/link": "-> ../x"}).root.path)
    (top / "etc/skel/dir").chmod(0o2750)
    (top / "etc/skel/.profile").chmod(0o600)
    passwd = Passwd(
        groups=(Group(name="team"), Group(name="daemons", system=True)),
        users=(
            User(name="ann", groups=("sudo", "team"), password_hash=HASH),
            User(name="bob", uid=1500, home_dir="/srv/bob"),
            User(name="svc", system=True, no_create_home=True, primary_group="daemons"),
        ),
    )
    started, programs, direct = both(top, passwd, monkeypatch, nested=True)
    assert started == []
    assert direct == programs
    assert direct["/home/ann/dir/deep/file"][1:4] == (1000, 1001, b"nested")  # the group team is 1000


@pytest.mark.root
def test_files_are_replaced_once_for_users_that_follow_one_another(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the backup that the last of several useradd leaves.

    Three times here: for ann to kim; for tom, who waits for the group of ann; for zoe, behind the search for the group of tom.
    """
    wanted = [
        User(name="ann", groups=("sudo",)),
        User(name="bob", system=True, groups=("adm",)),
        User(name="eve", uid=1001, shell="/bin/zsh"),
        User(name="kim", no_user_group=True, no_create_home=True),
        User(name="tom", groups=("ann",)),
        User(name="zoe"),
    ]
    replaced, write = [], Dentry.write

    def noted(self: Dentry, content: bytes, *, mode: int, uid: int = -1, gid: int = -1, sync: bool = False) -> None:
        replaced.append(self.inside)
        write(self, content, mode=mode, uid=uid, gid=gid, sync=sync)

    monkeypatch.setattr(Dentry, "write", noted)
    started, programs, direct = both(Path(make_context(ROOT).root.path), Passwd(users=tuple(wanted)), monkeypatch)
    assert started == []
    assert direct == programs
    assert [replaced.count(path) for path in ("/etc/passwd", "/etc/passwd-", "/etc/gshadow")] == [3, 3, 3]


@pytest.mark.root
def test_user_whom_the_image_lists_is_not_listed_twice(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = {file: ROOT[file].replace("core,root\n", "core,ann,root\n") for file in ("/etc/group", "/etc/gshadow")}
    top = Path(make_context({**ROOT, **listed}).root.path)
    started, programs, direct = both(top, Passwd(users=(User(name="ann", groups=("adm", "sudo")),)), monkeypatch)
    assert started == []
    assert direct == programs


NAMED = {"name": "ann"}


@pytest.mark.parametrize(
    ("tree", "user", "reason"),
    [
        pytest.param({}, {"name": "Ann"}, "lower-case", id="upper case"),
        pytest.param({}, {"name": "a" * 33}, "lower-case", id="long name"),
        pytest.param({}, {"name": "nobody"}, "reserved", id="nobody"),
        pytest.param({}, {"name": "core"}, "knows the name", id="existing user"),
        pytest.param({"/etc/group": ROOT["/etc/group"] + "ann:x:7:\n"}, NAMED, "knows the name", id="existing group"),
        pytest.param({"/etc/shadow": ROOT["/etc/shadow"] + "ann:*:::::::\n"}, NAMED, "knows the name", id="left in shadow"),
        pytest.param({"/etc/subuid": "ann:100000:65536\n"}, NAMED, "knows the name", id="left in subuid"),
        pytest.param({}, {"name": "ann", "uid": 500}, "uid is in use", id="taken uid"),
        pytest.param({}, {"name": "ann", "uid": 65534}, "uid is in use or reserved", id="uid of nobody"),
        pytest.param({}, {"name": "ann", "gecos": "a:b"}, "colon", id="colon"),
        pytest.param({}, {"name": "ann", "gecos": "a\tb"}, "control character", id="control character"),
        pytest.param({}, {"name": "ann", "home": "/home/../x"}, "plain absolute path", id="dots in the home"),
        pytest.param({}, {"name": "ann", "home": "/home/ann/"}, "plain absolute path", id="slash behind the home"),
        pytest.param({}, {"name": "ann", "home": "ann"}, "plain absolute path", id="relative home"),
        pytest.param({}, {"name": "ann", "shell": "bash"}, "plain absolute path", id="relative shell"),
        pytest.param({}, {"name": "ann", "primary_group": "none"}, "not in /etc/group", id="missing group"),
        pytest.param({}, {"name": "ann", "groups": ("27",)}, "is a number", id="group by number"),
        pytest.param(
            {"/etc/group": ROOT["/etc/group"] + "27:x:7:\n"},
            {"name": "ann", "primary_group": "27"},
            "not in /etc/group",
            id="group that is name and number",
        ),
        pytest.param(
            {"/etc/group": ROOT["/etc/group"] + "odd:x:7:,core\n"},
            {"name": "ann", "groups": ("odd",)},
            "list of members",
            id="empty member",
        ),
        pytest.param({"/etc/default/useradd": "CREATE_MAIL_SPOOL=yes\n"}, NAMED, "CREATE_MAIL_SPOOL", id="mailbox"),
        pytest.param({"/etc/default/useradd": "EXPIRE=2030-01-01\n"}, NAMED, "EXPIRE", id="expiry"),
        pytest.param({"/etc/default/useradd": "INACTIVE=010\n"}, NAMED, "INACTIVE", id="octal days"),
        pytest.param({"/etc/default/useradd": "SKEL=/etc/other\n"}, NAMED, "SKEL", id="other skeleton"),
        pytest.param({"/etc/default/useradd": "USRSKEL=/x\n"}, NAMED, "USRSKEL", id="second skeleton"),
        pytest.param({"/usr/etc/skel/": ""}, NAMED, "/usr/etc", id="second skeleton in its place"),
        pytest.param({"/etc/default/useradd": "HOME=/home/\n"}, NAMED, "HOME", id="slash behind the default home"),
        pytest.param({"/etc/default/useradd": "SHELL=/bin/sh \n"}, NAMED, "blank", id="blank behind a default"),
        pytest.param({"/etc/default/useradd": "GROUPS=sudo\n"}, NAMED, "GROUPS", id="default groups"),
        pytest.param({"/etc/default/useradd": "BTRFS_SUBVOLUME_HOME=yes\n"}, NAMED, "BTRFS", id="subvolumes"),
        pytest.param(
            {"/etc/default/useradd": "GROUP=none\n"}, {"name": "ann", "own_group": False}, "default group", id="default group"
        ),
        pytest.param({"/etc/login.defs": "UID_MIN 500\nUID_MAX 500\n"}, NAMED, "all uids are in use", id="no uid"),
        pytest.param({"/etc/login.defs": LOGIN_DEFS + "GID_MIN 500\nGID_MAX 500\n"}, NAMED, "all gids are in use", id="no gid"),
        pytest.param({"/etc/login.defs": "UID_MIN 100\n"}, NAMED, "unusual range", id="no range of system accounts"),
        pytest.param({"/etc/login.defs": "UID_MIN 01000\n"}, NAMED, "unusual number", id="octal"),
        pytest.param({"/etc/login.defs": "UID_MIN 1000 # first\n"}, NAMED, "unusual number", id="comment behind a number"),
        pytest.param({"/etc/login.defs": "PASS_MAX_DAYS x\n"}, NAMED, "unusual number", id="days"),
        pytest.param({"/etc/login.defs": "HOME_MODE 700\n"}, NAMED, "unusual mode", id="decimal mode"),
        pytest.param({"/etc/login.defs": "UID_MAX 70000\n"}, NAMED, "unusual range", id="beyond 16 bits"),
        pytest.param({"/etc/login.defs": "MAX_MEMBERS_PER_GROUP 5\n"}, NAMED, "unusual settings", id="split groups"),
        pytest.param({"/etc/login.defs": "USE_TCB yes\n"}, NAMED, "unusual settings", id="tcb"),
        pytest.param({"/etc/login.defs": "SUB_UID_COUNT 0\n"}, NAMED, "subordinate ids are in use", id="no subordinate ids"),
        pytest.param({"/etc/subuid": "b:300000:9\na:200000:9\n"}, NAMED, "not sorted", id="unsorted"),
        pytest.param({"/etc/subuid": "a:0:9999999999\n"}, NAMED, "unusual number", id="subordinate id of 34 bits"),
        pytest.param({"/etc/subuid": "a:100000:700000000\n"}, NAMED, "subordinate ids are in use", id="all subordinate ids"),
        pytest.param({"/usr/etc/login.defs": ""}, NAMED, "/usr/etc", id="openSUSE"),
        pytest.param({"/etc/login.defs.d/": ""}, NAMED, "/etc/login.defs.d", id="drop-ins of login.defs"),
        pytest.param({"/etc/shadow-maint/useradd-pre.d/": ""}, NAMED, "shadow-maint", id="hooks"),
        pytest.param({"/etc/nsswitch.conf": "passwd: files altfiles\n"}, NAMED, "nsswitch.conf has other", id="altfiles"),
        pytest.param({"/etc/nsswitch.conf": "group: files sss\n"}, NAMED, "nsswitch.conf has other", id="sssd"),
        pytest.param(
            {"/etc/nsswitch.conf": "passwd: files systemd\n", "/etc/userdb/": ""}, NAMED, "nsswitch.conf has other", id="userdb"
        ),
        pytest.param({"/etc/nsswitch.conf": "subid: sss\n"}, NAMED, "subid", id="subordinate ids elsewhere"),
        pytest.param({"/etc/passwd": ROOT["/etc/passwd"] + "+::::::\n"}, NAMED, "NIS", id="NIS"),
        pytest.param({"/etc/group": "#" + ROOT["/etc/group"]}, NAMED, "malformed", id="comment"),
        pytest.param({"/etc/group": ROOT["/etc/group"] + "\n"}, NAMED, "malformed", id="blank line"),
        pytest.param({"/etc/gshadow": "root:*:\n"}, NAMED, "malformed", id="three fields"),
        pytest.param({"/etc/passwd": ROOT["/etc/passwd"][:-1]}, NAMED, "incomplete", id="no newline at the end"),
        pytest.param({"/etc/passwd": ROOT["/etc/passwd"].replace("\n", "\r\n")}, NAMED, "control characters", id="CRLF"),
        pytest.param({"/etc/group": "root:x:0:\\\n"}, NAMED, "continued", id="continued line"),
        pytest.param({"/etc/passwd": ROOT["/etc/passwd"] * 2}, NAMED, "duplicate", id="duplicate names"),
        pytest.param({"/etc/passwd": ROOT["/etc/passwd"].replace("500", "0500")}, NAMED, "unusual number", id="leading zero"),
        pytest.param({"/etc/passwd": ROOT["/etc/passwd"] + f"x:x:7:7:{'x' * 1000}:/:\n"}, NAMED, "long lines", id="long line"),
        pytest.param({}, {"name": "ann", "gecos": "x" * 1000}, "the line in passwd is long", id="long comment"),
        pytest.param({"/etc/gshadow": "-> gshadow.real"}, NAMED, "not a regular file", id="symlink"),
        pytest.param({"/etc/passwd-": "-> /etc/x"}, NAMED, "backup or lock", id="backup that is a symlink"),
        pytest.param({"/etc/.pwd.lock": "-> /etc/x"}, NAMED, "backup or lock", id="lock that is a symlink"),
        pytest.param({"/etc/shadow.lock": "1"}, NAMED, "locked", id="locked"),
        pytest.param({"/etc/group+": ""}, NAMED, "locked", id="interrupted"),
        pytest.param({"/var/log/lastlog": "x" * 300000}, NAMED, "lastlog", id="lastlog of this uid"),
        pytest.param({"/var/log/faillog": "x" * 30000}, NAMED, "lastlog", id="faillog of this uid"),
        pytest.param({"/sbin/pam_tally2": ""}, NAMED, "lastlog", id="tallylog"),
        pytest.param({"/home/ann": "-> nowhere"}, NAMED, "home or /etc/skel", id="dangling home"),
        pytest.param({"/etc/skel/x": "-> /etc/skel/.profile"}, NAMED, "home or /etc/skel", id="symlink into the skeleton"),
        pytest.param({"/etc/gshadow": None}, NAMED, "gshadow does not exist", id="without gshadow"),
        pytest.param({"/etc/shadow": None}, NAMED, "shadow does not exist", id="without shadow"),
    ],
)
def test_everything_else_is_left_to_useradd(
    make_context: MakeContext, tree: Mapping[str, str | None], user: dict[str, object], reason: str
) -> None:
    whole = {path: content for path, content in {**ROOT, **tree}.items() if content is not None}
    root = make_context(whole).root
    before = snapshot(root.path)
    assert reason in DirectAccounts(root).create_user(NewUser(**user))  # type: ignore[arg-type]
    assert snapshot(root.path) == before


def test_special_files_in_the_skeleton_are_left_to_useradd(make_context: MakeContext) -> None:
    root = make_context(ROOT).root
    os.mkfifo(root.path + "/etc/skel/fifo")
    assert "home or /etc/skel" in DirectAccounts(root).create_user(NewUser("ann"))
    os.unlink(root.path + "/etc/skel/fifo")
    os.link(root.path + "/etc/skel/.profile", root.path + "/etc/skel/same")
    assert "home or /etc/skel" in DirectAccounts(root).create_user(NewUser("ann"))
    os.unlink(root.path + "/etc/skel/same")
    os.chmod(root.path + "/etc/skel/.profile", 0o4755)
    assert "home or /etc/skel" in DirectAccounts(root).create_user(NewUser("ann"))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"INACTIVE": None}, id="a version after 4.17, without aging"),
        pytest.param({"NEW_SETTING": "1"}, id="a setting of a later version"),
    ],
)
def test_other_versions_of_useradd_are_not_imitated(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str | None]
) -> None:
    own = {**new_accounts._own_defaults(), **changed}
    monkeypatch.setattr(new_accounts, "_own_defaults", lambda: {name: value for name, value in own.items() if value is not None})
    root = make_context(ROOT).root
    assert DirectAccounts(root).create_user(NewUser("ann")) == "this useradd has other defaults"


def test_useradd_that_cannot_be_asked_is_not_imitated(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise CommandFailed("missing", status=None)

    monkeypatch.setattr(command, "run", fail)
    assert new_accounts._own_defaults.__wrapped__() == {}


def test_running_system_is_left_to_the_programs(make_context: MakeContext) -> None:
    root = Root.live(make_context(ROOT).root.path)
    assert DirectAccounts(root).create_user(NewUser("ann")) == "the system is running"
    assert DirectAccounts(root).create_group("team", None, is_system=False) == "the system is running"
    assert DirectAccounts(root).set_passwords([("core", HASH)]) == "the system is running"


@pytest.mark.parametrize(
    ("name", "gid", "reason"),
    [("Team", None, "lower-case"), ("sudo", None, "knows the name"), ("team", 27, "in use"), ("team", 65535, "reserved")],
)
def test_other_groups_are_left_to_groupadd(make_context: MakeContext, name: str, gid: int | None, reason: str) -> None:
    root = make_context(ROOT).root
    assert reason in DirectAccounts(root).create_group(name, gid, is_system=False)


@pytest.mark.parametrize(
    ("tree", "wanted", "reason"),
    [
        pytest.param({}, ("core", "$6$short"), "hash is unusual", id="malformed hash"),
        pytest.param({}, ("ann", HASH), "passwords in passwd", id="no such user"),
        pytest.param({"/etc/shadow": "root:*:::::::\n"}, ("core", HASH), "passwords in passwd", id="not in shadow"),
        pytest.param({"/etc/passwd": "core:*:5:5::/:\n"}, ("core", HASH), "passwords in passwd", id="password in passwd"),
        pytest.param(
            {"/etc/shadow": "core:*:0::::::\n"}, ("core", HASH), "must be changed", id="to be changed at the next login"
        ),
        pytest.param({"/etc/shadow": "core:*:007::::::\n"}, ("core", HASH), "lines of shadow", id="leading zero"),
    ],
)
def test_other_passwords_are_left_to_chpasswd(
    make_context: MakeContext, tree: dict[str, str], wanted: tuple[str, str], reason: str
) -> None:
    assert reason in DirectAccounts(make_context({**ROOT, **tree}).root).set_passwords([wanted])


@pytest.mark.root
def test_passwords_of_existing_users(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> None:
    shadow = "root:*:19000:0:99999:7:::\ncore:!:::99999:::30000:\n"
    top = Path(make_context({**ROOT, "/etc/shadow": shadow}).root.path)
    wanted = (User(name="core", password_hash=HASH), User(name="root", password_hash="$y$j9T$abc$" + "a" * 43))
    started, programs, direct = both(top, Passwd(users=wanted), monkeypatch)
    assert started == []
    assert direct == programs


@pytest.mark.root
def test_files_that_another_program_changed_are_read_again(make_context: MakeContext) -> None:
    root = make_context(ROOT).root
    direct = DirectAccounts(root)
    assert direct.create_user(NewUser("ann")) == ""
    passwd = Path(root.path + "/etc/passwd")
    passwd.write_text(passwd.read_text() + "bob:x:1007:100::/:/bin/sh\n")
    assert direct.create_user(NewUser("eve")) == ""
    assert passwd.read_text().splitlines()[-2:] == ["bob:x:1007:100::/:/bin/sh", "eve:x:1008:1008::/home/eve:/bin/sh"]


@pytest.mark.root
@pytest.mark.parametrize("written", range(14))
def test_user_interrupted_between_two_files_is_completed(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    passwd = Passwd(users=(User(name="ann", groups=("sudo",), password_hash=HASH), User(name="bob")))
    top = Path(make_context(ROOT).root.path)
    whole = Path(f"{top}-whole")
    shutil.copytree(top, whole, symlinks=True)
    apply(passwd, Root(str(whole)), direct=True)

    left, write = written, Dentry.write

    def cut(self: Dentry, content: bytes, *, mode: int, uid: int = -1, gid: int = -1, sync: bool = False) -> None:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        write(self, content, mode=mode, uid=uid, gid=gid, sync=sync)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Dentry, "write", cut)
        apply(passwd, Root(str(top)), direct=True)
    apply(passwd, Root(str(top)), direct=True, unfinished=True)
    found, wanted = ({path: one[:4] for path, one in snapshot(str(root)).items() if path[-1] != "-"} for root in (top, whole))
    assert found == wanted
