"""SSH keys: where sshd looks for them, whose they are, and that a hostile home leads nowhere."""

import os
import stat
from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.host.root import Root
from ignition.operation import Context
from ignition.sysroot.account_database import AccountDatabase
from ignition.sysroot.ssh_keys import VARIABLE, AddKeys, KeyPlaces, WriteKeys

from .conftest import MakeContext

ROOT = {"/etc/passwd": "root:x:0:0::/root:/bin/sh\ncore:x:500:501::/home/core:/bin/sh\n"}
KEYS = ("ssh-ed25519 AAAA one", "ssh-rsa BBBB two")
CONTENT = "ssh-ed25519 AAAA one\nssh-rsa BBBB two\n"
PLACE = "$.passwd.users.0"


def keys(context: Context, name: str = "core", *, fragment: bool | None = False) -> WriteKeys:
    accounts = AccountDatabase(context.root)
    return WriteKeys(PLACE, name, KEYS, accounts, places=KeyPlaces(context.root, accounts, fragment=fragment))


def home(context: Context, path: str = "/home/core") -> Path:
    """Make the home, owned by the user; the directories above may be entered by anybody, as on a machine."""
    place = Path(context.root.path + path)
    place.mkdir(parents=True, exist_ok=True)
    os.chown(place, 500, 501)
    return place


@pytest.mark.root
@pytest.mark.parametrize(
    ("fragment", "file", "directories"),
    [
        pytest.param(False, ".ssh/authorized_keys", [".ssh"], id="plain file"),
        pytest.param(True, ".ssh/authorized_keys.d/ignition", [".ssh", ".ssh/authorized_keys.d"], id="fragment"),
    ],
)
def test_keys_and_their_directories_are_the_users(
    make_context: MakeContext, capsys: pytest.CaptureFixture[str], fragment: bool, file: str, directories: list[str]
) -> None:
    context = make_context(ROOT)
    place = home(context)
    operation = keys(context, fragment=fragment)
    assert not operation.already_there(context)
    operation.execute(context)
    assert operation.already_there(context)
    assert (place / file).read_text() == CONTENT
    for name, mode in [(file, 0o600), *((directory, 0o700) for directory in directories)]:
        found = (place / name).stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (500, 501, mode)
    assert os.geteuid() == 0
    assert "wrote ssh authorized keys file for user: core" in capsys.readouterr().out


@pytest.mark.root
def test_existing_keys_are_replaced_and_existing_directories_kept(make_context: MakeContext) -> None:
    context = make_context({**ROOT, "/home/core/.ssh/authorized_keys": "old key that is longer than the new ones " * 9})
    place = home(context)
    for path in (place / ".ssh", place / ".ssh/authorized_keys"):
        os.chown(path, 500, 501)
    os.chmod(place / ".ssh", 0o750)
    keys(context).execute(context)
    assert (place / ".ssh/authorized_keys").read_text() == CONTENT
    assert stat.S_IMODE((place / ".ssh").stat().st_mode) == 0o750


@pytest.mark.root
def test_symlinked_home_is_followed_inside_the_root(make_context: MakeContext, tmp_path: Path) -> None:
    (tmp_path / "var/home/core").mkdir(parents=True)
    context = make_context({**ROOT, "/home": f"-> {tmp_path}/var/home"})
    home(context, f"{tmp_path}/var/home/core")
    keys(context).execute(context)
    assert os.listdir(tmp_path / "var/home/core") == []
    assert Path(f"{context.root.path}{tmp_path}/var/home/core/.ssh/authorized_keys").read_text() == CONTENT


@pytest.mark.root
@pytest.mark.parametrize(
    ("link", "target"),
    [
        pytest.param("/home/core/.ssh", "/etc/secrets", id="directory of root"),
        pytest.param("/home/core/.ssh", "/etc/secrets/new", id="new directory below one of root"),
    ],
)
def test_link_in_a_home_does_not_reach_what_its_user_may_not_write(make_context: MakeContext, link: str, target: str) -> None:
    context = make_context({**ROOT, "/etc/secrets/": ""})
    place = home(context)
    Path(context.root.path + link).symlink_to(target)
    with pytest.raises(Failure) as caught:
        keys(context).execute(context)
    assert caught.value.where == f"{PLACE}.sshAuthorizedKeys"
    assert caught.value.what == f"user core may not write {target}/authorized_keys"
    assert os.listdir(context.root.path + "/etc/secrets") == []
    assert os.geteuid() == 0 and place.exists()


@pytest.mark.root
def test_key_file_that_is_a_link_to_a_file_of_root_is_not_written_through(make_context: MakeContext) -> None:
    context = make_context({**ROOT, "/etc/shadow": "kept", "/home/core/.ssh/": ""})
    place = home(context)
    os.chown(place / ".ssh", 500, 501)
    (place / ".ssh/authorized_keys").symlink_to("/etc/shadow")
    with pytest.raises(Failure, match="may not write /etc/shadow"):
        keys(context).execute(context)
    assert Path(context.root.path + "/etc/shadow").read_text() == "kept"


@pytest.mark.root
def test_missing_home_is_made_where_the_user_may_and_explained_where_not(make_context: MakeContext) -> None:
    context = make_context({**ROOT, "/home/": ""})
    keys(context, "root").execute(context)
    assert Path(context.root.path + "/root/.ssh/authorized_keys").read_text() == CONTENT
    with pytest.raises(Failure) as caught:
        keys(context).execute(context)
    assert caught.value.where == f"{PLACE}.sshAuthorizedKeys"
    assert caught.value.what == "user core may not write /home/core/.ssh/authorized_keys: its home /home/core does not exist"
    assert "noCreateHome" in caught.value.fix


def test_unknown_user_is_a_failure(make_context: MakeContext) -> None:
    context = make_context(ROOT)
    with pytest.raises(Failure) as caught:
        keys(context, "ann").execute(context)
    assert (caught.value.where, caught.value.what) == (PLACE, "the new root has no user 'ann'")


SSHD = "/etc/ssh/sshd_config"


@pytest.mark.parametrize(
    ("tree", "value", "fragment"),
    [
        pytest.param({}, "", False, id="no sshd"),
        pytest.param({SSHD: "UsePAM yes\n"}, "", False, id="Debian's sshd reads no fragments"),
        pytest.param(
            {SSHD: "AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys.d/ignition\n"},
            "",
            True,
            id="fragments",
        ),
        pytest.param({SSHD: " # AuthorizedKeysFile .ssh/authorized_keys.d/*\n"}, "", False, id="comment"),
        pytest.param(
            {
                SSHD: "Include /etc/ssh/sshd_config.d/*.conf\n",
                SSHD + ".d/40-x.conf": "AuthorizedKeysCommand /usr/libexec/ssh-key-dir %u\n",
            },
            "",
            True,
            id="Fedora CoreOS",
        ),
        pytest.param({}, "true", True, id="true"),
        pytest.param({}, "1", True, id="1"),
        pytest.param({SSHD: "AuthorizedKeysFile .ssh/authorized_keys.d/ignition\n"}, "false", False, id="false"),
        pytest.param({SSHD: "AuthorizedKeysFile .ssh/authorized_keys.d/ignition\n"}, "0", False, id="0"),
    ],
)
def test_variable_decides_and_else_the_sshd_of_the_root(
    make_context: MakeContext, tree: dict[str, str], value: str, fragment: bool
) -> None:
    context = make_context({**ROOT, **tree})
    accounts = AccountDatabase(context.root)
    core = accounts.user("core")
    assert core is not None
    file = ".ssh/authorized_keys.d/ignition" if fragment else ".ssh/authorized_keys"
    assert KeyPlaces.from_environment(context.root, accounts, {VARIABLE: value}).place(core).path == f"/home/core/{file}"
    operation = WriteKeys(
        PLACE, "core", KEYS, accounts, places=KeyPlaces.from_environment(context.root, accounts, {VARIABLE: value})
    )
    assert operation.describe() == "write the SSH keys of user core"


def test_other_value_of_the_variable_is_a_failure() -> None:
    root = Root("/nowhere")
    with pytest.raises(Failure) as caught:
        KeyPlaces.from_environment(root, AccountDatabase(root), {VARIABLE: "yes"})
    assert caught.value.what == "IGNITION_WRITE_AUTHORIZED_KEYS_FRAGMENT is 'yes'"
    assert caught.value.fix == 'use "true" or "false"'


def test_groups_of_the_user_decide_too(make_context: MakeContext) -> None:
    """The primary group counts, and the place is asked for when the user is there, which a plan cannot know."""
    config = "Match Group ssh\nAuthorizedKeysFile .ssh/authorized_keys.d/ignition\n"
    passwd = {"/etc/passwd": "ann:x:1:70::/home/ann:/bin/sh\nbob:x:2:7::/home/bob:/bin/sh\ncid:x:3:7::/home/cid:/bin/sh\n"}
    context = make_context({**passwd, "/etc/group": "ssh:x:70:bob\nall:x:7:\n", SSHD: config})
    accounts = AccountDatabase(context.root)
    places = KeyPlaces(context.root, accounts)
    found = {account.name: places.place(account).path.partition("/.ssh/")[2] for account in accounts.users()}
    assert found == {"ann": "authorized_keys.d/ignition", "bob": "authorized_keys.d/ignition", "cid": "authorized_keys"}


@pytest.mark.root
def test_keys_go_to_the_systems_directory_where_sshd_reads_no_other(make_context: MakeContext) -> None:
    context = make_context({**ROOT, SSHD: "AuthorizedKeysFile /etc/ssh/keys/%u\n"})
    home(context)
    operation = keys(context, fragment=None)
    assert operation.describe() == "write the SSH keys of user core"
    assert not operation.already_there(context)
    operation.execute(context)
    assert operation.already_there(context)
    found = Path(context.root.path + "/etc/ssh/keys/core")
    assert found.read_text() == CONTENT
    status = found.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, 0, 0o644)
    assert not Path(context.root.path + "/home/core/.ssh").exists()
    accounts = AccountDatabase(context.root)
    more = AddKeys(PLACE, "core", ("k3",), accounts, places=KeyPlaces(context.root, accounts), name="mine")
    assert more.describe() == "add SSH keys for user core"
    more.execute(context)
    assert found.read_text() == f"{CONTENT}k3\n"
    assert more.already_there(context)


@pytest.mark.root
def test_keys_that_nobody_reads_are_written_and_warned_about(
    make_context: MakeContext, capsys: pytest.CaptureFixture[str]
) -> None:
    context = make_context({**ROOT, SSHD: "AuthorizedKeysFile none\n"})
    place = home(context)
    keys(context, fragment=None).execute(context)
    assert (place / ".ssh/authorized_keys").read_text() == CONTENT
    assert "sshd of this machine does not read /home/core/.ssh/authorized_keys" in capsys.readouterr().out


@pytest.mark.root
@pytest.mark.parametrize(
    ("present", "content"),
    [
        pytest.param(None, "k1\nk2\n", id="no file"),
        pytest.param(b"", "k1\nk2\n", id="empty"),
        pytest.param(b"old\n", "old\nk1\nk2\n", id="other keys"),
        pytest.param(b"old", "old\nk1\nk2\n", id="last line without its end"),
        pytest.param(b"k2\nold\n", "k2\nold\nk1\n", id="one is there"),
        pytest.param(b"k1\nk2", "k1\nk2", id="all are there"),
        pytest.param(b"\xff\n", "\udcff\nk1\nk2\n", id="broken text"),
    ],
)
def test_keys_are_added_to_those_of_the_user(make_context: MakeContext, present: bytes | None, content: str) -> None:
    context = make_context(ROOT)
    place = home(context) / ".ssh"
    place.mkdir()
    os.chown(place, 500, 501)
    if present is not None:
        (place / "authorized_keys").write_bytes(present)
        os.chown(place / "authorized_keys", 500, 501)
        os.chmod(place / "authorized_keys", 0o600)
    accounts = AccountDatabase(context.root)
    more = AddKeys(PLACE, "core", ("k1", "k2"), accounts, places=KeyPlaces(context.root, accounts, fragment=False), name="mine")
    assert more.already_there(context) == (present == b"k1\nk2")
    if not more.already_there(context):
        more.execute(context)
    assert (place / "authorized_keys").read_bytes() == content.encode("utf-8", "surrogateescape")
    assert more.already_there(context)


@pytest.mark.root
def test_fragment_under_another_name_has_these_keys_alone(make_context: MakeContext) -> None:
    context = make_context(ROOT)
    place = home(context)
    accounts = AccountDatabase(context.root)
    more = AddKeys(PLACE, "core", ("k1",), accounts, places=KeyPlaces(context.root, accounts, fragment=True), name="mine")
    assert not more.already_there(context)
    more.execute(context)
    assert (place / ".ssh/authorized_keys.d/mine").read_text() == "k1\n"
    assert more.already_there(context)


@pytest.mark.root
@pytest.mark.parametrize("wrong", ["mode", "owner", "group", "content", "shorter", "longer"])
def test_key_file_that_differs_is_written_again(make_context: MakeContext, wrong: str) -> None:
    context = make_context(ROOT)
    file = home(context) / ".ssh/authorized_keys"
    operation = keys(context)
    operation.execute(context)
    assert operation.already_there(context)
    if wrong == "mode":
        file.chmod(0o640)
    elif wrong in ("owner", "group"):
        os.chown(file, 502 if wrong == "owner" else 500, 502 if wrong == "group" else 501)
    else:
        file.write_text({"content": CONTENT.replace("one", "two"), "shorter": CONTENT[:-1], "longer": CONTENT + "\n"}[wrong])
    assert not operation.already_there(context)


def test_home_of_another_user_is_where_a_tilde_leads(make_context: MakeContext) -> None:
    tree = {**ROOT, SSHD: "AuthorizedKeysFile ~root/keys/%u ~/k\n"}
    context = make_context(tree)
    accounts = AccountDatabase(context.root)
    places = KeyPlaces(context.root, accounts)
    assert (places.home_of("root"), places.home_of("core"), places.home_of("none")) == ("/root", "/home/core", None)


@pytest.mark.root
def test_keys_behind_a_link_of_the_user_are_there(make_context: MakeContext) -> None:
    context = make_context(ROOT)
    place = home(context)
    operation = keys(context)
    operation.execute(context)
    (place / ".ssh/authorized_keys").rename(place / "elsewhere")
    (place / ".ssh/authorized_keys").symlink_to("../elsewhere")
    assert operation.already_there(context)
