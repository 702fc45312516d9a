"""SSH keys: what a key is, and the fragment in the user's home."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from coreos_metadata.outputs import ssh_keys
from ignition.errors import Failure

BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAIKikukUoIgBsoKwjac1Cs5k+xlQKUlsYq6sVS744rHJl"
KEY = f"ssh-ed25519 {BLOB} core@example"


@pytest.mark.parametrize(
    ("line", "accepted"),
    [
        pytest.param(KEY, True, id="plain"),
        pytest.param(f"ssh-ed25519 {BLOB}", True, id="no comment"),
        pytest.param(f'command="echo \\"a b\\"",no-pty {KEY}', True, id="options with blanks"),
        pytest.param(f"ssh-ed25519  {BLOB}\ta b c", True, id="other white space"),
        pytest.param(f"ssh-rsa {BLOB} x", False, id="other type in the blob"),
        pytest.param(f"ssh-ed25520 {BLOB} x", False, id="unknown type"),
        pytest.param("ssh-ed25519", False, id="no blob"),
        pytest.param("ssh-ed25519 AAAA!", False, id="no base64"),
        pytest.param(f"ssh-ed25519 {BLOB[:20]}", False, id="shortened"),
        pytest.param("", False, id="empty"),
    ],
)
def test_line_is_a_key(line: str, accepted: bool) -> None:
    assert ssh_keys.is_key(line) is accepted


def test_comments_and_empty_lines_are_skipped() -> None:
    assert list(ssh_keys.checked(["# comment", "", f"  {KEY}\r", "   "])) == [KEY]


def test_line_that_is_no_key_is_refused_by_number() -> None:
    with pytest.raises(Failure, match="^line 2 of the platform's SSH keys is no key"):
        list(ssh_keys.checked([KEY, "secret nonsense"]))


def test_unknown_user_is_refused() -> None:
    with pytest.raises(Failure, match="^there is no user 'no such user'"):
        ssh_keys.write("no such user", [KEY])


@pytest.fixture
def user(tmp_path: Path) -> Iterator[pwd.struct_passwd]:
    name = f"test{os.getpid()}"
    os.chmod(tmp_path, 0o755)
    for parent in list(tmp_path.parents)[:3]:
        os.chmod(parent, os.stat(parent).st_mode | 0o055)
    subprocess.run(["useradd", "--home-dir", str(tmp_path / "home"), "--create-home", name], check=True)
    yield pwd.getpwnam(name)
    subprocess.run(["userdel", name], check=True)


@pytest.mark.root
def test_keys_are_written_as_the_user_and_removed(user: pwd.struct_passwd) -> None:
    fragment = Path(user.pw_dir) / ".ssh" / "authorized_keys.d" / "afterburn"
    ssh_keys.write(user.pw_name, [KEY, KEY])
    assert fragment.read_text() == f"{KEY}\n{KEY}\n"
    assert (fragment.stat().st_uid, fragment.stat().st_gid) == (user.pw_uid, user.pw_gid)
    assert fragment.stat().st_mode & 0o777 == 0o600
    assert fragment.parent.stat().st_uid == user.pw_uid
    assert os.geteuid() == 0
    ssh_keys.write(user.pw_name, [])
    assert not fragment.exists()
    ssh_keys.write(user.pw_name, [])


@pytest.mark.root
def test_link_out_of_the_home_gives_no_power(user: pwd.struct_passwd, tmp_path: Path) -> None:
    """The user owns .ssh and may have made it a link into a place where only root can write."""
    target = tmp_path / "roots"
    target.mkdir(mode=0o755)
    os.symlink(target, f"{user.pw_dir}/.ssh")
    with pytest.raises(PermissionError):
        ssh_keys.write(user.pw_name, [KEY])
    assert list(target.iterdir()) == []
    assert os.geteuid() == 0
