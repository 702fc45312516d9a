"""SSH keys: where sshd looks for them, whose they are, and that a hostile home leads nowhere."""

import os
import stat
from pathlib import Path

import pytest

from ignition.errors import Failure
from ignition.host.root import Root
from ignition.operation import Context
from ignition.system.account_database import AccountDatabase
from ignition.system.ssh_keys import VARIABLE, WriteKeys, wants_fragment

from .conftest import MakeContext

ROOT = {"/etc/passwd": "root:x:0:0::/root:/bin/sh\ncore:x:500:501::/home/core:/bin/sh\n"}
KEYS = ("ssh-ed25519 AAAA one", "ssh-rsa BBBB two")
CONTENT = "ssh-ed25519 AAAA one\nssh-rsa BBBB two\n"
PLACE = "$.passwd.users.0"


def keys(context: Context, name: str = "core", *, fragment: bool = False) -> WriteKeys:
    return WriteKeys(PLACE, name, KEYS, AccountDatabase(context.root), fragment=fragment)


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
            {SSHD: "", SSHD + ".d/40-x.conf": "AuthorizedKeysCommand /usr/libexec/ssh-key-dir %u\n"}, "", True, id="Fedora CoreOS"
        ),
        pytest.param({}, "true", True, id="true"),
        pytest.param({}, "1", True, id="1"),
        pytest.param({SSHD: "AuthorizedKeysFile .ssh/authorized_keys.d/x\n"}, "false", False, id="false"),
        pytest.param({SSHD: "AuthorizedKeysFile .ssh/authorized_keys.d/x\n"}, "0", False, id="0"),
    ],
)
def test_variable_decides_and_else_the_sshd_of_the_root(
    make_context: MakeContext, tree: dict[str, str], value: str, fragment: bool
) -> None:
    assert wants_fragment(make_context(tree).root, {VARIABLE: value}) == fragment


def test_other_value_of_the_variable_is_a_failure() -> None:
    with pytest.raises(Failure) as caught:
        wants_fragment(Root("/nowhere"), {VARIABLE: "yes"})
    assert caught.value.what == "IGNITION_WRITE_AUTHORIZED_KEYS_FRAGMENT is 'yes'"
    assert caught.value.fix == 'use "true" or "false"'
