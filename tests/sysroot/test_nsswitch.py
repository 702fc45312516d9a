"""Which file answers for an account: lines of nsswitch.conf, actions, sources, and roots without one."""

import os
from pathlib import Path

import pytest

from ignition.config.model.storage import Owner
from ignition.errors import Failure
from ignition.sysroot import nsswitch
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.groups import AdoptAccount

from .conftest import MakeContext

ETC, ALT = "/etc/passwd", "/usr/lib/passwd"


def user(uid: int, name: str = "etcd") -> str:
    return f"{name}:x:{uid}:{uid}::/:/bin/sh\n"


# nsswitch.conf, account files, and the id of etcd.
@pytest.mark.parametrize(
    ("line", "tree", "uid"),
    [
        pytest.param("passwd: files altfiles", {ALT: user(993)}, 993, id="altfiles"),
        pytest.param("passwd: files altfiles", {"/lib/passwd": user(993)}, 993, id="altfiles in /lib"),
        pytest.param("passwd: files usrfiles", {"/usr/share/baselayout/passwd": user(232)}, 232, id="usrfiles of Flatcar"),
        pytest.param("passwd: compat usrfiles", {"/usr/etc/passwd": user(466)}, 466, id="usrfiles of openSUSE"),
        pytest.param("passwd: files extrausers", {"/var/lib/extrausers/passwd": user(700)}, 700, id="extrausers"),
        pytest.param("passwd: files altfiles", {ETC: user(1), ALT: user(2)}, 1, id="the first source that knows it"),
        pytest.param("passwd: altfiles files", {ETC: user(1), ALT: user(2)}, 2, id="in the order of the line"),
        pytest.param("passwd: files", {ALT: user(2)}, None, id="source that is not named"),
        pytest.param("group: altfiles", {ALT: user(2)}, None, id="another database"),
        pytest.param("#passwd: altfiles", {ALT: user(2)}, None, id="comment"),
        pytest.param("passwd: files # altfiles", {ALT: user(2)}, None, id="comment behind"),
        pytest.param("passwd:files\taltfiles", {ALT: user(2)}, 2, id="blanks"),
        pytest.param("passwd:altfiles", {ALT: user(2)}, 2, id="no blank"),
        pytest.param(" passwd : files altfiles", {ALT: user(2)}, 2, id="more blanks"),
        pytest.param("passwd: sss files ldap altfiles", {ETC: "", ALT: user(2)}, 2, id="sources that cannot be asked"),
        pytest.param("passwd: files [NOTFOUND=return] altfiles", {ETC: "", ALT: user(2)}, None, id="end after not found"),
        pytest.param("passwd: files [NOTFOUND=return] altfiles", {ALT: user(2)}, 2, id="a missing file is unavailable"),
        pytest.param("passwd: files [UNAVAIL=return] altfiles", {ALT: user(2)}, None, id="end after a missing file"),
        pytest.param("passwd: sss [!UNAVAIL=return] altfiles", {ALT: user(2)}, 2, id="negated"),
        pytest.param("passwd: files [ !success=RETURN ] altfiles", {ETC: "", ALT: user(2)}, None, id="in any case"),
        pytest.param("passwd: files [SUCCESS=continue] altfiles", {ETC: user(1), ALT: user(2)}, 2, id="continue after success"),
        pytest.param("passwd: files [SUCCESS=continue] altfiles", {ETC: user(1), ALT: ""}, None, id="continue, and not found"),
        pytest.param("passwd: files [SUCCESS=merge] altfiles", {ETC: user(1), ALT: user(2)}, 1, id="users are not merged"),
        pytest.param("passwd: files [TRYAGAIN=return] altfiles", {ALT: user(2)}, 2, id="a status that files never have"),
        pytest.param("passwd: files [ODD=return] altfiles", {ALT: user(2)}, None, id="the rest of an odd line does not count"),
        pytest.param("passwd: files [NOTFOUND=continue", {ETC: user(1)}, 1, id="bracket that is not closed"),
        pytest.param("passwd: altfiles\npasswd: files", {ETC: user(1), ALT: user(2)}, 2, id="the first line of two"),
        pytest.param("", {ETC: user(1), ALT: user(2)}, 1, id="no line"),
        pytest.param("passwd: compat", {ETC: "-etcd::::::\n+etcd::::::\n+::::::\n" + user(1)}, 1, id="NIS of compat"),
        pytest.param("passwd: files systemd", {ETC: ""}, None, id="nss-systemd knows root and nobody"),
    ],
)
def test_user_of(make_context: MakeContext, line: str, tree: dict[str, str], uid: int | None) -> None:
    for place in nsswitch.PLACES:
        top = Path(make_context({place: f"{line}\n", **tree}).root.path)
        found = AccountDatabase(make_context({}).root).user("etcd")
        assert (None if found is None else found.uid) == uid
        (top / place[1:]).unlink()


def test_root_without_nsswitch_has_the_files_of_etc(make_context: MakeContext) -> None:
    database = AccountDatabase(make_context({ALT: user(993), ETC: user(1, "core")}).root)
    assert database.uid(Owner(name="core"), "") == 1
    with pytest.raises(Failure, match="the new root has no user 'etcd'"):
        database.uid(Owner(name="etcd"), "$.storage")


def test_etc_comes_before_usr_etc(make_context: MakeContext) -> None:
    tree = {"/etc/nsswitch.conf": "passwd: files\n", "/usr/etc/nsswitch.conf": "passwd: altfiles\n", ALT: user(2)}
    assert AccountDatabase(make_context(tree).root).user("etcd") is None


def test_nsswitch_of_the_config_itself_counts(make_context: MakeContext) -> None:
    context = make_context({ALT: user(2)})
    database = AccountDatabase(context.root)
    assert database.user("etcd") is None
    context.root.write("/etc/nsswitch.conf", b"passwd: altfiles\n", mode=0o644)
    assert database.uid(Owner(name="etcd"), "") == 2


def test_root_and_nobody_of_systemd(make_context: MakeContext) -> None:
    database = AccountDatabase(make_context({"/etc/nsswitch.conf": "passwd: files systemd\ngroup: files systemd\n"}).root)
    assert (database.uid(Owner(name="root"), ""), database.gid(Owner(name="nobody"), "")) == (0, 65534)


GROUPS = {
    "/etc/group": "wheel:x:10:ann\ndocker:x:5:bob\n",
    "/usr/lib/group": "wheel:x:10:core,ann\ndocker:x:6:ann\nkvm:x:7:ann\n",
}


@pytest.mark.parametrize(
    ("line", "members", "gid", "groups_of_ann"),
    [
        pytest.param(
            "group: files altfiles", {"ann"}, 5, {"wheel", "docker", "kvm"}, id="the first answers, but memberships add up"
        ),
        pytest.param("group: files [SUCCESS=merge] altfiles", {"ann", "core"}, 5, {"wheel", "docker", "kvm"}, id="merged"),
        pytest.param(
            "group: files [SUCCESS=continue] altfiles", {"core", "ann"}, 6, {"wheel", "docker", "kvm"}, id="the last answers"
        ),
        pytest.param(
            "group: extrausers [NOTFOUND=merge] files altfiles",
            {"ann"},
            5,
            {"wheel", "docker", "kvm"},
            id="nothing to merge with",
        ),
        pytest.param("group: altfiles files", {"core", "ann"}, 6, {"wheel", "docker", "kvm"}, id="the other way round"),
        pytest.param(
            "group: files altfiles\ninitgroups: files altfiles", {"ann"}, 5, {"wheel"}, id="initgroups ends at the first"
        ),
        pytest.param(
            "group: files altfiles\ninitgroups: files [SUCCESS=continue] altfiles",
            {"ann"},
            5,
            {"wheel", "docker", "kvm"},
            id="initgroups goes on",
        ),
    ],
)
def test_groups(make_context: MakeContext, line: str, members: set[str], gid: int, groups_of_ann: set[str]) -> None:
    database = AccountDatabase(make_context({**GROUPS, "/etc/nsswitch.conf": f"{line}\n"}).root)
    wheel, docker = database.group("wheel"), database.group("docker")
    assert wheel is not None and wheel.members == members
    assert docker is not None and docker.gid == gid  # groups of one name and two numbers are not merged
    assert database.groups_of("ann") == groups_of_ann
    assert database.group_name(7) == "kvm"
    assert database.local_groups_of("ann") == {"wheel"}


def test_password_and_place_of_a_user_of_the_image(make_context: MakeContext) -> None:
    conf = "passwd: files extrausers\nshadow: files extrausers\n"
    extra = {"/var/lib/extrausers/passwd": user(700), "/var/lib/extrausers/shadow": "etcd:$6$a$b:::::::\n"}
    database = AccountDatabase(make_context({"/etc/nsswitch.conf": conf, **extra}).root)
    assert database.user_password("etcd") == "$6$a$b"
    assert (database.place("passwd", "etcd"), database.is_elsewhere("passwd", "etcd")) == ("/var/lib/extrausers/passwd", True)
    assert (database.place("passwd", "no"), database.is_elsewhere("passwd", "no")) == ("", False)


@pytest.mark.parametrize("place", nsswitch.PLACES)
def test_nsswitch_that_is_a_directory_is_named(make_context: MakeContext, place: str) -> None:
    database = AccountDatabase(make_context({f"{place}/": "", "/etc/passwd": user(1)}).root)
    with pytest.raises(Failure) as caught:
        database.user("etcd")
    assert (caught.value.where, caught.value.what) == (place, "it is a directory")


@pytest.mark.root
@pytest.mark.parametrize("end", ["\n", ""], ids=["whole last line", "last line without its end"])
def test_group_of_the_image_is_added_to_a_file_that_stays_byte_for_byte(make_context: MakeContext, end: str) -> None:
    context = make_context(
        {"/etc/nsswitch.conf": "group: files altfiles\n", "/usr/lib/group": "ops:x:10:ann\n", "/etc/gshadow": "root:*::\n"}
    )
    etc = Path(context.root.path) / "etc"
    before = b"root:x:0:\ngr\xf6\xdfe:x:9:"  # Latin-1
    (etc / "group").write_bytes(before + end.encode())
    (etc / "group").chmod(0o640)
    os.chown(etc / "group", 0, 9)
    operation = AdoptAccount("ops", AccountDatabase(context.root), of_groups=True)
    assert not operation.already_there(context)
    operation.execute(context)
    assert (etc / "group").read_bytes() == before + b"\nops:x:10:ann\n"
    assert (etc / "gshadow").read_text() == "root:*::\nops:!*::\n"
    status = (etc / "group").stat()
    assert (status.st_mode & 0o7777, status.st_gid) == (0o640, 9)
    assert operation.already_there(context)


def test_user_of_the_image_in_a_root_without_its_own_files(make_context: MakeContext) -> None:
    """The shadow file is not created: nothing of the root would read it. passwd is, with its usual mode."""
    context = make_context({"/etc/nsswitch.conf": "passwd: files altfiles\n", ALT: user(993)})
    operation = AdoptAccount("etcd", AccountDatabase(context.root), of_groups=False)
    operation.execute(context)
    etc = Path(context.root.path) / "etc"
    assert (etc / "passwd").read_text() == user(993)
    assert (etc / "passwd").stat().st_mode & 0o7777 == 0o644
    assert not (etc / "shadow").exists()
    operation.execute(context)
    assert (etc / "passwd").read_text() == user(993)


def test_users_of_every_file_are_those_of_the_image_as_well(make_context: MakeContext) -> None:
    tree = {
        ETC: user(1, "core") + user(5, "both"),
        ALT: user(2),
        "/var/lib/extrausers/passwd": user(3, "extra") + user(6, "both"),
    }
    database = AccountDatabase(make_context({"/etc/nsswitch.conf": "passwd: files\n", **tree}).root)
    assert [(one.name, one.uid) for one in database.users()] == [("core", 1), ("both", 5)]
    every = {one.name: one.uid for one in database.users(of_every_file=True)}
    assert every == {"core": 1, "both": 5, "etcd": 2, "extra": 3}


WHOLE = {
    "/etc/passwd": user(1000, "ann"),
    "/etc/group": "ann:x:1000:\n",
    "/etc/shadow": "ann:*:1::::::\n",
    "/etc/gshadow": "ann:!::\n",
    "/etc/subuid": "ann:1:1\n",
    "/etc/subgid": "ann:1:1\n",
}


@pytest.mark.parametrize(
    ("changed", "is_whole", "without_subordinate_ids"),
    [
        pytest.param({}, True, True, id="all lines"),
        pytest.param({"/etc/group": ""}, False, False, id="no group"),
        pytest.param({"/etc/shadow": ""}, False, False, id="no shadow line"),
        pytest.param({"/etc/gshadow": "other:!::\n"}, False, False, id="no gshadow line"),
        pytest.param({"/etc/subuid": ""}, False, True, id="no subordinate uids"),
        pytest.param({"/etc/subgid": "bob:1:1\n"}, False, True, id="no subordinate gids"),
        pytest.param(
            {"/etc/shadow": None, "/etc/gshadow": None, "/etc/subuid": None}, True, True, id="files that the root lacks"
        ),
        pytest.param(
            {
                "/etc/group": "",
                "/usr/lib/group": "ann:x:1000:\n",
                "/etc/gshadow": "",
                "/etc/nsswitch.conf": "group: files altfiles\n",
            },
            True,
            True,
            id="group of the image",
        ),
    ],
)
def test_user_is_whole_if_every_file_knows_it(
    make_context: MakeContext, changed: dict[str, str | None], is_whole: bool, without_subordinate_ids: bool
) -> None:
    tree = {path: text for path, text in {**WHOLE, **changed}.items() if text is not None}
    database = AccountDatabase(make_context(tree).root)
    ann = database.user("ann")
    assert ann is not None
    assert database.is_whole(ann, with_subordinate_ids=True) is is_whole
    assert database.is_whole(ann, with_subordinate_ids=False) is without_subordinate_ids


def test_sources_that_are_not_files_are_foreign(make_context: MakeContext) -> None:
    tree = {"/etc/nsswitch.conf": "passwd: files compat altfiles usrfiles extrausers systemd sss ldap\n"}
    assert AccountDatabase(make_context(tree).root).foreign_sources() == ["sss", "ldap"]
    assert AccountDatabase(make_context({"/etc/nsswitch.conf": ""}).root).foreign_sources() == []


def test_merged_group_names_each_member_once(make_context: MakeContext) -> None:
    tree = {**GROUPS, "/etc/nsswitch.conf": "group: files [SUCCESS=merge] altfiles\n"}
    database = AccountDatabase(make_context(tree).root)
    assert database.line("group", "wheel") == ["wheel", "x", "10", "ann,core"]
    assert database.line("group", "docker") == ["docker", "x", "5", "bob"]
