"""Living systems with a hostile user, image or source of user data, and what runs on them as root. Each row is one machine."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.machine import ATTRIBUTES, CORE, SECRET_FILE, Machine
from tests.hostile.sandbox import Sandbox
from tests.platforms.samples import KEY

pytestmark = pytest.mark.root


LINKS = ("relative", "absolute", "chain", "magic")
OF_A_USER_FOR_A_FILE = (*LINKS, "link-to-zero", "loop", "dangling", "fifo", "socket", "directory", "hole", "binary", "hard-link")
OF_A_USER_FOR_A_DIRECTORY = (*LINKS, "loop", "dangling", "fifo", "file", "traps", "odd-names")
BY_A_USER: dict[str, tuple[str, ...]] = {
    "/home/core/.ssh": OF_A_USER_FOR_A_DIRECTORY,
    "/home/core/.ssh/authorized_keys": OF_A_USER_FOR_A_FILE,
    "/home/core/.ssh/authorized_keys.d": OF_A_USER_FOR_A_DIRECTORY,
    "/home/core/.ssh/authorized_keys.d/afterburn": OF_A_USER_FOR_A_FILE,
    "/home/core/.ssh/.ignition-1-0": ("relative", "fifo", "directory", "hard-link"),
    "/home/core/.ssh/authorized_keys.d/.ignition-1-0": ("relative", "fifo", "directory"),
    "/home/core/.config": OF_A_USER_FOR_A_DIRECTORY,
    "/home/core/.config/app.sh": OF_A_USER_FOR_A_FILE,
    "/home/core/.config/.ignition-1-0": ("relative", "fifo", "directory", "hard-link"),
    "/home/core/same": OF_A_USER_FOR_A_FILE,
    "/home/core/.ignition-1-0": ("relative", "fifo", "directory", "hard-link"),
    "/home/core/sub": OF_A_USER_FOR_A_DIRECTORY,
    "/home/core/sub/dir": OF_A_USER_FOR_A_DIRECTORY,
    "/home/core/sub/dir/file": ("relative", "fifo", "link-to-zero", "hole"),
    "/var/tmp/work": (*LINKS, "loop", "dangling", "fifo", "file"),
    "/var/tmp/work/file": ("relative", "magic", "dangling", "fifo", "hard-link"),
}
STUCK = ("fifo", "zero", "loop", "directory", "hole", "binary", "socket")
BY_AN_IMAGE: dict[str, tuple[str, ...]] = {
    "/etc/passwd": STUCK,
    "/etc/group": STUCK,
    "/etc/login.defs": STUCK,
    "/etc/hostname": ("fifo", "zero", "directory", "hole"),
    "/etc/environment": STUCK,
    "/etc/coreos": ("fifo", "file", "loop"),
    "/etc/coreos/update.conf": STUCK,
    "/etc/ssh": ("fifo", "file"),
    "/etc/ssh/sshd_config": STUCK,
    "/etc/ssh/sshd_config.d": ("fifo", "file", "traps", "odd-names", "deep"),
    "/etc/systemd/system/new.service": ("fifo", "zero", "directory", "hole"),
    "/etc/systemd/system/gone.service": ("fifo", "zero", "directory"),
    "/etc/systemd/system/old.service.d": ("fifo", "file", "loop"),
    "/run/systemd": ("fifo", "file"),
    "/run/coreos-cloudinit": ("fifo", "file", "loop"),
    "/run/coreos-cloudinit/operations.jsonl": ("fifo", "directory", "socket"),
    "/run/metadata": ("fifo", "file", "loop"),
    "/run/metadata/coreos": ("fifo", "zero", "directory"),
}
SOURCES = {
    "/var/lib/user-data": "-from-file=/var/lib/user-data",
    "/media/drive/openstack/latest/user_data": "-from-configdrive=/media/drive",
    "/media/drive/openstack/latest/meta_data.json": "-from-configdrive=/media/drive",
    "/var/lib/waagent/CustomData": "-from-waagent=/var/lib/waagent",
    "/var/lib/waagent/SharedConfig.xml": "-from-waagent=/var/lib/waagent",
    "/media/ovf/ovf-env.xml": "-from-vmware-ovf-env=/media/ovf/ovf-env.xml",
}
USER_ROWS = [(path, kind) for path, kinds in BY_A_USER.items() for kind in kinds]
IMAGE_ROWS = [(path, kind) for path, kinds in BY_AN_IMAGE.items() for kind in kinds]
SOURCE_ROWS = [(path, kind) for path in SOURCES for kind in (*LINKS, *STUCK)]


@pytest.fixture
def machine(tmp_path: Path, sandbox: Sandbox) -> Iterator[Machine]:
    """A machine without anything hostile."""
    made = Machine(tmp_path, sandbox)
    yield made
    made.clear()


def test_machine_without_anything_hostile(machine: Machine) -> None:
    runs = machine.boot()
    assert [(run.status, run.output) for run in runs if run.status] == []
    assert machine.verdict(*runs) == []
    found = (machine.root / "home/core/.config/app.sh").stat()
    assert (found.st_mode & 0o777, found.st_uid) == (0o755, CORE)
    found = (machine.root / "home/core/same").stat()
    assert (found.st_mode & 0o777, found.st_uid) == (0o600, 0)
    assert (machine.root / "home/core/.ssh/authorized_keys.d/afterburn").read_text() == f"{KEY}\n"


@pytest.mark.parametrize(("path", "kind"), USER_ROWS, ids=[f"{kind}-at-{path[1:]}" for path, kind in USER_ROWS])
def test_user_gets_nothing_that_is_not_his(machine: Machine, path: str, kind: str) -> None:
    machine.plant_of_user(path, kind)
    assert machine.verdict(*machine.boot()) == []


@pytest.mark.parametrize(("path", "kind"), IMAGE_ROWS, ids=[f"{kind}-at-{path[1:]}" for path, kind in IMAGE_ROWS])
def test_nothing_hangs_on_a_living_system(machine: Machine, path: str, kind: str) -> None:
    """Without --ssh-keys: it asks the C library for the user, which reads whatever /etc/passwd is; so would every login."""
    machine.plant(path, kind)
    assert machine.verdict(*machine.boot(ATTRIBUTES)) == []


@pytest.mark.parametrize(("path", "kind"), SOURCE_ROWS, ids=[f"{kind}-at-{path[1:]}" for path, kind in SOURCE_ROWS])
def test_source_of_user_data_is_a_file_of_bounded_size(machine: Machine, path: str, kind: str) -> None:
    machine.put("/var/lib/waagent/provisioned", "")
    machine.put("/media/drive/openstack/latest/other", "")
    machine.plant(path, kind, twin=SECRET_FILE)
    assert machine.verdict(machine.live("coreos-cloudinit", SOURCES[path])) == []


@pytest.mark.parametrize(
    ("owner", "target"),
    [(CORE, "/home/core/dotfiles"), (0, "/etc/apps"), (0, "/home/core/dotfiles")],
    ids=["own", "root", "mixed"],
)
def test_links_that_nobody_hostile_made_are_followed(machine: Machine, owner: int, target: str) -> None:
    """Root's links lead anywhere, a user's to what is his: dotfiles are often kept so."""
    (machine.root / "home/core/.config").rmdir()
    (machine.root / "home/core/.config").symlink_to(target)
    os.chown(machine.root / "home/core/.config", owner, owner, follow_symlinks=False)
    directory = machine.root / target[1:]
    directory.mkdir()
    if target.startswith("/home"):
        machine.give(directory)
    runs = machine.boot()
    assert machine.verdict(*runs) == []
    assert (directory / "app.sh").read_text() == "app"
