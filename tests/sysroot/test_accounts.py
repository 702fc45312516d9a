"""Groups, users, passwords and homes, with the machine's own shadow-utils acting on a root of files."""

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ignition.config.model import Passwd
from ignition.config.model.passwd import Group, User
from ignition.config.model.storage import Owner
from ignition.errors import Failure
from ignition.host import command
from ignition.host.root import Root
from ignition.operation import Context
from ignition.sysroot import accounts
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.accounts import AccountFacts
from ignition.sysroot.attempt import Attempt
from ignition.sysroot.users import OwnHome, new_home_mode

from .conftest import MakeContext

ROOT = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\ncore:x:500:500:CoreOS Admin:/home/core:/bin/bash\n",
    "/etc/shadow": "root:*:19000:0:99999:7:::\ncore:*:19000:0:99999:7:::\n",
    "/etc/group": "root:x:0:\ncore:x:500:\nsudo:x:27:core\ndocker:x:233:\n",
    "/etc/gshadow": "root:*::\ncore:!::\nsudo:*::core\ndocker:!::\n",
    "/etc/skel/.profile": "skeleton",
    "/etc/skel/dir/file": "deep",
    "/etc/skel/link": "-> .profile",
    "/etc/login.defs": "UID_MIN 1000\nGID_MIN 1000\nSYS_UID_MIN 100\nSYS_UID_MAX 999\nUSERGROUPS_ENAB yes\nHOME_MODE 0750\n",
    "/home/core/": "",
    "/root/": "",
}
HASH = "$6$salt$SECRETHASH"
Make = Callable[[str], None]


def apply(passwd: Passwd, context: Context, record: Attempt | None = None, *, nested: bool = False) -> list[str]:
    """Carry the plan out; returns what was done, without what was there already."""
    done = []
    for operation in accounts.plan(passwd, AccountFacts(AccountDatabase(context.root), record or Attempt(), nested=nested)):
        if not operation.already_there(context):
            done.append(operation.describe())
            operation.execute(context)
    return done


def line(context: Context, file: str, name: str) -> list[str]:
    """The fields of an account, or nothing."""
    found = [text.split(":") for text in Path(f"{context.root.path}/etc/{file}").read_text().splitlines()]
    return next((fields for fields in found if fields[0] == name), [])


@pytest.mark.root
def test_new_user_has_all_that_the_config_says(make_context: MakeContext) -> None:
    context = make_context(ROOT)
    user = User(
        name="ann",
        uid=4321,
        gecos="Ann, the admin",
        home_dir="/var/ann",
        primary_group="docker",
        groups=("sudo", "core"),
        shell="/bin/zsh",
        password_hash=HASH,
    )
    Path(context.root.path + "/var").mkdir()
    assert apply(Passwd(users=(user,)), context) == ["create user ann", "set the passwords of users ann"]
    assert line(context, "passwd", "ann") == ["ann", "x", "4321", "233", "Ann, the admin", "/var/ann", "/bin/zsh"]
    assert line(context, "shadow", "ann")[1] == HASH
    assert [line(context, "group", name)[3] for name in ("sudo", "core", "docker")] == ["core,ann", "ann", ""]
    found = os.stat(context.root.path + "/var/ann")
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (4321, 233, 0o750)


@pytest.mark.root
@pytest.mark.parametrize(
    ("user", "password", "home"),
    [
        pytest.param(User(name="ann"), "*", True, id="without a password it is locked"),
        pytest.param(User(name="ann", password_hash=""), "*", True, id="with an empty one, too"),
        pytest.param(User(name="ann", system=True, no_create_home=True), "*", False, id="system account without home"),
    ],
)
def test_password_and_home_of_a_new_user(make_context: MakeContext, user: User, password: str, home: bool) -> None:
    context = make_context(ROOT)
    apply(Passwd(users=(user,)), context)
    assert line(context, "shadow", "ann")[1] == password
    assert os.path.exists(context.root.path + "/home/ann") == home
    assert (int(line(context, "passwd", "ann")[2]) < 1000) == bool(user.system)


@pytest.mark.root
def test_no_user_group(make_context: MakeContext) -> None:
    context = make_context(ROOT)
    apply(Passwd(users=(User(name="ann", no_user_group=True, no_log_init=True), User(name="bob"))), context)
    assert line(context, "group", "ann") == []
    assert line(context, "group", "bob") != []


@pytest.mark.root
def test_existing_user_is_changed_only_where_it_differs(make_context: MakeContext) -> None:
    context = make_context(ROOT)
    user = User(name="core", gecos="CoreOS Admin", shell="/bin/sh", groups=("docker",), uid=500, primary_group="core")
    assert apply(Passwd(users=(user,)), context) == ["change user core"]
    assert line(context, "passwd", "core") == ["core", "x", "500", "500", "CoreOS Admin", "/home/core", "/bin/sh"]
    assert [line(context, "group", name)[3] for name in ("sudo", "docker")] == ["", "core"]
    assert line(context, "shadow", "core")[1] == "*"
    assert apply(Passwd(users=(user,)), context) == []


@pytest.mark.root
def test_home_of_an_existing_user_moves(make_context: MakeContext) -> None:
    context = make_context({**ROOT, "/home/core/f": "kept"})
    apply(Passwd(users=(User(name="core", home_dir="/home/admin", uid=1500),)), context)
    assert Path(context.root.path + "/home/admin/f").read_text() == "kept"
    assert line(context, "passwd", "core")[2] == "1500"


@pytest.mark.root
def test_password_alone_needs_no_usermod_and_all_are_set_at_once(
    make_context: MakeContext, capsys: pytest.CaptureFixture[str]
) -> None:
    context = make_context(ROOT)
    users = (User(name="core", password_hash=HASH), User(name="root", password_hash=HASH + "2"))
    assert apply(Passwd(users=users), context) == ["set the passwords of users core, root"]
    assert [line(context, "shadow", name)[1] for name in ("core", "root")] == [HASH, HASH + "2"]
    assert apply(Passwd(users=users), context) == []
    printed = capsys.readouterr().out
    assert printed.count("executing: ") == 1
    assert "SECRET" not in printed


@pytest.mark.root
def test_absent_accounts_are_deleted_with_their_home_and_only_once(make_context: MakeContext) -> None:
    context = make_context({**ROOT, "/home/core/f": "goes"})
    os.chown(context.root.path + "/home/core", 500, 500)  # userdel leaves a home that is not the user's
    passwd = Passwd(groups=(Group(name="docker", should_exist=False),), users=(User(name="core", should_exist=False),))
    assert apply(passwd, context) == ["delete group docker", "delete user core"]
    assert line(context, "group", "docker") == line(context, "passwd", "core") == line(context, "shadow", "core") == []
    assert not os.path.exists(context.root.path + "/home/core")
    assert apply(passwd, context) == []


@pytest.mark.root
@pytest.mark.parametrize("point", ["/home/core", "/home/core/data"])
def test_home_that_is_or_holds_a_mount_point_outlives_its_user(
    make_context: MakeContext, point: str, capsys: pytest.CaptureFixture[str]
) -> None:
    context = make_context({**ROOT, f"{point}/f": "under"})
    os.chown(context.root.path + "/home/core", 500, 500)
    target = context.root.path + point
    subprocess.run(["mount", "-t", "tmpfs", "-o", "uid=500,gid=500", "none", target], check=True)
    try:
        Path(target, "kept").write_text("kept")
        assert apply(Passwd(users=(User(name="core", should_exist=False),)), context) == ["delete user core"]
        assert Path(target, "kept").read_text() == "kept"
    finally:
        subprocess.run(["umount", target], check=True)
    assert line(context, "passwd", "core") == []
    said = f"$.passwd.users.0: a file system is mounted on {point}: the home of core is not removed"
    assert said in capsys.readouterr().out


@pytest.mark.root
def test_groups_are_created_and_changed(make_context: MakeContext) -> None:
    context = make_context(ROOT)
    passwd = Passwd(
        groups=(
            Group(name="ops", gid=2000, password_hash=HASH),
            Group(name="docker", gid=2001),
            Group(name="sudo"),
            Group(name="sys2", system=True, password_hash=""),
        )
    )
    assert apply(passwd, context) == [
        "create group ops",
        "change group docker",
        "create group sys2",
        "set the passwords of groups ops",
    ]
    assert [line(context, "group", name)[2] for name in ("ops", "docker", "sudo")] == ["2000", "2001", "27"]
    assert int(line(context, "group", "sys2")[2]) < 1000
    assert line(context, "gshadow", "ops")[1] == HASH
    assert apply(passwd, context) == []


@pytest.mark.root
def test_password_without_shadow_files_goes_to_passwd(make_context: MakeContext) -> None:
    context = make_context({"/etc/passwd": "root:x:0:0::/root:/bin/sh\n", "/etc/group": "root:x:0:\n", "/root/": ""})
    passwd = Passwd(users=(User(name="root", password_hash=HASH),))
    apply(passwd, context)
    assert line(context, "passwd", "root")[1] == HASH
    assert apply(passwd, context) == []


@pytest.mark.root
@pytest.mark.parametrize(
    ("passwd", "place", "words"),
    [
        pytest.param(
            Passwd(users=(User(name="core"), User(name="ann", groups=("nowhere",)))),
            "$.passwd.users.1",
            "group 'nowhere' does not exist",
            id="unknown supplementary group",
        ),
        pytest.param(Passwd(users=(User(name="ann", uid=500),)), "$.passwd.users.0", "UID 500 is not unique", id="id in use"),
        pytest.param(
            Passwd(groups=(Group(name="ops", gid=27),)), "$.passwd.groups.0", "'27' already exists", id="group id in use"
        ),
        pytest.param(
            Passwd(users=(User(name="core", password_hash="a:b"),)),
            "$.passwd.users.0.passwordHash",
            "colon",
            id="colon in a hash",
        ),
        pytest.param(
            Passwd(users=(User(name="core", password_hash="a\nroot:b"),)),
            "$.passwd.users.0.passwordHash",
            "line break",
            id="line break in a hash would set another's password",
        ),
    ],
)
def test_what_cannot_be_done_names_the_account(make_context: MakeContext, passwd: Passwd, place: str, words: str) -> None:
    context = make_context(ROOT)
    with pytest.raises(Failure) as caught:
        apply(passwd, context)
    assert caught.value.where == place
    assert words in caught.value.what
    assert line(context, "shadow", "root")[1] == "*"


@pytest.mark.root
@pytest.mark.parametrize("unwritten", ["shadow", "group", "gshadow", "subuid", "subgid"])
def test_user_cut_short_between_two_files_is_made_whole(make_context: MakeContext, unwritten: str) -> None:
    context = make_context({**ROOT, "/etc/subuid": "", "/etc/subgid": ""})
    passwd = Passwd(users=(User(name="ann"), User(name="bob")))
    apply(passwd, context)
    whole = {name: line(context, name, "ann")[2:] for name in ("passwd", "group")}
    path = Path(context.root.path) / "etc" / unwritten
    path.write_text("".join(kept for kept in path.read_text().splitlines(keepends=True) if not kept.startswith("ann:")))
    apply(passwd, context, Attempt(homeless=frozenset({"ann", "bob"}), unfinished=True))
    assert line(context, unwritten, "ann")
    assert {name: line(context, name, "ann")[2:] for name in whole} == whole


@pytest.mark.root
def test_user_of_the_image_that_lacks_a_line_stays(make_context: MakeContext) -> None:
    context = make_context({**ROOT, "/etc/passwd": ROOT["/etc/passwd"] + "ann:x:1000:1000::/home/ann:/bin/sh\n"})
    before = (Path(context.root.path) / "etc/passwd").read_text()
    apply(Passwd(users=(User(name="ann"),)), context, Attempt(unfinished=True))
    assert (Path(context.root.path) / "etc/passwd").read_text() == before


@pytest.mark.root
@pytest.mark.parametrize(
    "left",
    [
        pytest.param({}, id="before anything"),
        pytest.param({"/etc/passwd": ROOT["/etc/passwd"] + "ann:x:1000:1000::/home/ann:/bin/sh\n"}, id="in passwd only"),
        pytest.param({"/home/ann/": ""}, id="home without skeleton"),
        pytest.param({"/home/ann/.profile": "skel"}, id="skeleton cut short"),
    ],
)
def test_interrupted_creation_converges(make_context: MakeContext, left: dict[str, str]) -> None:
    context = make_context(ROOT)
    passwd = Passwd(users=(User(name="ann", password_hash=HASH),))
    if any(path.startswith("/home") for path in left):
        apply(passwd, context)
        (Path(context.root.path) / "home/ann/.profile").unlink(missing_ok=True)
    make_context(left)
    apply(passwd, context, Attempt(homeless=frozenset({"ann"}), unfinished=True))
    uid, gid = (int(field) for field in line(context, "passwd", "ann")[2:4])
    assert line(context, "shadow", "ann")[1] == HASH
    assert line(context, "group", "ann")[2] == str(gid)
    home = Path(context.root.path + "/home/ann")
    assert (home / ".profile").read_text() == "skeleton"
    assert (home / "dir" / "file").read_text() == "deep"
    assert os.readlink(home / "link") == ".profile"
    for path in (home, home / ".profile", home / "dir", home / "dir" / "file", home / "link"):
        assert (path.lstat().st_uid, path.lstat().st_gid) == (uid, gid), path


@pytest.mark.root
def test_directories_of_the_skeleton_arrive_though_the_root_has_no_proc(make_context: MakeContext) -> None:
    context = make_context(ROOT)
    os.chmod(context.root.path + "/etc/skel/dir", 0o751)
    apply(Passwd(users=(User(name="ann"), User(name="bob"))), context, Attempt(homeless=frozenset({"ann"})), nested=True)
    home = Path(context.root.path + "/home/ann")
    assert sorted(str(path.relative_to(home)) for path in home.rglob("*")) == [".profile", "dir", "dir/file", "link"]
    assert stat.S_IMODE((home / "dir").stat().st_mode) == 0o751


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        pytest.param("", 0o755, id="default"),
        pytest.param("UMASK\t\t077\n", 0o700, id="umask"),
        pytest.param("UMASK 022\nHOME_MODE\t0750\n", 0o750, id="home mode wins"),
        pytest.param("#HOME_MODE 0700\n UMASK 027\n", 0o750, id="comment and indentation"),
        pytest.param("HOME_MODE\nUMASK many\n", 0o755, id="no number"),
        pytest.param("HOME_MODE 089\n", 0o755, id="not octal"),
        pytest.param("HOME_MODE 089\nUMASK 077\n", 0o700, id="not octal beside a mask"),
        pytest.param("HOME_MODE 488\n", 0o750, id="decimal"),
        pytest.param("HOME_MODE 0x1e8\n", 0o750, id="hexadecimal"),
        pytest.param('HOME_MODE "0750"\n', 0o750, id="quotes"),
        pytest.param("HOME_MODE \u0660\u0667\u0660\u0660\n", 0o755, id="digits that C does not know"),
        pytest.param(f"HOME_MODE {'7' * 5000}\n", 0o755, id="5000 digits"),
        pytest.param("HOME_MODE -1\nUMASK +7\n", 0o755, id="signs"),
        pytest.param("A\x85HOME_MODE 0700\nB\u2028HOME_MODE 0700\n", 0o755, id="lines end at a newline alone"),
    ],
)
def test_mode_of_a_home_is_that_of_useradd(make_context: MakeContext, text: str, mode: int) -> None:
    assert new_home_mode(make_context({"/etc/login.defs": text}).root) == mode


@pytest.mark.root
@pytest.mark.parametrize(
    ("make", "what"), [(os.mkdir, "a directory"), (os.mkfifo, "not a regular file")], ids=["directory", "fifo"]
)
@pytest.mark.parametrize("name", ["passwd", "group"])
def test_accounts_that_cannot_be_read_are_named(make_context: MakeContext, name: str, make: Make, what: str) -> None:
    context = make_context({"/etc/": ""})
    make(f"{context.root.path}/etc/{name}")
    database = AccountDatabase(context.root)
    with pytest.raises(Failure) as caught:
        database.user("core") if name == "passwd" else database.group("core")
    assert (caught.value.what, caught.value.where) == (f"it is {what}", f"/etc/{name}")


def test_etc_that_is_a_file_has_no_accounts(make_context: MakeContext) -> None:
    assert AccountDatabase(make_context({"/etc": "x"}).root).user("core") is None


# What chfn -r lets a user write into the own line, and str.splitlines or a file in text mode takes for the end of it.
@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x85", "\v", "\f", "\x1c", "\x1d", "\x1e", "\r"], ids=ascii)
def test_line_of_passwd_ends_at_a_newline_alone(make_context: MakeContext, end: str) -> None:
    gecos = f"Ann,{end}root2:x:0:0"
    text = f"ann:x:1000:1000:{gecos.replace(':', ';')}{end}evil:/home/ann:/bin/sh\ncore:x:1001:1001::/home/core:/bin/sh\n"
    database = AccountDatabase(make_context({"/etc/passwd": text, "/etc/group": f"ann:x:1000:a{end}b\n"}).root)
    ann, core = database.user("ann"), database.user("core")
    assert ann is not None and (ann.uid, ann.home, ann.gecos.count(end)) == (1000, "/home/ann", 2)
    assert core is not None and core.uid == 1001
    assert database.user("evil") is None and database.user("root2;x;0;0") is None
    group = database.group("ann")
    assert group is not None and group.members == {f"a{end}b"}


@pytest.mark.parametrize("number", ["\u0661", "9" * 5000, "4294967296", "-1", "+1", "1_0", "\xb2", ""])
def test_line_whose_id_is_not_a_number_is_passed_over(make_context: MakeContext, number: str) -> None:
    text = f"ann:x:{number}:1000::/home/ann:/bin/sh\n"
    assert AccountDatabase(make_context({"/etc/passwd": text}).root).user("ann") is None


@pytest.mark.parametrize("text", ["", "UMASK 077\n", "UMASK 022\nHOME_MODE 0750\n", "UMASK 027\n"], ids=repr)
def test_useradd_thinks_so_too(make_context: MakeContext, text: str) -> None:
    context = make_context({**ROOT, "/etc/login.defs": text})
    apply(Passwd(users=(User(name="ann", no_user_group=True),)), context)
    assert stat.S_IMODE(os.stat(context.root.path + "/home/ann").st_mode) == new_home_mode(context.root)


@pytest.mark.root
def test_mount_points_of_a_home_become_its_users(make_context: MakeContext) -> None:
    context = make_context({**ROOT, "/home/core/data/": "", "/home/corelike/": "", "/var/lib/": ""})
    notated = ("/home/core", "/home/core/data", "/home/corelike", "/var/lib")
    operation = OwnHome("core", notated, AccountDatabase(context.root))
    assert not operation.already_there(context)
    operation.execute(context)
    assert operation.already_there(context)
    owners = {
        path: (os.stat(context.root.path + path).st_uid, os.stat(context.root.path + path).st_mode & 0o777) for path in notated
    }
    assert owners["/home/core"] == owners["/home/core/data"] == (500, 0o700)
    assert owners["/home/corelike"][0] == owners["/var/lib"][0] == 0


def test_empty_section_plans_nothing(make_context: MakeContext) -> None:
    assert apply(Passwd(), make_context({})) == []


@pytest.mark.parametrize(
    ("text", "name", "uid"),
    [
        pytest.param("a:x:1:1:::\n", "a", 1, id="plain"),
        pytest.param("a:x:1:1:::\na:x:2:2:::\n", "a", 1, id="the first of two counts"),
        pytest.param("a:x:one:1:::\na:x:2:2:::\n", "a", 2, id="line without numbers is passed over"),
        pytest.param("a:x:1\n\n#\nb:x:3:3:::", "b", 3, id="short lines are passed over"),
        pytest.param("b:x:3:3:::", "a", None, id="unknown"),
        pytest.param("+a:x:4:4:::", "+a", None, id="entry of NIS"),
        pytest.param("-a:x:4:4:::", "-a", None, id="excluded entry of NIS"),
    ],
)
def test_users_are_read_from_the_root(make_context: MakeContext, text: str, name: str, uid: int | None) -> None:
    found = AccountDatabase(make_context({"/etc/passwd": text}).root).user(name)
    assert (None if found is None else found.uid) == uid


def test_database_is_read_again_when_its_file_changed_and_through_links(make_context: MakeContext) -> None:
    context = make_context({"/etc/passwd": "-> ../usr/passwd", "/usr/passwd": "a:x:1:1:::\n"})
    database = AccountDatabase(context.root)
    assert database.uid(Owner(name="a"), "") == 1
    Path(context.root.path + "/usr/passwd").write_text("a:x:12:1:::\n")
    assert database.uid(Owner(name="a"), "") == 12
    assert AccountDatabase(make_context({}).root).group("a") is None


@pytest.mark.parametrize(
    ("owner", "uid"),
    [
        pytest.param(Owner(), -1, id="nobody wanted"),
        pytest.param(Owner(id=0), 0, id="id 0"),
        pytest.param(Owner(name=""), -1, id="empty name"),
        pytest.param(Owner(id=7, name=""), 7, id="id beside an empty name"),
    ],
)
def test_owner_without_a_name_needs_no_database(make_context: MakeContext, owner: Owner, uid: int) -> None:
    database = AccountDatabase(make_context({}).root)
    assert (database.uid(owner, ""), database.gid(owner, "")) == (uid, uid)


@pytest.mark.parametrize(
    "path",
    [
        *(
            f"/etc/{name}{suffix}"
            for name in ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")
            for suffix in ("", ".lock", "-", "+")
        ),
        *("/etc/.pwd.lock", "/etc/login.defs", "/etc/default/useradd", "/etc/nsswitch.conf"),
    ],
)
def test_file_that_would_block_shadow_utils_is_refused(make_context: MakeContext, path: str) -> None:
    context = make_context({"/etc/default/": ""})
    AccountDatabase(context.root).refuse_odd_files()
    os.mkfifo(context.root.path + path)
    with pytest.raises(Failure) as caught:
        AccountDatabase(context.root).refuse_odd_files()
    assert (caught.value.what, caught.value.where) == ("it is not a regular file", path)


def test_file_of_accounts_that_never_ends_is_refused(make_context: MakeContext) -> None:
    context = make_context({"/etc/subuid": ""})
    place = Path(context.root.path) / "etc/subuid"
    os.truncate(place, 8 << 20)
    AccountDatabase(context.root).refuse_odd_files()
    os.truncate(place, (8 << 20) + 1)
    with pytest.raises(Failure) as caught:
        AccountDatabase(context.root).refuse_odd_files()
    assert (caught.value.what, caught.value.where) == ("/etc/subuid is larger than 8 MiB", "/etc/subuid")


@pytest.mark.parametrize(
    ("user", "home"),
    [
        pytest.param(User(name="core", ssh_authorized_keys=("k",)), "/var/home/core", id="home of the image"),
        pytest.param(User(name="core", ssh_authorized_keys=("k",), home_dir="/srv/c"), "/srv/c", id="home of the config"),
        pytest.param(User(name="core"), None, id="no keys"),
        pytest.param(User(name="core", ssh_authorized_keys=("k",), no_create_home=True), None, id="no home wanted"),
        pytest.param(User(name="core", ssh_authorized_keys=("k",), should_exist=False), None, id="to be removed"),
        pytest.param(User(name="new", ssh_authorized_keys=("k",)), None, id="new user"),
        pytest.param(User(name="core", ssh_authorized_keys=("k",), home_dir="relative"), None, id="relative home"),
        *(
            pytest.param(User(name="core", ssh_authorized_keys=("k",), home_dir=home), None, id=home)
            for home in ("/", "/dev/null", "/nonexistent", "/var/empty")
        ),
    ],
)
def test_home_that_keys_of_an_existing_user_need(make_context: MakeContext, user: User, home: str | None) -> None:
    tree = {"/etc/passwd": "core:x:1:1::/home/core:/bin/sh\n", "/home": "-> var/home"}
    assert accounts.missing_home(user, AccountDatabase(make_context(tree).root)) == home


def test_alone_asks_again_only_after_a_change_of_its_own(tmp_path: Path) -> None:
    """A file that somebody else changes is not noticed: that is what `alone` promises. Each writer of this process is."""
    (tmp_path / "etc").mkdir()
    passwd = tmp_path / "etc/passwd"
    passwd.write_text("a:x:1000:1000::/home/a:/bin/sh\n")
    root = Root(str(tmp_path))
    alone, careful = AccountDatabase(root, alone=True), AccountDatabase(root)
    assert alone.user("a") and careful.user("a")
    passwd.write_text("b:x:1001:1001::/home/b:/bin/sh\n")
    assert alone.user("a") and not careful.user("a")
    root.makedirs("/home")
    root.write("/home/group", b"", mode=0o644)
    assert alone.user("a"), "a file of another name is not passwd"
    root.write("/home/passwd", b"", mode=0o644)  # which any path to passwd may lead to
    assert not alone.user("a") and alone.user("b")
    root.write("/etc/passwd", b"c:x:1002:1002::/home/c:/bin/sh\n", mode=0o644)
    assert not alone.user("b") and alone.user("c")
    with root.at("/etc/passwd") as here:
        here.unlink()
    assert not alone.user("c")
    with root.at("/etc/passwd") as here:
        here.symlink("../home/passwd")
    (tmp_path / "home/passwd").write_text("d:x:1003:1003::/home/d:/bin/sh\n")
    command.run(["blkid", "-V"], why="a program that may have changed it")
    assert alone.user("d")
    with root.at("/etc/passwd") as here:
        here.symlink("../home/list")
    for name in "ef":
        root.write("/home/list", f"{name}:x:1004:1004::/home/{name}:/bin/sh\n".encode(), mode=0o644)
        assert alone.user(name), "behind the symlink it has another name"
    with root.at("/home") as here:
        here.remove()
    assert not alone.user("f")
