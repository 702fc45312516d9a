"""The mount and umount stages, with real mounts of tmpfs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ignition.config.model import Config, Storage
from ignition.config.model.extensions import FilesystemExtension, Subvolume
from ignition.config.model.storage import Filesystem
from ignition.errors import CommandFailed, Failure
from ignition.host.root import Root
from ignition.operation import Context, Runner
from ignition.stages import mount, umount
from ignition.stages import state as states
from ignition.stages.arguments import Arguments
from ignition.storage.mounting import MountFacts, mount_at

from .conftest import Boot

NESTED = tuple(Filesystem(device=f"/test-{n}", path=path, format="tmpfs") for n, path in enumerate(("/a/b/c", "/a", "/x")))

NODES = {entry.device: entry.device for entry in NESTED}


@pytest.fixture
def arguments(boot: Boot, tmp_path: Path) -> Iterator[Arguments]:
    (tmp_path / "root").mkdir()
    with Runner("mount", str(tmp_path / "operations.jsonl")) as runner:
        made = boot.arguments("mount", runner)
        made.config = Config(storage=Storage(filesystems=NESTED))
        made.context = Context(Root(str(tmp_path / "root")), None)  # type: ignore[arg-type]
        Path(made.config_cache).write_text("{}")
        yield made


def mounted(tmp_path: Path) -> list[str]:
    return [path for path in ("/a", "/a/b/c", "/x") if mount_at(f"{tmp_path}/root{path}")]


def test_order_of_mounts_and_of_unmounts() -> None:
    config = Config(storage=Storage(filesystems=NESTED))
    assert [operation.describe() for operation in mount.plan(config, MountFacts({}, NODES), [])] == [
        "mount /test-1 on /a ($.storage.filesystems.1)",
        "mount /test-2 on /x ($.storage.filesystems.2)",
        "mount /test-0 on /a/b/c ($.storage.filesystems.0)",
    ]
    assert [operation.path for operation in umount.plan(config)] == ["/a/b/c", "/x", "/a"]


@pytest.mark.root
def test_what_is_mounted_is_noted_and_unmounted_again(arguments: Arguments, tmp_path: Path) -> None:
    mount.run(arguments)
    assert mounted(tmp_path) == ["/a", "/a/b/c", "/x"]
    assert states.load(arguments.state_file).notated_directories == ["/a", "/x", "/a/b", "/a/b/c"]
    mount.run(arguments)  # a second run mounts nothing over it
    umount.run(arguments)
    assert mounted(tmp_path) == []
    umount.run(arguments)


@pytest.mark.root
def test_mount_that_fails_still_notes_what_was_made(arguments: Arguments, tmp_path: Path) -> None:
    arguments.config = Config(storage=Storage(filesystems=(*NESTED, Filesystem(device="/nope", path="/a/b/c/d", format="ext4"))))
    with pytest.raises(CommandFailed) as caught:
        mount.run(arguments)
    assert caught.value.where == "$.storage.filesystems.3"
    assert "/a/b/c/d" in states.load(arguments.state_file).notated_directories
    umount.run(arguments)
    assert mounted(tmp_path) == []


def test_symlink_on_the_way_is_refused(arguments: Arguments, tmp_path: Path) -> None:
    (tmp_path / "root/a").symlink_to("/tmp")
    with pytest.raises(Failure) as caught:
        mount.run(arguments)
    assert caught.value.what == f"cannot mount on /a: {tmp_path}/root/a is a symlink"
    assert (caught.value.where, caught.value.fix) == ("$.storage.filesystems.1", "use a path of real directories")


def test_umount_removes_config_cache_and_keys(arguments: Arguments) -> None:
    state = states.load(arguments.state_file)
    state.luks_persist_key_files["data"] = state.luks_persist_volume_key_files["/x"] = "data:,secret"
    state.notated_directories.append("/a")
    states.save(state, arguments.state_file)
    umount.run(arguments)
    assert not Path(arguments.config_cache).exists()
    assert "secret" not in Path(arguments.state_file).read_text()
    assert states.load(arguments.state_file).notated_directories == ["/a"]


@pytest.mark.root
def test_umount_keeps_secrets_for_the_shell_of_a_failed_boot(arguments: Arguments) -> None:
    Path(arguments.config_cache).write_text("secret")
    Path(arguments.state_file).with_name("failure.txt").write_text("=====\n")
    umount.run(arguments)
    assert Path(arguments.config_cache).read_text() == "secret"
    Path(arguments.state_file).with_name("failure.txt").unlink()
    umount.run(arguments)
    assert not os.path.exists(arguments.config_cache)


def test_umount_removes_secrets_even_if_a_file_system_stays_busy(arguments: Arguments, tmp_path: Path) -> None:
    mount.run(arguments)
    with (tmp_path / "root/x/file").open("w"), pytest.raises(CommandFailed, match="umount .*/root/x: exit status 32") as caught:
        umount.run(arguments)
    assert caught.value.where == "$.storage.filesystems.2"
    assert not Path(arguments.config_cache).exists()
    umount.run(arguments)
    assert mounted(tmp_path) == []


def shadows(present: dict[str, str], *entries: Filesystem) -> Failure:
    config = Config(storage=Storage(filesystems=entries))
    with pytest.raises(Failure) as caught:
        mount.plan(config, MountFacts(present, {entry.device: entry.device for entry in entries}), [])
    return caught.value


def ext4(device: str, path: str) -> Filesystem:
    return Filesystem(device=device, path=path, format="ext4")


def test_subvolume_at_the_path_of_another_is_refused() -> None:
    extension = FilesystemExtension(subvolumes=(Subvolume(path="/a", mount_path="/srv"), Subvolume(path="/b", mount_path="/var")))
    data = Filesystem(device="/dev/b", format="btrfs", extension=extension)
    failure = shadows({}, ext4("/dev/a", "/srv"), data)
    assert failure.what == "$.storage.filesystems.0 is mounted on /srv, too: one would hide the other"
    assert failure.where == "$.storage.filesystems.1.x-coreos.subvolumes.0.mountPath"
    failure = shadows({"/var/log": "/dev/other"}, data)
    assert failure.what == "/dev/other is already mounted on /var/log: this one on /var would hide it"
    assert failure.where == "$.storage.filesystems.0.x-coreos.subvolumes.1.mountPath"


def test_two_file_systems_at_one_path_are_refused() -> None:
    failure = shadows({}, ext4("/dev/a", "/srv"), ext4("/dev/b", "/var"), ext4("/dev/c", "/srv"))
    assert failure.what == "$.storage.filesystems.0 is mounted on /srv, too: one would hide the other"
    assert (failure.where, failure.fix) == ("$.storage.filesystems.2.path", "use a different path for each file system")


@pytest.mark.parametrize(
    ("path", "hidden"),
    [("/var", "/var"), ("/var", "/var/log"), ("/", "/var"), ("/", "/")],
    ids=["same", "below", "below-root", "root"],
)
def test_mount_that_hides_one_that_is_there_is_refused(path: str, hidden: str) -> None:
    failure = shadows({hidden: "/dev/other"}, ext4("/dev/a", path))
    assert failure.what == f"/dev/other is already mounted on {hidden}: this one on {path} would hide it"
    assert (failure.where, failure.fix) == ("$.storage.filesystems.0.path", "use another path")


@pytest.mark.parametrize(
    "present",
    [{"/": "/dev/root", "/variety": "/dev/x"}, {"/var": "/dev/a", "/var/log": "/dev/x"}],
    ids=["beside-and-above", "this-very-one"],
)
def test_mount_that_hides_nothing_is_fine(present: dict[str, str]) -> None:
    config = Config(storage=Storage(filesystems=(ext4("/dev/a", "/var"),)))
    assert len(mount.plan(config, MountFacts(present, {"/dev/a": "/dev/a"}), [])) == 1
