"""SSH keys: what a key is, and the fragment in the user's home."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from coreos_metadata import ssh_keys
from ignition.errors import Failure

BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAIKikukUoIgBsoKwjac1Cs5k+xlQKUlsYq6sVS744rHJl"
KEY = f"ssh-ed25519 {BLOB} core@example"


def test_lines_that_cannot_be_used_leave_what_was_there() -> None:
    with pytest.raises(Failure, match="^none of the platform's SSH keys is valid"):
        ssh_keys.write("root", ["ssh-new AAAA", "rubbish"])


def test_unknown_user_is_refused() -> None:
    with pytest.raises(Failure, match="^user 'no such user' does not exist"):
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
    ssh_keys.write(user.pw_name, ["# comment", KEY, "ssh-new AAAA rubbish", f"  {KEY}\r", f"{KEY}\0", f"ssh-rsa {BLOB}"])
    assert fragment.read_text() == f"{KEY}\n{KEY}\n"
    assert (fragment.stat().st_uid, fragment.stat().st_gid) == (user.pw_uid, user.pw_gid)
    assert fragment.stat().st_mode & 0o777 == 0o600
    assert fragment.parent.stat().st_uid == user.pw_uid
    assert os.geteuid() == 0
    ssh_keys.write(user.pw_name, [])
    assert not fragment.exists()
    ssh_keys.write(user.pw_name, [])


@pytest.mark.root
def test_journal_entries_have_the_fields_of_the_original(user: pwd.struct_passwd, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/reference/platforms.md §4.5."""
    sent: list[dict[str, object]] = []
    monkeypatch.setattr("ignition.host.log.send", lambda priority, message, **fields: sent.append(fields))
    ssh_keys.write(user.pw_name, [KEY])
    ssh_keys.write(user.pw_name, [])
    path = f"{user.pw_dir}/.ssh/authorized_keys.d/afterburn"
    assert [fields for fields in sent if "MESSAGE_ID" in fields] == [
        {"MESSAGE_ID": message, "AFTERBURN_USER_NAME": user.pw_name, "AFTERBURN_PATH": path}
        for message in ("0f7d7a502f2d433caa1323440a6b4190", "f8b91c53f5544868a3a10d0dcf68e9ea")
    ]


@pytest.fixture
def sshd_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that says where sshd looks."""
    path = tmp_path / "sshd_config"
    monkeypatch.setattr("ignition.host.sshd_config.CONFIGS", (str(path),))
    return path


OTHER = "ssh-rsa AAAA of a person"


@pytest.mark.root
@pytest.mark.parametrize(
    "config", ["", "AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys.d/*\n"], ids=["default", "*"]
)
def test_keys_are_also_where_sshd_reads_them(user: pwd.struct_passwd, sshd_config: Path, config: str) -> None:
    sshd_config.write_text(config)
    read = Path(user.pw_dir) / ".ssh" / "authorized_keys"
    ssh_keys.write(user.pw_name, [KEY])
    assert read.read_text() == f"{KEY}\n"
    assert (read.stat().st_uid, read.stat().st_mode & 0o777) == (user.pw_uid, 0o600)
    with read.open("a") as file:
        file.write(OTHER)
    ssh_keys.write(user.pw_name, [f"{KEY}2", KEY])
    assert read.read_text() == f"{KEY}\n{OTHER}\n{KEY}2\n"
    ssh_keys.write(user.pw_name, [KEY])
    assert read.read_text() == f"{KEY}\n{OTHER}\n"
    ssh_keys.write(user.pw_name, [])
    assert read.read_text() == f"{OTHER}\n"


@pytest.mark.root
@pytest.mark.parametrize(
    "config",
    [
        pytest.param("AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys.d/afterburn", id="file"),
        pytest.param("AuthorizedKeysCommand /usr/libexec/ssh-key-dir %u", id="program"),
    ],
)
def test_keys_are_only_in_the_fragment_where_sshd_reads_it(user: pwd.struct_passwd, sshd_config: Path, config: str) -> None:
    sshd_config.write_text(config)
    ssh_keys.write(user.pw_name, [KEY])
    assert os.listdir(f"{user.pw_dir}/.ssh") == ["authorized_keys.d"]


@pytest.mark.root
def test_fifo_as_key_file_hangs_nothing(user: pwd.struct_passwd, sshd_config: Path) -> None:
    sshd_config.write_text("")
    ssh_keys.write(user.pw_name, [KEY])
    read = f"{user.pw_dir}/.ssh/authorized_keys"
    os.unlink(read)
    os.mkfifo(read)
    with pytest.raises(Failure, match="not a regular file"):
        ssh_keys.write(user.pw_name, [KEY])


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
