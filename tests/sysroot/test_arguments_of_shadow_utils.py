"""The command lines of shadow-utils for groups and users, without running them; tests/sysroot/test_accounts.py runs them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ignition.config.model import Passwd
from ignition.config.model.passwd import Group, User
from ignition.errors import CommandFailed, Failure, Unmet
from ignition.host import command
from ignition.host.root import Root
from ignition.operation import Context, Operation
from ignition.sysroot import accounts, groups, users
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.accounts import AccountFacts
from ignition.sysroot.attempt import Attempt

from .conftest import MakeContext

TREE = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/bash\ncore:x:500:500:Core:/home/core:/bin/bash\n",
    "/etc/shadow": "root:*:1::::::\ncore:old:1::::::\n",
    "/etc/group": "root:x:0:\ncore:x:500:\nsudo:x:27:core\n100:x:77:\n",
    "/etc/gshadow": "sudo:old::core\n",
    "/usr/lib/group": "kvm:x:36:\n",
    "/usr/lib/passwd": "etcd:x:232:232::/:/bin/sh\n",
    "/etc/nsswitch.conf": "passwd: files altfiles\ngroup: files altfiles\n",
    "/home/core/": "",
}
PLACE = "$.passwd.users.0"


class Programs:
    """The command lines, each with its standard input."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.status: int | None = 0

    def run(self, argv: list[str], *, why: str, stdin: str = "") -> str:
        self.ran.append(" ".join(argv) + (f" <{stdin!r}" if stdin else ""))
        if self.status != 0:
            raise CommandFailed(f"{why}: failed", status=self.status, fix="repair it")
        return ""


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    found = Programs()
    monkeypatch.setattr(command, "run", found.run)
    return found


def put_user(interrupted: bool = False, lenient: bool = False, **members: Any) -> Callable[[AccountDatabase], Operation]:
    user = User(**{"name": "ann", **members})
    return lambda database: users.PutUser(PLACE, user, database, interrupted=interrupted, lenient=lenient)


def put_group(**members: Any) -> Callable[[AccountDatabase], Operation]:
    return lambda database: groups.PutGroup("$.passwd.groups.0", Group(**{"name": "ops", **members}), database)


USERADD = "useradd --root ROOT"


@pytest.mark.parametrize(
    ("operation", "said", "ran"),
    [
        pytest.param(put_group(), "create group ops", ["groupadd --root ROOT -- ops"], id="group"),
        pytest.param(
            put_group(gid=7, system=True), "create group ops", ["groupadd --root ROOT --gid 7 --system -- ops"], id="system group"
        ),
        pytest.param(
            put_group(name="sudo", gid=7, system=True),
            "change group sudo",
            ["groupmod --root ROOT --gid 7 -- sudo"],
            id="group id",
        ),
        pytest.param(put_group(name="sudo", gid=27), "change group sudo", [], id="group that is right"),
        pytest.param(put_group(name="sudo"), "change group sudo", [], id="group that exists"),
        pytest.param(put_user(), "create user ann", [f"{USERADD} --create-home --password * -- ann"], id="user"),
        pytest.param(
            put_user(
                uid=5,
                gecos="Ann A.",
                home_dir="/srv/ann",
                primary_group="core",
                groups=("sudo", "core,root"),
                shell="/bin/zsh",
                system=True,
                no_user_group=True,
                no_log_init=True,
            ),
            "create user ann",
            [
                f"{USERADD} --home-dir /srv/ann --create-home --no-user-group --system --no-log-init --password * --uid 5 "
                "--comment Ann A. --gid core --groups sudo,core,root --shell /bin/zsh -- ann"
            ],
            id="user with everything",
        ),
        pytest.param(
            put_user(no_create_home=True, groups=("none",)),
            "create user ann",
            [f"{USERADD} --no-create-home --password * --groups none -- ann"],
            id="no home, and a group that does not exist",
        ),
        pytest.param(
            put_user(lenient=True, groups=("none", "sudo")),
            "create user ann",
            [f"{USERADD} --create-home --password * --groups sudo -- ann"],
            id="groups that do not exist are left out",
        ),
        pytest.param(
            put_user(name="core", uid=500, gecos="Core", home_dir="/home/core", primary_group="core", shell="/bin/bash"),
            "change user core",
            [],
            id="user that is right",
        ),
        pytest.param(
            put_user(
                name="core", uid=0, gecos="C", home_dir="/var/core", primary_group="sudo", groups=("core",), shell="/bin/sh"
            ),
            "change user core",
            [
                "usermod --root ROOT --home /var/core --move-home --uid 0 --comment C --gid sudo --groups core "
                "--shell /bin/sh -- core"
            ],
            id="user with other values",
        ),
        pytest.param(put_user(name="core", primary_group="500"), "change user core", [], id="primary group by its number"),
        pytest.param(
            put_user(name="core", primary_group="100"),
            "change user core",
            ["usermod --root ROOT --gid 100 -- core"],
            id="a name that is a number",
        ),
        pytest.param(
            put_user(name="core", primary_group="none"),
            "change user core",
            ["usermod --root ROOT --gid none -- core"],
            id="primary group that does not exist",
        ),
        pytest.param(put_user(name="core", groups=("sudo",)), "change user core", [], id="member already"),
        pytest.param(
            put_user(name="core", interrupted=True, no_create_home=True, shell="/bin/sh"),
            "change user core",
            [
                "userdel --root ROOT -- core",
                f"{USERADD} --no-create-home --password * --uid 500 --shell /bin/sh -- core",
            ],
            id="half made",
        ),
        pytest.param(
            lambda database: groups.RemoveGroup(PLACE, "sudo", database),
            "delete group sudo",
            ["groupdel --root ROOT -- sudo"],
            id="group that goes",
        ),
        pytest.param(lambda database: groups.RemoveGroup(PLACE, "none", database), "delete group none", [], id="no group"),
        pytest.param(
            lambda database: users.RemoveUser(PLACE, "core", database),
            "delete user core",
            ["userdel --root ROOT --remove -- core"],
            id="user that goes",
        ),
        pytest.param(lambda database: users.RemoveUser(PLACE, "none", database), "delete user none", [], id="no user"),
        pytest.param(
            lambda database: users.SetPasswords([(PLACE, "core", "new"), (PLACE, "root", "*")], database, of_groups=False),
            "set the passwords of users core, root",
            ["chpasswd --encrypted --root ROOT <'core:new\\n'"],
            id="passwords of users that differ",
        ),
        pytest.param(
            lambda database: users.SetPasswords([("$.passwd.groups.0", "sudo", "new")], database, of_groups=True),
            "set the passwords of groups sudo",
            ["chgpasswd --encrypted --root ROOT <'sudo:new\\n'"],
            id="passwords of groups",
        ),
    ],
)
def test_command_lines(
    make_context: MakeContext,
    programs: Programs,
    operation: Callable[[AccountDatabase], Operation],
    said: str,
    ran: list[str],
) -> None:
    context = make_context(TREE)
    made = operation(AccountDatabase(context.root))
    assert made.describe() == said
    if made.already_there(context):
        assert ran == []
        return
    refused = isinstance(made, groups.RemoveGroup | users.RemoveUser)
    try:
        made.execute(context)
        assert not refused
    except Unmet as unmet:  # the program is not run here, so that the account stays
        assert refused and unmet.where == PLACE
    assert [one.replace(f"--root {context.root.path}", "--root ROOT") for one in programs.ran] == ran


@pytest.mark.parametrize(
    "operation",
    [
        put_group(),
        lambda database: groups.RemoveGroup(PLACE, "sudo", database),
        lambda database: users.RemoveUser(PLACE, "core", database),
        lambda database: users.SetPasswords([(PLACE, "core", "new")], database, of_groups=False),
        put_user(no_create_home=True),
    ],
)
def test_running_system_is_the_root_directory(
    make_context: MakeContext, programs: Programs, operation: Callable[[AccountDatabase], Operation]
) -> None:
    made = operation(AccountDatabase(make_context(TREE).root))
    try:
        made.execute(Context(Root("/"), None))  # type: ignore[arg-type]
    except Unmet:
        pass
    assert programs.ran and all("--root / " in f"{line} " for line in programs.ran)


@pytest.mark.parametrize(
    ("status", "lasting"), [(1, False), (2, True), (3, True), (4, True), (6, True), (9, True), (10, False), (None, False)]
)
def test_fault_of_the_config_lasts(make_context: MakeContext, programs: Programs, status: int | None, lasting: bool) -> None:
    programs.status = status
    with pytest.raises(Failure) as caught:
        groups.run_for(make_context({}), PLACE, ["useradd"], "create user x", stdin="x")
    assert (caught.value.what, caught.value.where, caught.value.fix) == ("create user x: failed", PLACE, "repair it")
    assert caught.value.lasting is lasting


@pytest.mark.parametrize(
    ("passwd", "plan"),
    [
        pytest.param(Passwd(groups=(Group(name="kvm"),)), ["change group kvm"], id="group of the image that stays as it is"),
        pytest.param(
            Passwd(groups=(Group(name="kvm", gid=36),)), ["change group kvm"], id="group of the image with its id"
        ),
        pytest.param(
            Passwd(groups=(Group(name="kvm", gid=37),)),
            ["copy group kvm of the image to /etc/group", "change group kvm"],
            id="group of the image with another id",
        ),
        pytest.param(
            Passwd(groups=(Group(name="kvm", password_hash="h"), Group(name="new", password_hash=""))),
            [
                "copy group kvm of the image to /etc/group",
                "change group kvm",
                "create group new",
                "set the passwords of groups kvm",
            ],
            id="password of a group of the image",
        ),
        pytest.param(
            Passwd(users=(User(name="etcd", groups=("kvm",)),)),
            ["copy group kvm of the image to /etc/group", "copy user etcd of the image to /etc/passwd", "change user etcd"],
            id="user of the image becomes a member",
        ),
        pytest.param(Passwd(users=(User(name="etcd"),)), ["change user etcd"], id="user of the image that stays"),
        pytest.param(
            Passwd(users=(User(name="etcd", password_hash=""),)),
            ["copy user etcd of the image to /etc/passwd", "change user etcd", "set the passwords of users etcd"],
            id="user of the image is locked",
        ),
        pytest.param(
            Passwd(users=(User(name="ann", primary_group="36"),)),
            ["copy group kvm of the image to /etc/group", "create user ann"],
            id="new user in a group of the image, by number",
        ),
        pytest.param(
            Passwd(users=(User(name="core", primary_group="kvm"),)),
            ["copy group kvm of the image to /etc/group", "change user core"],
            id="user gets a group of the image",
        ),
        pytest.param(
            Passwd(users=(User(name="ann", groups=("none", "sudo")),)),
            ["create user ann", "look for the groups of user ann"],
            id="group that does not exist",
        ),
        pytest.param(
            Passwd(users=(User(name="ann", should_exist=False, groups=("none",), password_hash="h"),)), ["delete user ann"],
            id="user that goes",
        ),
        pytest.param(
            Passwd(users=(User(name="ann", ssh_authorized_keys=("k",)), User(name="core", password_hash="h"))),
            ["create user ann", "change user core", "set the passwords of users core", "write the SSH keys of user ann"],
            id="keys come last",
        ),
    ],
)  # fmt: skip
def test_plan_for_accounts(make_context: MakeContext, passwd: Passwd, plan: list[str]) -> None:
    database = AccountDatabase(make_context(TREE).root)
    assert [one.describe() for one in accounts.plan(passwd, AccountFacts(database, Attempt()))] == plan


@pytest.mark.parametrize(
    ("attempt", "nested", "notated", "steps"),
    [
        pytest.param(Attempt(), False, (), [], id="nothing special"),
        pytest.param(Attempt(homeless=frozenset({"ann"})), False, (), [], id="useradd completes it"),
        pytest.param(Attempt(homeless=frozenset({"ann"})), True, (), ["complete-home"], id="skeleton with directories"),
        pytest.param(
            Attempt(homeless=frozenset({"ann"}), unfinished=True), False, (), ["complete-home"], id="interrupted attempt"
        ),
        pytest.param(Attempt(homeless=frozenset({"bob"}), unfinished=True), True, (), [], id="another user's home"),
        pytest.param(Attempt(), False, ("/home/ann",), ["own-home"], id="mount points"),
    ],
)
def test_home_of_a_new_user(
    make_context: MakeContext, attempt: Attempt, nested: bool, notated: tuple[str, ...], steps: list[str]
) -> None:
    database = AccountDatabase(make_context(TREE).root)
    facts = AccountFacts(database, attempt, nested=nested, notated=notated)
    found = accounts.plan(Passwd(users=(User(name="ann"), User(name="eve", no_create_home=True))), facts)
    assert [one.kind for one in found if one.path in ("ann", "eve") and one.kind.endswith("-home")] == steps


@pytest.mark.parametrize(
    ("defaults", "defs", "members", "group", "home"),
    [
        pytest.param("", "USERGROUPS_ENAB yes\n", {}, "", "/home/ann", id="a group of the user's own"),
        pytest.param("", "USERGROUPS_ENAB YES\n", {}, "", "/home/ann", id="in capitals"),
        pytest.param("GROUP=100\n", "", {}, "100", "/home/ann", id="the default group"),
        pytest.param("GROUP=100\n", "USERGROUPS_ENAB no\n", {}, "100", "/home/ann", id="no groups of users"),
        pytest.param("GROUP=100\n", "USERGROUPS_ENAB yes\n", {"no_user_group": True}, "100", "/home/ann", id="not for this user"),
        pytest.param("GROUP=100\n", "", {"primary_group": "core"}, "core", "/home/ann", id="configured"),
        pytest.param("", "", {}, "", "/home/ann", id="no default"),
        pytest.param("HOME=/srv\n#HOME=/x\nodd\n", "", {}, "", "/srv/ann", id="another home"),
        pytest.param("HOME=\n", "", {}, "", "/home/ann", id="empty home"),
        pytest.param("HOME=/srv\n", "", {"home_dir": "/opt/a"}, "", "/opt/a", id="configured home"),
    ],
)
@pytest.mark.parametrize("etc", ["/etc", "/usr/etc"])
def test_defaults_of_useradd(
    make_context: MakeContext, etc: str, defaults: str, defs: str, members: dict[str, Any], group: str, home: str
) -> None:
    root = make_context({f"{etc}/default/useradd": defaults, f"{etc}/login.defs": defs}).root
    user = User(name="ann", **members)
    assert (users.group_for(user, root), users.new_home(user, root)) == (group, home)


@pytest.mark.parametrize("of_groups", [True, False])
def test_account_of_the_image_is_copied_with_its_shadow_line(make_context: MakeContext, of_groups: bool) -> None:
    context = make_context({**TREE, "/etc/group": "root:x:0:"})
    name = "kvm" if of_groups else "etcd"
    operation = groups.AdoptAccount(name, AccountDatabase(context.root), of_groups=of_groups)
    assert not operation.already_there(context)
    operation.execute(context)
    assert operation.already_there(context)
    etc = Path(context.root.path) / "etc"
    if of_groups:
        assert (etc / "group").read_text() == "root:x:0:\nkvm:x:36:\n"
        assert (etc / "gshadow").read_text().endswith("\nkvm:!*::\n")
    else:
        assert (etc / "passwd").read_text().endswith("\netcd:x:232:232::/:/bin/sh\n")
        assert (etc / "shadow").read_text().endswith("\netcd:!*:::::::\n")


def test_shadow_file_that_the_root_lacks_is_not_made(make_context: MakeContext) -> None:
    tree = {path: text for path, text in TREE.items() if path not in ("/etc/shadow", "/etc/passwd")}
    context = make_context(tree)
    groups.AdoptAccount("etcd", AccountDatabase(context.root), of_groups=False).execute(context)
    etc = Path(context.root.path) / "etc"
    assert not (etc / "shadow").exists()
    assert (etc / "passwd").read_text() == "etcd:x:232:232::/:/bin/sh\n"
    assert (etc / "passwd").stat().st_mode & 0o7777 == 0o644


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("none",), "group 'none' does not exist in the new root: ann is not a member"),
        (("none", "sudo", "nope"), "group 'none' and group 'nope' do not exist in the new root: ann is not a member"),
        (("sudo",), None),
    ],
)
def test_groups_that_do_not_exist_are_told(make_context: MakeContext, names: tuple[str, ...], said: str | None) -> None:
    context = make_context(TREE)
    operation = users.NeedGroups(PLACE, User(name="ann", groups=names), AccountDatabase(context.root))
    assert operation.already_there(context) is (said is None)
    if said:
        with pytest.raises(Unmet) as caught:
            operation.execute(context)
        assert (caught.value.what, caught.value.where) == (said, PLACE)


@pytest.mark.parametrize(
    "remove",
    [lambda database: groups.RemoveGroup(PLACE, "kvm", database), lambda database: users.RemoveUser(PLACE, "etcd", database)],
)
def test_account_of_the_image_cannot_be_removed(
    make_context: MakeContext, programs: Programs, remove: Callable[[AccountDatabase], Operation]
) -> None:
    context = make_context(TREE)
    with pytest.raises(Unmet, match="remains: it is in /usr/lib/(passwd|group), which belongs to the image"):
        remove(AccountDatabase(context.root)).execute(context)
    assert programs.ran == []
