"""A machine on which users and images have put something else than a file: nothing hangs, nothing is written for anybody else.

Users, keys and host name are applied as far as they can be.
"""

import os
import stat
from pathlib import Path

import pytest

from tests.cloudinit.conftest import A, B, Machine

pytestmark = pytest.mark.root
UID = 4711
LOGIN = f"#cloud-config\nhostname: login-1\nssh_authorized_keys: [{A}]\n"


@pytest.fixture
def shared(machine: Machine) -> Machine:
    """With a user who is not root and owns a home."""
    with (machine.root / "etc/passwd").open("a") as file:
        file.write(f"elroy:x:{UID}:{UID}::/home/elroy:/bin/sh\n")
    home = machine.root / "home/elroy"
    (home / ".ssh").mkdir(parents=True)
    for path in (home, home / ".ssh"):
        os.chown(path, UID, UID)
    (machine.root / "etc/profile.d").mkdir()
    for parent in machine.root.parents:
        if parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    return machine


def leftovers(machine: Machine) -> list[str]:
    return [str(path) for path in machine.root.rglob(".ignition-*")]


def link_of_elroy(machine: Machine, name: str, target: str) -> None:
    os.symlink(target, machine.root / f"home/elroy/{name}")
    os.lchown(machine.root / f"home/elroy/{name}", UID, UID)


@pytest.mark.parametrize("target", ["/etc/profile.d", "../../etc/profile.d", "/etc/nothing-yet"])
def test_a_file_does_not_follow_a_link_of_a_user(shared: Machine, target: str) -> None:
    link_of_elroy(shared, ".config", target)
    ran = shared.run(f"{LOGIN}write_files: [{{path: /home/elroy/.config/app.sh, owner: elroy, content: x}}]\n")
    assert ran.status == 1
    what = f"line 4: a symlink on the way belongs to uid {UID}, and leads to a file of another user"
    assert what in shared.journal
    assert os.listdir(shared.root / "etc/profile.d") == [] and not (shared.root / "etc/nothing-yet").exists()
    assert (shared.text("/etc/hostname"), shared.text("/home/core/.ssh/authorized_keys")) == ("login-1\n", f"{A}\n")
    assert leftovers(shared) == []


def test_a_file_follows_a_link_of_a_user_to_what_is_the_users(shared: Machine) -> None:
    link_of_elroy(shared, ".config", "real")
    (shared.root / "home/elroy/real").mkdir()
    os.chown(shared.root / "home/elroy/real", UID, UID)
    assert shared.run(f"{LOGIN}write_files: [{{path: /home/elroy/.config/app.sh, owner: elroy, content: x}}]\n").status == 0
    assert shared.text("/home/elroy/real/app.sh") == "x"


def make(path: Path, kind: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.unlink()
    match kind:
        case "fifo":
            os.mkfifo(path, 0o666)
        case "device":
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero
        case "link to a device":
            path.symlink_to("../dev/zero" if path.parent.name == "etc" else "/dev/zero")
        case "hole":
            with path.open("wb") as file:
                file.truncate(4 << 30)
        case "directory":
            path.mkdir()


@pytest.mark.parametrize("kind", ["fifo", "device", "link to a device", "hole", "directory"])
@pytest.mark.parametrize("name", ["authorized_keys", ".ignition-0-0"])
def test_key_file_that_is_something_else(shared: Machine, kind: str, name: str) -> None:
    (shared.root / "dev").mkdir()
    make(shared.root / "dev/zero", "device")
    keys = shared.root / "home/elroy/.ssh"
    make(keys / name.replace("-0-0", f"-{os.getpid()}-0"), kind)
    for path in keys.iterdir():
        os.chown(path, UID, UID, follow_symlinks=False)
    ran = shared.run(
        f"{LOGIN}users:\n- {{name: elroy, ssh_authorized_keys: [{B}]}}\n- {{name: other, ssh_authorized_keys: [{B}]}}\n"
    )
    assert ran.status == (1 if name == "authorized_keys" else 0), ran.err
    assert (shared.text("/etc/hostname"), shared.text("/home/core/.ssh/authorized_keys")) == ("login-1\n", f"{A}\n")
    assert shared.text("/home/other/.ssh/authorized_keys") == f"{B}\n"
    if name != "authorized_keys":
        assert (keys / "authorized_keys").read_text() == f"{B}\n"


SYSTEM = ["etc/hostname", "etc/environment", "etc/machine-info", "etc/coreos/update.conf", "usr/share/coreos/update.conf"]


@pytest.mark.parametrize("kind", ["fifo", "device", "hole", "directory"])
@pytest.mark.parametrize("path", SYSTEM)
def test_system_file_that_is_something_else(machine: Machine, path: str, kind: str) -> None:
    make(machine.root / path, kind)
    ran = machine.run(f"{LOGIN}write_files: [{{path: /etc/f, content: x}}]\ncoreos: {{update: {{group: beta}}}}\n")
    assert "Traceback" not in ran.err and "hostnamectl set-hostname -- login-1" in ran.calls
    assert machine.text("/home/core/.ssh/authorized_keys") == f"{A}\n"
    assert (machine.root / "etc/f").exists() is (ran.status == 0)
    assert ran.status == (0 if path == "etc/hostname" else 1), ran.err


@pytest.mark.parametrize("kind", ["fifo", "device", "directory"])
def test_user_data_that_is_something_else(machine: Machine, kind: str) -> None:
    make(machine.root / "user-data", kind)
    ran = machine.run_with(f"--from-file={machine.root}/user-data")
    assert ran.status == 1 and "user-data: not a regular file (fix: name a file)" in ran.err


def test_user_data_through_a_pipe_of_the_caller(machine: Machine) -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w") as file:
        file.write(LOGIN)
    assert machine.run_with(f"--from-file=/dev/fd/{read_end}").status == 0
    os.close(read_end)
    assert machine.text("/etc/hostname") == "login-1\n"
